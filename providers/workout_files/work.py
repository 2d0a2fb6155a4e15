"""What is done with workout files in a process of its own (providers.workouts): functions of values."""

import time
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from domain.running.facts import facts_of
from domain.running.figures import Facts, Runner
from domain.running.given import workout_given
from domain.running.packed import packed, unpacked
from domain.workout import Workout, WorkoutRefused
from providers.workout_files import Member, count, members, read_workout

__all__ = ["figured", "files_in", "leave", "read_workout", "refigured", "some_members", "workout_given"]

PORTION_SECONDS = 1.0
# Where the reading of which export stands.
MOST_OPEN = 4
_open: dict[Path, tuple[int, Iterator[Member]]] = {}


def figured(workout: Workout, runner: Runner) -> tuple[Facts, Runner, bytes]:
    """Its facts, the runner as this workout shows them, and the recording as it is kept."""
    facts = facts_of(workout, runner)
    seen = facts.facts.get("max_heart_rate")
    if seen and seen.quality != "poor" and seen.value > (runner.highest_seen_bpm or 0):
        # the zones of a first workout, or of the hardest one, are drawn as the next one will find them
        runner = runner.model_copy(update={"highest_seen_bpm": seen.value})
        if facts.zones and facts.zones.estimated:
            facts = facts_of(workout, runner)
    return facts, runner, packed(workout)


def refigured(recording: bytes, runner: Runner) -> Facts:
    return facts_of(unpacked(recording), runner)


def files_in(path: Path) -> int:
    """How many files are in an export. Raises WorkoutRefused."""
    if not zipfile.is_zipfile(path):
        raise WorkoutRefused("the archive ends before its table of contents", code="truncated_file")
    return count(path)


def some_members(
    path: Path, start: int, most: int, known: Collection[str]
) -> list[tuple[str, Workout | WorkoutRefused]]:
    """Up to `most` files of an export after the first `start`, or as many as a second allows."""
    at, walk = _open.pop(path, (-1, iter(())))
    if at != start:
        walk = members(path, start, known)
    until = time.monotonic() + PORTION_SECONDS
    found: list[tuple[str, Workout | WorkoutRefused]] = []
    for member in walk:
        found.append((member.name, member.outcome))
        if len(found) == most or time.monotonic() > until:
            while len(_open) >= MOST_OPEN:
                del _open[next(iter(_open))]
            _open[path] = start + len(found), walk
            break
    return found


def leave(path: Path) -> None:
    """Close that export."""
    _open.pop(path, None)
