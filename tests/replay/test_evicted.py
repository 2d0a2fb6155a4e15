"""Workers that have room for one workflow forget and replay all the others, all the time."""

import asyncio
import logging
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.job import Status
from ledger.database import Database
from tests.support.proxy import TcpProxy
from tests.support.stack_parts import Parts, stack, steps_of, until
from tests.support.toys import Toys

WORKER_LOG = "temporalio.worker._workflow"
FINISH = b'"said":["said one"'


class Forgotten:
    """What the worker says about evictions."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, WORKER_LOG)
        self._caplog = caplog

    async def times(self, parts: Parts, job_id: UUID) -> int:
        run = (await parts.client.get_workflow_handle(str(job_id)).describe()).run_id
        return self._said(f"Evicting workflow with run ID {run}")

    async def more_than(self, before: int, parts: Parts, job_id: UUID) -> None:
        """Wait until the job's workflow has been evicted that often and once more."""

        async def forgotten() -> bool:
            return await self.times(parts, job_id) > before

        await until(forgotten)

    def failed(self) -> list[str]:
        records = [record for record in self._caplog.records if record.name.startswith("temporalio.worker")]
        return [record.message for record in records if record.levelno >= logging.ERROR]

    def _said(self, words: str) -> int:
        return sum(words in record.getMessage() for record in self._caplog.records if record.name == WORKER_LOG)


async def heard_of_cancel(parts: Parts, job_id: UUID) -> bool:
    """Whether a worker has had the workflow in hand since: before that, others may be what it forgets."""
    history = await parts.client.get_workflow_handle(str(job_id)).fetch_history()
    asked = [event.HasField("workflow_execution_cancel_requested_event_attributes") for event in history.events]
    since = history.events[asked.index(True) :] if any(asked) else []
    return any(event.HasField("workflow_task_completed_event_attributes") for event in since)


@pytest.fixture
def forgotten(caplog: pytest.LogCaptureFixture) -> Forgotten:
    return Forgotten(caplog)


async def test_jobs_that_are_forgotten_all_the_time_end_right(
    database: Database, engine_env: dict[str, str], forgotten: Forgotten
) -> None:
    toys, gate = Toys(), asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "said two"

    async with stack(database, engine_env, [toys.work]) as parts:
        async with parts.dispatching(), parts.working(max_cached_workflows=1):
            toys.on("two", *[wait] * 6)
            canceled, *others = [await parts.submit("toy") for _ in range(6)]
            for job_id in (canceled, *others):
                await parts.started(job_id, "two")
            assert sum([await forgotten.times(parts, job_id) > 0 for job_id in (canceled, *others)]) >= 5
            # it may be the one that there was room for
            await parts.client.get_workflow_handle(str(others[0])).query("progress")
            await forgotten.more_than(0, parts, canceled)
            assert await parts.jobs.cancel(canceled, reason=None, by="alice")
            assert (await parts.ended(canceled)).status == Status.CANCELED
            gate.set()
            rows = [await parts.ended(job_id) for job_id in others]
        assert await parts.closed(canceled) == WorkflowExecutionStatus.CANCELED
        for row in rows:
            assert row.status == Status.COMPLETED
            assert row.result["said"] == ["said one", "said two", "said three"]
            assert await parts.closed(row.id) == WorkflowExecutionStatus.COMPLETED
    assert sorted(toys.calls) == sorted(["one", "two"] * 6 + ["three"] * 5)
    assert forgotten.failed() == []


async def test_an_end_that_waits_is_forgotten_and_canceled_and_stopped_and_written_all_the_same(
    postgres_url: str, database: Database, engine_env: dict[str, str], forgotten: Forgotten
) -> None:
    """The shield around the end holds cancels off; evictions and the end of the worker pass through it."""
    toys = Toys()
    async with TcpProxy.to(postgres_url) as proxy:
        opened = stack(database, engine_env, [toys.work], worker_url=proxy.url(database.dsn))
        async with opened as parts, parts.dispatching():
            async with parts.working(max_cached_workflows=1):
                held = proxy.hold_at(FINISH)
                job_id = await parts.submit("toy")
                await held.wait()
                proxy.refuse()
                await parts.happened(
                    job_id, lambda event: event.activity_task_scheduled_event_attributes.activity_type.name == "finish"
                )
                before = await forgotten.times(parts, job_id)
                others = [await parts.submit("toy")]
                await forgotten.more_than(before, parts, job_id)
                assert await parts.jobs.cancel(job_id, reason=None, by="alice")
                await until(lambda: heard_of_cancel(parts, job_id))
                before = await forgotten.times(parts, job_id)
                others.append(await parts.submit("toy"))
                await forgotten.more_than(before, parts, job_id)
            await proxy.release()
            async with parts.working():
                row = await parts.ended(job_id)
                assert await parts.closed(job_id) == WorkflowExecutionStatus.COMPLETED
                rows = [row, *[await parts.ended(other) for other in others]]
    assert [row.status for row in rows] == [Status.COMPLETED] * 3
    assert all(status == "completed" for row in rows for _, status in steps_of(row))
    assert forgotten.failed() == []
