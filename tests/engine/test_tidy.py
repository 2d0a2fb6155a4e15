"""The schedule that adds up figures and blanks what is past its days."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.job import Outcome, Status
from engine.schedules import TIDY, keep_tidying
from ledger.retention import Keep
from ledger.stats import Asked, Stats
from tests.support.stack_parts import Parts, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_schedule_tidies_up(parts: Parts) -> None:
    await asyncio.gather(*(keep_tidying(parts.client) for _ in range(3)))
    described = await parts.client.get_schedule_handle(TIDY).describe()
    assert described.schedule.spec.intervals[0].every.total_seconds() == 300

    job_id = await parts.submit("toy", {"isolate": ["one"]}, owner="ann")
    await parts.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={"said": ["x"]}))
    await parts.database.execute("UPDATE jobs SET finished_at = now() - interval '2 days' WHERE id = $1", job_id)
    parts.keep = Keep(contents=timedelta(days=1))
    async with parts.working():
        await parts.client.get_schedule_handle(TIDY).trigger()

        async def blanked() -> bool:
            return (await parts.row(job_id)).blanked_at is not None

        await until(blanked)
    row = await parts.row(job_id)
    assert (row.status, row.payload, row.result) == (Status.COMPLETED, {}, None)
    left = await parts.database.row("SELECT count(*) AS n FROM job_ends")
    assert left
    assert left["n"] == 0, "all ends are in the figures"
    today = datetime.now(UTC).date()
    found = await Stats(parts.database).read(Asked(today - timedelta(days=1), today, owner="ann"))
    assert found.total.completed == 1
