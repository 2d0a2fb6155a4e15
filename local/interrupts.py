"""Ctrl-C, SIGTERM and a closed terminal, as one KeyboardInterrupt."""

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# One wish to stop may arrive twice: to the process group, and handed on by make.
SAME_WISH_SECONDS = 1.0


@contextmanager
def interruptible(kill: Callable[[], None]) -> Generator[None]:
    """The first signal raises KeyboardInterrupt; a later one, while things stop in order, calls `kill`."""
    first: float | None = None

    def interrupt(*_: object) -> None:
        nonlocal first
        if first is None:
            first = time.monotonic()
            raise KeyboardInterrupt
        if time.monotonic() - first > SAME_WISH_SECONDS:
            kill()

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
