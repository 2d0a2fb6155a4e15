"""Whole exports: thousands of files in a zip."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.workout import Workout, WorkoutRefused


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive and what came of it. `number` counts from 1 up to `total`."""

    name: str
    number: int
    total: int
    outcome: Workout | WorkoutRefused


def members(path: Path, start: int = 0) -> Iterator[Member]:
    """The workouts in the file at `path`, one at a time: a zip's members after the first `start`, or the file itself
    if it is no zip. Raises WorkoutRefused for an archive that is refused as a whole."""
    raise NotImplementedError
