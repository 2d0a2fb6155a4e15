"""Files that take the reading process down are refused alone, and those beside them are read."""

import hashlib
import json
import zipfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from domain.running.figures import Runner
from domain.workout import Workout, WorkoutKnown, WorkoutRefused
from providers.apart import Apart, ProcessEnded
from providers.workouts import WorkoutFiles

T = TypeVar("T")
DEADLY = 3


class Frail(Apart):
    """A process that dies of the third file of an export."""

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        if getattr(function, "name", "") == "some_members":
            _, start, most, _ = args
            if start < DEADLY <= start + most:
                await self.close()
                raise ProcessEnded(in_time=True)
        return await super().run(function, *args)


@pytest.fixture
async def files() -> AsyncGenerator[WorkoutFiles]:
    files = WorkoutFiles(apart=Frail(seconds=60, memory=2 * 1024**3))
    yield files
    await files.close()


def of_day(day: int) -> bytes:
    return json.dumps({"startedAt": f"2026-01-0{day}T08:00:00Z", "summary": {"distanceMeters": 5000}}).encode()


async def test_what_takes_the_process_down_is_refused_alone(files: WorkoutFiles, tmp_path: Path) -> None:
    path = tmp_path / "export"
    with zipfile.ZipFile(path, "w") as made:
        for day in range(1, 6):
            made.writestr(f"{day}.json", of_day(day))
    assert await files.count(path) == 5
    found: list[tuple[str, Workout | WorkoutRefused]] = []
    while some := await files.members(path, len(found)):
        found += some
    await files.leave(path)
    told = [outcome.code if isinstance(outcome, WorkoutRefused) else outcome.started_at.day for _, outcome in found]
    assert told == [1, 2, "too_large", 4, 5]


async def test_an_export_tells_by_its_hash_which_file_is_known(files: WorkoutFiles, tmp_path: Path) -> None:
    run = (Path(__file__).parents[1] / "data" / "running" / "garmin-fenix-5-run.fit").read_bytes()
    path, content_hash = tmp_path / "export", hashlib.sha256(run).hexdigest()
    path.write_bytes(run)
    [(_, outcome)] = await files.members(path, 0, {content_hash})
    assert isinstance(outcome, WorkoutKnown)
    assert (outcome.code, outcome.content_hash) == ("known", content_hash)


async def test_a_cut_archive_is_refused_as_a_whole(files: WorkoutFiles, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(WorkoutRefused) as raised:
        await files.count(path)
    assert raised.value.code == "truncated_file"


async def test_what_is_kept_gives_the_same_figures_again(files: WorkoutFiles) -> None:
    run = Path(__file__).parents[1] / "data" / "running" / "runpandas-run.fit"
    workout = await files.read(run.read_bytes(), "run")
    facts, runner, recording = await files.figured(workout, Runner())
    assert runner.highest_seen_bpm == facts.facts["max_heart_rate"].value
    assert len(recording) < run.stat().st_size / 4
    assert await files.refigured(recording, runner) == facts
