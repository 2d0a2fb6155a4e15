"""Functions to be called in another process; this module imports next to nothing, for that process has to as well."""

import os
import signal
import sys
from importlib import import_module
from typing import Any

from domain.errors import CallerError


class Sneaky:
    """As an answer that is read like any pickle, it is a call."""

    def __init__(self, module: str, name: str, *args: object) -> None:
        self._call = (module, name, args)

    def __reduce__(self) -> tuple[Any, ...]:
        module, name, args = self._call
        return getattr(import_module(module), name), args


def refuse(code: str) -> None:
    raise CallerError("not this one", code=code)


def print_something() -> int:
    sys.stdout.write("noise\n")
    sys.stdout.flush()
    return os.getpid()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def eat(size: int) -> int:
    return len(bytearray(size))
