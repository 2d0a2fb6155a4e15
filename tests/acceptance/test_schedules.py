"""Schedules on the whole stack, and over the death of the engine: firings are caught up with, and overlap holds."""

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
from tests.support import processes
from tests.support.house import Engine
from tests.support.processes import Stack
from tests.support.stack_parts import Parts, stack, until
from tests.support.stand_ins import Outside
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

    # again where its time runs out before the engine is there again
    toys.on("begin", *[held] * 10)
    async with own_engine(tmp_path) as engine:
        where = {"TEMPORAL_ADDRESS": engine.address}
        opened = stack(database, where, [toys.work])
        async with opened as parts, parts.working(), parts.dispatching():
            lone = await every_second(parts, "toy-rounds", {"left": 1, "perRun": 1}, "skip")
            await asyncio.wait_for(entered.wait(), 30)
            each = await every_second(parts, "toy", {"skip": ["two", "three"]}, "allow_all")
            await until(lambda: due(parts, each))

            skipped = await _skipped(parts, lone)
            await asyncio.to_thread(engine.kill)
            down = datetime.now(UTC).replace(microsecond=0) + SECOND
            await until(lambda: _past(down + OUTAGE))
            missed = {down + n * SECOND for n in range(OUTAGE // SECOND)}
            assert missed.isdisjoint(await due(parts, each))
            await asyncio.to_thread(engine.start)

            await until(lambda: _all(parts, each, missed), 90)
            await until(lambda: _skips(parts, lone, skipped + len(missed)), 60)
            for row in (lone, each):
                await parts.scheduling.pause(row)
            times = await due(parts, each)
            assert len(times) == len(set(times)), "each is fired once"
            for job in await parts.jobs.list(JobFilter(schedule_id=each.id), limit=100):
                assert (await parts.ended(job.id)).status == Status.COMPLETED

            [job] = await parts.jobs.list(JobFilter(schedule_id=lone.id))
            leave.set()
            assert (await parts.ended(job.id)).status == Status.COMPLETED


async def _past(at: datetime) -> bool:
    return datetime.now(UTC) > at


async def _skipped(parts: Parts, row: ScheduleRow) -> int:
    """How many firings have found the one before them running still."""
    return (await parts.client.get_schedule_handle(row.id).describe()).info.num_actions_skipped_overlap


async def _skips(parts: Parts, row: ScheduleRow, times: int) -> bool:
    return await _skipped(parts, row) >= times


async def _all(parts: Parts, row: ScheduleRow, times: set[datetime]) -> bool:
    return times <= set(await due(parts, row))


def test_a_schedule_on_the_whole_stack_and_the_engines_own_command_line(running: Stack, outside: Outside) -> None:
    client = running.client()
    made = client.schedule_cron_job(
        "research", outside.payload(), "30 9 1 1 *", timezone="America/New_York", user_id="scheduled"
    )
    client.trigger_schedule(made.id)
    [job] = processes.until(lambda: list(client.list(schedule_id=made.id)), what="the job of the firing")
    ended = client.wait(job.job_id, 60)
    assert (ended.status, ended.owner, ended.schedule_id) == ("completed", "scheduled", made.id)
    assert client.get_schedule(made.id).last_job_id == job.job_id

    running.temporal("schedule", "toggle", "--schedule-id", made.id, "--pause", "--reason", "on call")
    differences = client.reconcile().schedules
    assert [one["action"] for one in differences if one["scheduleId"] == made.id] == ["adopted"]
    now = client.get_schedule(made.id)
    assert (now.paused, now.note, now.next_run_at) == (True, "on call", None)
    running.temporal("schedule", "delete", "--schedule-id", made.id)
    client.reconcile()
    assert client.get_schedule(made.id).paused
    client.delete_schedule(made.id)
