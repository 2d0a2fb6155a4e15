"""Workout files read, and their figures counted, in a process of its own."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from domain.running.facts import facts_of
from domain.running.figures import Facts, Runner
from domain.running.given import GivenWorkout, workout_given
from domain.running.packed import packed, unpacked
from domain.workout import Workout, WorkoutRefused
from providers.apart import Apart, ProcessEnded
from providers.workout_files import Member, count, members, read_workout

T = TypeVar("T")
Read = tuple[str, Workout | WorkoutRefused]
# The largest file that is read at all takes half of both.
CALL_SECONDS, MEMORY = 120, 2 * 1024**3
MOST_MEMBERS, PORTION_SECONDS = 25, 1.0
TOO_MUCH = "reading it takes more time or memory than any workout's file needs"


class WorkoutFiles:
    """Each call raises WorkoutRefused for what is refused as a whole."""

    def __init__(self) -> None:
        self._apart = Apart(seconds=CALL_SECONDS, memory=MEMORY)

    async def close(self) -> None:
        await self._apart.close()

    async def read(self, content: bytes, name: str = "") -> Workout:
        return await self._run(read_workout, content, name)

    async def given(self, given: GivenWorkout) -> Workout:
        return await self._run(workout_given, given)

    async def figured(self, workout: Workout, runner: Runner) -> tuple[Facts, Runner, bytes]:
        """Its facts, the runner as this workout shows them, and the recording as it is kept."""
        return await self._run(figured, workout, runner)

    async def refigured(self, recording: bytes, runner: Runner) -> Facts:
        """The facts of a recording that is kept, for a runner of whom all is known."""
        return await self._run(refigured, recording, runner)

    async def count(self, path: Path) -> int:
        """How many files are in an export."""
        return await self._run(count, path)

    async def members(self, path: Path, start: int) -> Sequence[Read]:
        """Some files of an export after the first `start`, with their names; none after the last.

        The export stays open for who asks for the next ones, until `leave`.
        """
        try:
            return await self._apart.run(some_members, path, start, MOST_MEMBERS)
        except (ProcessEnded, MemoryError):
            return await self._one_member(path, start)

    async def leave(self, path: Path) -> None:
        """Nobody asks for more of that export."""
        with suppress(ProcessEnded, MemoryError):
            await self._apart.run(leave, path)

    async def _one_member(self, path: Path, start: int) -> Sequence[Read]:
        """One of several was too much: it is the next one, or it comes later."""
        try:
            return await self._apart.run(some_members, path, start, 1)
        except (ProcessEnded, MemoryError):
            return [("", WorkoutRefused(TOO_MUCH, code="too_large"))]

    async def _run(self, function: Callable[..., T], *args: Any) -> T:
        try:
            return await self._apart.run(function, *args)
        except (ProcessEnded, MemoryError):
            raise WorkoutRefused(TOO_MUCH, code="too_large") from None


def figured(workout: Workout, runner: Runner) -> tuple[Facts, Runner, bytes]:
    facts = facts_of(workout, runner)
    seen = facts.facts.get("max_heart_rate")
    if seen and seen.value > (runner.highest_seen_bpm or 0):
        # the zones of a first workout, or of the hardest one, are drawn as the next one will find them
        runner = runner.model_copy(update={"highest_seen_bpm": seen.value})
        if facts.zones and facts.zones.estimated:
            facts = facts_of(workout, runner)
    return facts, runner, packed(workout)


def refigured(recording: bytes, runner: Runner) -> Facts:
    return facts_of(unpacked(recording), runner)


# in the process of its own: where the reading of which export stands
_open: dict[Path, tuple[int, Iterator[Member]]] = {}
MOST_OPEN = 4


def leave(path: Path) -> None:
    _open.pop(path, None)


def some_members(path: Path, start: int, most: int) -> list[Read]:
    """Up to `most` files after the first `start`, or as many as a second allows."""
    at, walk = _open.pop(path, (-1, iter(())))
    if at != start:
        walk = members(path, start)
    until, found = time.monotonic() + PORTION_SECONDS, list[Read]()
    for member in walk:
        found.append((member.name, member.outcome))
        if len(found) == most or time.monotonic() > until:
            while len(_open) >= MOST_OPEN:
                del _open[next(iter(_open))]
            _open[path] = start + len(found), walk
            break
    return found
