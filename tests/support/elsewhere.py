"""Functions to be called in another process; this module imports next to nothing, for that process has to as well."""

import os
import signal
import sys

from domain.errors import CallerError


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
