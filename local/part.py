"""A part of the stack that is started again when it dies, and the tail of its log."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from local.live import say
from local.process import Process, ending

DEATHS = 6
WITHIN_SECONDS = 60.0


class KeepsDyingError(Exception):
    """A part died too often to be started once more."""


class Part:
    """`launch` starts the process; `tend` starts it again 1, 2, 4 … s after each death."""

    def __init__(self, launch: Callable[[], Process], clock: Callable[[], float] = time.monotonic) -> None:
        self._launch = launch
        self._clock = clock
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._due: float | None = None
        self.process = launch()

    def tend(self) -> bool:
        """Whether it was started again just now. Raises KeepsDyingError at the sixth death within a minute."""
        now = self._clock()
        if self._due is None:
            if not self.process.running:
                self._died(now)
            return False
        if now < self._due:
            return False
        self._due = None
        self.process = self._launch()
        return True

    def _died(self, now: float) -> None:
        self._deaths.append(now)
        recent = sum(now - death < WITHIN_SECONDS for death in self._deaths)
        how = f"{self.process.name} {ending(self.process)}"
        if recent >= DEATHS:
            raise KeepsDyingError(f"{how}, for the {DEATHS}th time within a minute. Its log: {self.process.log}")
        pause = 2 ** (recent - 1)
        self._due = now + pause
        say(f"{how}: starting it again in {pause} s")


class Tail:
    """What a log grows by from now on, line by line, each said with the name of its part."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._read = log.stat().st_size
        self._rest = b""

    def follow(self) -> None:
        with self.log.open("rb") as source:
            source.seek(self._read)
            added = source.read()
        self._read += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        for line in lines:
            say(f"{self.name:<7}| {line.decode(errors='replace')}")
