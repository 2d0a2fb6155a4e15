"""An execution that ended although the ledger heard nothing of it: the reconciler writes the end it had."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from domain.job import Failure, Status
from engine.start import QUEUE
from ledger.rows import JobRow
from tests.support.stack_parts import Parts

pytestmark = pytest.mark.asyncio(loop_scope="module")


@workflow.defn(name="toy", sandboxed=False)
class Silent:
    """A toy's workflow that tells the ledger nothing, as after a restore of the ledger from a backup."""

    @workflow.run
    async def run(self, job: dict[str, Any]) -> dict[str, Any]:
        [how] = job["payload"]["skip"]
        if how == "again":
            workflow.continue_as_new({**job, "payload": {"skip": ["answer"]}})
        if how == "fail":
            raise ApplicationError("cannot be done", type="hopeless", non_retryable=True)
        await workflow.wait_condition(lambda: how == "answer")
        return {"said": ["all"], "answeredBy": "offline"}


Handle = WorkflowHandle[Any, Any]


async def closed_silently(
    parts: Parts, how: str, then: Callable[[Handle], Coroutine[Any, Any, None]] | None = None
) -> JobRow:
    """The job's row once the execution has ended and was compared with it."""
    job_id = await parts.submit("toy", {"skip": [how]})
    await parts.dispatcher.turn()
    async with Worker(parts.client, task_queue=QUEUE, workflows=[Silent]):
        if then is not None:
            await then(parts.client.get_workflow_handle(str(job_id)))
        await parts.closed(job_id)
        assert not (await parts.row(job_id)).status.terminal
        await parts.database.execute("UPDATE jobs SET engine_started_at = now() - interval '1 minute'")
        await parts.reconciler.run()
    return await parts.row(job_id)


@pytest.mark.parametrize("how", ["answer", "again"])
async def test_a_completed_one_gives_its_result(parts: Parts, how: str) -> None:
    row = await closed_silently(parts, how)
    assert (row.status, row.error) == (Status.COMPLETED, None)
    assert row.result == {"said": ["all"], "answeredBy": "offline"}
    assert row.answered_by == "offline"


async def test_a_failed_one_says_why(parts: Parts) -> None:
    row = await closed_silently(parts, "fail")
    assert row.status == Status.FAILED
    assert row.error == Failure(code="hopeless", message="cannot be done")


async def test_a_canceled_one_says_by_whom(parts: Parts) -> None:
    row = await closed_silently(parts, "wait", lambda handle: handle.cancel())
    assert (row.status, row.error) == (Status.CANCELED, None)
    assert row.cancel_requested_by == parts.client.identity


async def test_one_that_was_canceled_here_keeps_who_asked(parts: Parts) -> None:
    async def ask(handle: Handle) -> None:
        assert await parts.jobs.cancel(UUID(handle.id), reason="enough", by="alice")
        await parts.dispatcher.turn()

    row = await closed_silently(parts, "wait", ask)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice")


async def test_comparing_again_changes_nothing(parts: Parts) -> None:
    row = await closed_silently(parts, "answer")
    assert (await parts.reconciler.run())["mended"] == 0
    assert await parts.row(row.id) == row
