"""The engine dies over several firings: they are caught up with, and overlap holds for the job that ran meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.job import Status
from domain.schedule import ScheduleRequest
from ledger.database import Database
from ledger.jobs import JobFilter
from ledger.schedules import ScheduleRow
from tests.acceptance.test_outages import Engine
from tests.support.stack_parts import Parts, stack, until
from tests.support.toys import Toys

SECOND = timedelta(seconds=1)
OUTAGE = timedelta(seconds=3)


@asynccontextmanager
async def own_engine(folder: Path) -> AsyncGenerator[Engine]:
    engine = await asyncio.to_thread(Engine, folder)
    try:
        yield engine
    finally:
        await asyncio.to_thread(engine.process.stop)


async def every_second(parts: Parts, kind: str, payload: dict[str, Any], overlap: str) -> ScheduleRow:
    asked = {"jobType": kind, "payload": payload, "cron": "@every 1s", "overlap": overlap, "catchupWindow": "1h"}
    row, _ = await parts.scheduling.create(ScheduleRequest.model_validate(asked))
    return row


async def due(parts: Parts, row: ScheduleRow) -> list[datetime]:
    """The times for which a job was opened."""
    found = await parts.database.fetch(
        "SELECT f.due_at FROM schedule_firings f JOIN jobs j ON j.id = f.job_id WHERE j.schedule_id = $1", row.id
    )
    return sorted(one["due_at"] for one in found)


async def test_an_outage_over_firings(tmp_path: Path, database: Database) -> None:
    toys, entered, leave = Toys(), asyncio.Event(), asyncio.Event()

    async def held() -> str:
        entered.set()
        await leave.wait()
        return "begun"

    toys.on("begin", held)
    async with own_engine(tmp_path) as engine:
        where = {"TEMPORAL_ADDRESS": engine.address}
        opened = stack(database, where, [toys.work])
        async with opened as parts, parts.working(), parts.dispatching():
            lone = await every_second(parts, "toy-rounds", {"left": 1, "perRun": 1}, "skip")
            await asyncio.wait_for(entered.wait(), 30)
            each = await every_second(parts, "toy", {"skip": ["two", "three"]}, "allow_all")
            await until(lambda: due(parts, each))

            await asyncio.to_thread(engine.kill)
            down = datetime.now(UTC).replace(microsecond=0) + SECOND
            await until(lambda: _past(down + OUTAGE))
            missed = {down + n * SECOND for n in range(OUTAGE // SECOND)}
            assert missed.isdisjoint(await due(parts, each))
            await asyncio.to_thread(engine.start)

            await until(lambda: _all(parts, each, missed), 40)
            for row in (lone, each):
                await parts.scheduling.pause(row)
            times = await due(parts, each)
            assert len(times) == len(set(times)), "each is fired once"
            for job in await parts.jobs.list(JobFilter(schedule_id=each.id), limit=100):
                assert (await parts.ended(job.id)).status == Status.COMPLETED

            [job] = await parts.jobs.list(JobFilter(schedule_id=lone.id))
            info = (await parts.client.get_schedule_handle(lone.id).describe()).info
            assert info.num_actions_skipped_overlap >= len(missed)
            leave.set()
            assert (await parts.ended(job.id)).status == Status.COMPLETED


async def _past(at: datetime) -> bool:
    return datetime.now(UTC) > at


async def _all(parts: Parts, row: ScheduleRow, times: set[datetime]) -> bool:
    return times <= set(await due(parts, row))
