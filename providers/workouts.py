"""Workout files read, and their figures counted, in a process of its own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.workout import Workout, WorkoutRefused
from providers.apart import Apart, ProcessEnded

if TYPE_CHECKING:
    from domain.running.figures import Facts, Runner
    from domain.running.given import GivenWorkout

# The largest file that is read at all takes half of both.
CALL_SECONDS, MEMORY = 120, 2 * 1024**3
MOST_MEMBERS = 25
TOO_MUCH = "reading it takes more time or memory than any workout's file needs"
Read = tuple[str, Workout | WorkoutRefused]


@dataclass(frozen=True)
class There:
    """A function of providers.workout_files.work: only the process that calls it loads what reads files."""

    name: str

    def __call__(self, *args: Any) -> Any:
        return getattr(import_module("providers.workout_files.work"), self.name)(*args)


class WorkoutFiles:
    """Each call raises WorkoutRefused for what is refused as a whole."""

    def __init__(self, apart: Apart | None = None) -> None:
        self._apart = apart or Apart(seconds=CALL_SECONDS, memory=MEMORY)

    async def close(self) -> None:
        await self._apart.close()

    async def read(self, content: bytes, name: str = "") -> Workout:
        return await self._run("read_workout", content, name)

    async def given(self, given: "GivenWorkout") -> Workout:
        return await self._run("workout_given", given)

    async def figured(self, workout: Workout, runner: "Runner") -> "tuple[Facts, Runner, bytes]":
        """Its facts, the runner as this workout shows them, and the recording as it is kept."""
        return await self._run("figured", workout, runner)

    async def refigured(self, recording: bytes, runner: "Runner") -> "Facts":
        """The facts of a recording that is kept, for a runner of whom all is known."""
        return await self._run("refigured", recording, runner)

    async def count(self, path: Path) -> int:
        """How many files are in an export."""
        return await self._run("files_in", path)

    async def members(self, path: Path, start: int, known: Collection[str] = ()) -> Sequence[Read]:
        """Some files of an export after the first `start`, with their names; none after the last. Those whose content
        has a hash that is `known` are not read: WorkoutKnown.

        The export stays open for who asks for the next ones, until `leave`.
        """
        try:
            return await self._apart.run(There("some_members"), path, start, MOST_MEMBERS, known)
        except (ProcessEnded, MemoryError):
            return await self._next_member(path, start, known)

    async def leave(self, path: Path) -> None:
        """Nobody asks for more of that export."""
        if self._apart.running:
            await self._run("leave", path)

    async def _next_member(self, path: Path, start: int, known: Collection[str]) -> Sequence[Read]:
        """One of several was too much: it is the next one, or it comes later."""
        try:
            return await self._apart.run(There("some_members"), path, start, 1, known)
        except (ProcessEnded, MemoryError):
            return [("", WorkoutRefused(TOO_MUCH, code="too_large"))]

    async def _run(self, name: str, *args: Any) -> Any:
        try:
            return await self._apart.run(There(name), *args)
        except (ProcessEnded, MemoryError):
            raise WorkoutRefused(TOO_MUCH, code="too_large") from None
