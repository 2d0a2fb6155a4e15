"""A ledger that was restored from an older backup: the engine has gone on, and says what came of the jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from domain.job import Status
from tests.engine.test_disagreements import strays
from tests.engine.test_reconcile import compared, found
from tests.support.stack_parts import Parts, steps_of, until
from tests.support.toys import Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")
TABLES = ("jobs", "job_steps", "job_events", "idempotency_keys", "reports")
SAID = {"said": ["said one", "said two", "said three"], "answeredBy": None}
ALL_DONE = [("one", "completed"), ("two", "completed"), ("three", "completed")]


async def back_up(parts: Parts) -> None:
    for table in TABLES:
        await parts.database.execute(f"CREATE TABLE old_{table} AS TABLE {table}")


async def restore(parts: Parts) -> None:
    await parts.database.execute("TRUNCATE jobs, reports CASCADE")
    for table in TABLES:
        await parts.database.execute(f"INSERT INTO {table} TABLE old_{table}")


def gate() -> tuple[asyncio.Event, Callable[[], Awaitable[str]]]:
    opened = asyncio.Event()

    async def wait() -> str:
        await opened.wait()
        return "said two"

    return opened, wait


async def known_to_engine(parts: Parts, status: str, *job_ids: UUID) -> None:
    """Wait until the engine lists them so."""

    async def listed() -> bool:
        query = f"ExecutionStatus = '{status}'"
        return {str(job_id) for job_id in job_ids} <= {run.id async for run in parts.client.list_workflows(query)}

    await until(listed)


async def test_what_came_of_the_jobs_meanwhile_is_taken_over(parts: Parts, toys: Toys) -> None:
    opened, wait = gate()
    toys.on("two", wait)
    running = await parts.submit("toy")
    await parts.dispatcher.turn()
    async with parts.working():
        await parts.started(running, "two")
        queued = await parts.submit("toy")
        await back_up(parts)
        opened.set()
        unknown = await parts.submit("toy")
        await parts.dispatcher.turn()
        for job_id in (running, queued, unknown):
            assert (await parts.ended(job_id)).status == Status.COMPLETED
            await parts.closed(job_id)
    await restore(parts)
    assert (await parts.row(running)).status == Status.RUNNING
    await known_to_engine(parts, "Completed", running, queued, unknown)
    report = await compared(parts)
    for job_id in (running, queued):
        assert found(report, job_id) == ["closed"]
        row = await parts.row(job_id)
        assert (row.status, row.result, steps_of(row)) == (Status.COMPLETED, SAID, ALL_DONE)
        events = await parts.events.after(job_id)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert events[-1].data["status"] == "completed"
    outputs = "SELECT array_agg(output ORDER BY started_at) AS said FROM job_steps WHERE job_id = $1"
    taken = await parts.database.row(outputs, queued)
    assert taken is not None
    assert taken["said"] == SAID["said"]
    assert strays(report, unknown) == ["it has ended, and the ledger has no such job"]
    assert (report["closed"], report["mended"]) == (2, 2)
    assert (await compared(parts))["mended"] == 0


async def test_what_still_runs_is_adopted_and_ends_in_its_row(parts: Parts, toys: Toys) -> None:
    """The backup has it waiting: it is not started a second time."""
    opened, wait = gate()
    toys.on("two", *[wait] * 6)  # an attempt that waits for more than 20 s is made again
    queued = await parts.submit("toy")
    await back_up(parts)
    unknown = await parts.submit("toy")
    await parts.dispatcher.turn()
    async with parts.working():
        for job_id in (queued, unknown):
            await parts.started(job_id, "two")
        await restore(parts)
        await known_to_engine(parts, "Running", queued, unknown)

        reports: list[dict[str, Any]] = []

        async def seen() -> bool:
            reports.append(await compared(parts))
            return bool(strays(reports[-1], unknown) and adopted())

        def adopted() -> list[list[str]]:
            return [what for report in reports if (what := found(report, queued))]

        await until(seen)  # what began a moment ago is left alone, each for itself
        assert adopted() == [["adopted"]]
        assert strays(reports[-1], unknown) == ["it runs, and the ledger has no such job"]
        assert not (await parts.dispatch.claim(10)).starts
        opened.set()
        row = await parts.ended(queued)
        await parts.closed(unknown)  # it finds that there is no such job
    assert (row.status, row.result) == (Status.COMPLETED, SAID)
    assert toys.calls.count("one") == 2
