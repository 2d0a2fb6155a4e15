"""Exports on a real engine and ledger, read by the real reader: every file once, whatever happens in between."""

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from activities import importing
from activities.importing import Importing
from activities.workouts import Keeping
from domain.errors import LedgerUnavailable
from domain.job import Status
from domain.running.imports import KIND, REFIGURE, ImportResult
from domain.users import HeartRate, UserRequest
from domain.workout import Workout
from ledger.database import Database
from ledger.exports import Exports
from ledger.items import JobItems
from ledger.rows import JobRow
from ledger.users import Users
from ledger.workouts import WorkoutRow, Workouts
from providers import workouts as files
from providers.workouts import Read, WorkoutFiles
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack
from workflows.catalog import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATA = Path(__file__).parents[1] / "data" / "running"
HEART = {"distanceMeters": 5000, "movingSeconds": 1500, "avgHeartRate": 150}


class Reader(WorkoutFiles):
    """The reader; `gate` holds it up before each portion after the first `passes`."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.passes = asyncio.Event(), 0

    async def members(self, path: Path, start: int, known: Collection[str] = ()) -> Sequence[Read]:
        if self.passes:
            self.passes -= 1
        else:
            await self.gate.wait()
        return await super().members(path, start, known)


class Breaking(Keeping):
    """The same; the ledger falls silent after each of the next `fails` workouts was kept, before anybody hears."""

    fails = asked = 0

    async def keep(self, user_id: str, workout: Workout, *, workout_id: UUID | None = None) -> tuple[WorkoutRow, bool]:
        self.asked += 1
        kept = await super().keep(user_id, workout, workout_id=workout_id)
        if self.fails:
            self.fails -= 1
            raise LedgerUnavailable
        return kept


@dataclass
class World:
    parts: Parts
    reader: Reader
    keeping: Breaking
    user: str = field(default_factory=lambda: uuid4().hex)

    @property
    def workouts(self) -> Workouts:
        return Workouts(self.parts.database)

    async def upload(self, content: bytes) -> str:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        export = hashlib.sha256(content).hexdigest()
        await Exports(self.parts.database).put(self.user, pieces(), export, max_bytes=10**8)
        return export

    async def start(self, content: bytes) -> UUID:
        payload = {"userId": self.user, "export": await self.upload(content)}
        return await self.parts.submit(KIND, payload, owner=self.user)

    async def outcomes(self, job_id: UUID) -> dict[str, tuple[str, str | None]]:
        items = await JobItems(self.parts.database).page(job_id, 0, 1000)
        told = [(one.status, one.outcome or {}) for one in items]
        return {outcome.get("file", ""): (status, outcome.get("code")) for status, outcome in told}


def archive(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return held.getvalue()


def of_day(day: int, **summary: Any) -> bytes:
    given = {"startedAt": f"2026-01-{day:02}T08:00:00Z", "summary": HEART | summary}
    return json.dumps(given).encode()


def counts(row: JobRow) -> dict[str, int]:
    assert row.progress.items
    return row.progress.items.model_dump(include={"done", "failed", "skipped", "total"})


def days(count: int) -> bytes:
    return archive({f"{day}.json": of_day(day) for day in range(1, count + 1)})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[World]:
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        reader = Reader()
        keeping = Breaking(Workouts(database), Users(database), reader)
        work = Importing(Exports(database), JobItems(database), keeping, reader)
        activities = [work.list_export, work.import_files, work.end_import, work.refigure]
        opened = stack(database, engine, activities, kinds=KINDS)
        async with opened as parts, parts.working(), parts.dispatching():
            yield World(parts, reader, keeping)
        await reader.close()
        await database.close()


@pytest.fixture
def world(made: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Another user each; every call to the reader brings two files."""
    monkeypatch.setattr(files, "MOST_MEMBERS", 2)
    made.reader.gate.set()
    made.reader.passes = made.keeping.fails = 0
    made.user = uuid4().hex
    return made


async def test_each_file_has_its_outcome(world: World) -> None:
    names = ("runpandas-run.fit", "invalid-activity-filecrc.fit", "sweatpy-5039744860.gpx.gz")
    export = archive(
        {name: (DATA / name).read_bytes() for name in names}
        | {
            "sweatpy-5039744860.tcx.gz": (DATA / "sweatpy-5039744860.tcx.gz").read_bytes(),
            "activities.csv": b"id,name\n1,Lunch run\n",
            "given.json": of_day(3),
            "inner.zip": archive({"again.json": of_day(3), "other.json": of_day(4)}),
        }
    )
    row = await world.parts.ended(await world.start(export), 60)
    assert (row.status, row.error) == (Status.COMPLETED, None)
    result = ImportResult.model_validate(row.result)
    assert result.model_copy(update={"refigured": 0}) == ImportResult(
        total=8, imported=4, not_runs=1, known=2, passed_over=1, refused=1
    )
    assert await world.outcomes(row.id) == {
        "runpandas-run.fit": ("done", None),
        "invalid-activity-filecrc.fit": ("failed", "checksum_mismatch"),
        "sweatpy-5039744860.gpx.gz": ("done", None),
        "sweatpy-5039744860.tcx.gz": ("skipped", "known"),
        "activities.csv": ("skipped", "unknown_format"),
        "given.json": ("done", None),
        "inner.zip/again.json": ("skipped", "known"),
        "inner.zip/other.json": ("done", None),
    }
    assert counts(row) == {"done": 4, "failed": 1, "skipped": 3, "total": 8}
    assert len(await world.workouts.page(world.user, limit=10)) == 4
    assert len(await world.workouts.run_ids(world.user)) == 3
    [left] = await world.parts.database.fetch("SELECT count(*) FROM blob_uses WHERE owner = $1", world.user)
    assert left["count"] == 0, "the export is not kept for longer than it is needed"


async def test_the_same_export_again_changes_nothing(world: World) -> None:
    await world.parts.ended(await world.start(days(3)))
    before = await world.workouts.page(world.user, limit=10)
    row = await world.parts.ended(await world.start(days(3)))
    assert ImportResult.model_validate(row.result) == ImportResult(total=3, known=3)
    assert await world.workouts.page(world.user, limit=10) == before


async def test_a_file_that_is_known_by_its_content_is_not_read_again(world: World) -> None:
    names = ("garmin-fenix-5-run.fit", "sweatpy-5039744860.gpx.gz")
    export = archive({name: (DATA / name).read_bytes() for name in names})
    first = await world.parts.ended(await world.start(export), 60)
    assert counts(first) == {"done": 2, "failed": 0, "skipped": 0, "total": 2}
    # of one that is new nobody hears that it was kept: it is this job's own, though it is known by then
    world.keeping.fails, world.keeping.asked = 1, 0
    (new,) = DATA.glob("be72d594*")
    second = await world.parts.ended(await world.start(archive({new.name: new.read_bytes(), "again.zip": export})), 60)
    assert counts(second) == {"done": 1, "failed": 0, "skipped": 2, "total": 3}
    assert ImportResult.model_validate(second.result).known == 2
    assert world.keeping.asked == 1
    items = JobItems(world.parts.database)
    before, now = [(one.outcome or {} for one in await items.page(job.id, 0, 10)) for job in (first, second)]
    assert [one["activityId"] for one in now][1:] == [one["activityId"] for one in before]


async def test_a_portion_that_is_tried_again_counts_nothing_twice(world: World) -> None:
    """Workouts were kept, and nobody heard of it: they are this job's own all the same."""
    world.keeping.fails = 2
    row = await world.parts.ended(await world.start(days(5)), 60)
    assert ImportResult.model_validate(row.result) == ImportResult(total=5, imported=5)


async def test_portions_follow_each_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PORTION_SECONDS", -1)
    row = await world.parts.ended(await world.start(days(5)), 60)
    assert ImportResult.model_validate(row.result) == ImportResult(total=5, imported=5)
    told = [event.data["items"]["done"] for event in await world.parts.events.after(row.id) if event.type == "progress"]
    assert told == [2, 4, 5]


async def test_a_cancel_leaves_what_is_done(world: World) -> None:
    world.reader.gate.clear()
    world.reader.passes = 1
    job_id = await world.start(days(5))
    database = world.parts.database
    async with asyncio.timeout(30):
        while (await JobItems(database).counts(job_id)).done < 2:
            await asyncio.sleep(0.02)
    assert await world.parts.jobs.cancel(job_id, reason=None, by="ann")
    row = await world.parts.ended(job_id, 5)
    assert (row.status, counts(row)) == (Status.CANCELED, {"done": 2, "failed": 0, "skipped": 0, "total": 5})
    assert len(await world.workouts.page(world.user, limit=10)) == 2
    world.reader.gate.set()
    again = ImportResult.model_validate((await world.parts.ended(await world.start(days(5)))).result)
    # the cancelled portion hears of it within a second, and may have kept another two
    assert (again.imported + again.known, again.known >= 2) == (5, True)


async def test_an_archive_that_is_none_is_refused_as_a_whole(world: World) -> None:
    row = await world.parts.ended(await world.start(days(3)[:-20]))
    assert row.status == Status.FAILED
    assert row.error
    assert (row.error.code, row.error.step) == ("truncated_file", "list")


async def test_an_export_that_is_another_users_is_not_there(world: World) -> None:
    export = await world.upload(days(2))
    thief = uuid4().hex
    row = await world.parts.ended(await world.parts.submit(KIND, {"userId": thief, "export": export}, owner=thief))
    assert (row.status, row.error.code if row.error else None) == (Status.FAILED, "file_gone")
    assert await world.workouts.page(thief, limit=1) == []


async def test_the_zones_of_all_are_drawn_from_what_all_have_shown(world: World) -> None:
    """The first file knows nothing of the heart rate in the last one."""
    easy = {"time": list(range(600)), "distance": [3.0 * n for n in range(600)]}
    given = [
        json.dumps(
            {
                "startedAt": f"2026-02-0{day}T08:00:00Z",
                "streams": easy | {"heartRate": [highest - n % 7 for n in range(600)]},
            }
        ).encode()
        for day, highest in enumerate((140, 150, 193), 1)
    ]
    row = await world.parts.ended(await world.start(archive({f"{n}.json": one for n, one in enumerate(given)})), 60)
    assert ImportResult.model_validate(row.result) == ImportResult(total=3, imported=3, refigured=2)
    rows = await world.workouts.page(world.user, limit=3)
    assert {one.runner.highest_seen_bpm for one in rows} == {193}
    assert len({one.facts.zones.zones[4].from_bpm for one in rows if one.facts.zones}) == 1
    assert not await world.keeping.behind(world.user)
    await Users(world.parts.database).put(world.user, UserRequest(heart_rate=HeartRate(resting=50, max=190)))
    assert await world.keeping.behind(world.user)
    again = await world.parts.ended(await world.parts.submit(REFIGURE, {"userId": world.user}, owner=world.user))
    assert again.result == {"refigured": 3}
    assert not await world.keeping.behind(world.user)
    rows = await world.workouts.page(world.user, limit=3)
    assert [one.facts.zones.zones[0].from_bpm for one in rows if one.facts.zones] == [120, 120, 120]
