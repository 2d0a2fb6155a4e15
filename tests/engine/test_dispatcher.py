"""One turn of the dispatcher, with the engine up, down, and slow to hear."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.job import Job, Status
from engine.connect import connect
from engine.dispatcher import Dispatcher
from engine.plugin import plugin
from engine.start import QUEUE, start
from engine.submit import Submission
from ledger.dispatch import Dispatch, Turn
from local import ports
from tests.support.stack_parts import Parts

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def execution(parts: Parts, job_id: UUID) -> WorkflowExecutionStatus | None:
    return (await parts.client.get_workflow_handle(str(job_id)).describe()).status


async def asked_to_cancel(parts: Parts, job_id: UUID) -> bool:
    events = (await parts.client.get_workflow_handle(str(job_id)).fetch_history()).events
    return any(event.HasField("workflow_execution_cancel_requested_event_attributes") for event in events)


async def test_a_turn_starts_what_is_due_and_marks_it(parts: Parts) -> None:
    job_id = await parts.submit("toy", owner="alice", tier="premium")
    assert not await parts.dispatcher.turn()
    assert await execution(parts, job_id) == WorkflowExecutionStatus.RUNNING
    row = await parts.row(job_id)
    assert (row.status, row.engine_started_at is not None) == (Status.QUEUED, True)
    described = await parts.client.get_workflow_handle(str(job_id)).describe()
    assert described.workflow_type == "toy"
    assert await described.static_summary() == "Play toy"
    assert not (await parts.dispatch.claim(10)).starts


async def test_a_full_turn_says_that_there_may_be_more(parts: Parts) -> None:
    for _ in range(21):
        await parts.submit("toy")
    assert await parts.dispatcher.turn()
    assert not await parts.dispatcher.turn()


async def test_a_turn_without_an_engine_keeps_the_claim_and_a_later_one_starts(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    nowhere = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free()}"}, plugin())
    assert not await Dispatcher(nowhere, parts.dispatch, parts.jobs, parts.notices).turn()
    row = await parts.row(job_id)
    assert (row.status, row.engine_started_at) == (Status.QUEUED, None)
    # nobody may end the row now: the start may have been heard after all
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    assert (await parts.row(job_id)).status == Status.QUEUED
    await parts.dispatch.later([job_id], 0)
    await parts.dispatcher.turn()
    assert (await parts.row(job_id)).status == Status.CANCELED


async def test_a_job_waits_out_an_engine_that_is_down(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    nowhere = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free()}"}, plugin())
    await Dispatcher(nowhere, parts.dispatch, parts.jobs, parts.notices).turn()
    await parts.dispatch.later([job_id], 0)
    await parts.dispatcher.turn()
    assert await execution(parts, job_id) == WorkflowExecutionStatus.RUNNING


async def test_what_was_started_already_is_adopted(parts: Parts) -> None:
    """The process that started it died before it could say so."""
    job_id = await parts.submit("toy")
    [row] = (await parts.dispatch.claim(1)).starts
    await start(parts.client, row)
    run = (await parts.client.get_workflow_handle(str(job_id)).describe()).run_id
    await parts.dispatch.later([job_id], 0)
    await parts.dispatcher.turn()
    assert (await parts.row(job_id)).engine_started_at is not None
    assert (await parts.client.get_workflow_handle(str(job_id)).describe()).run_id == run


async def test_what_has_ended_already_never_runs_twice(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    [row] = (await parts.dispatch.claim(1)).starts
    await start(parts.client, row)
    await parts.client.get_workflow_handle(str(job_id)).terminate()
    await parts.dispatch.later([job_id], 0)
    await parts.dispatcher.turn()
    assert (await parts.row(job_id)).engine_started_at is not None
    assert await execution(parts, job_id) == WorkflowExecutionStatus.TERMINATED


class CanceledMeanwhile(Dispatch):
    """Somebody cancels each job between its claim and its start; `hears` is what the reread after the start is for."""

    def __init__(self, parts: Parts, *, hears: bool) -> None:
        super().__init__(parts.database)
        self._parts, self._hears = parts, hears

    async def claim(self, at_most: int) -> Turn:
        turn = await super().claim(at_most)
        for row in turn.starts:
            assert await self._parts.jobs.cancel(row.id, reason=None, by="alice")
        return turn

    async def started(self, job_ids: Sequence[UUID]) -> Sequence[UUID]:
        heard = await super().started(job_ids)
        return heard if self._hears else []


@pytest.mark.parametrize("hears", [True, False])
async def test_a_cancel_between_claim_and_start_is_carried(parts: Parts, hears: bool) -> None:
    """And without the reread it is not: the turn after it has to."""
    job_id = await parts.submit("toy")
    await Dispatcher(parts.client, CanceledMeanwhile(parts, hears=hears), parts.jobs, parts.notices).turn()
    assert await execution(parts, job_id) == WorkflowExecutionStatus.RUNNING
    assert await asked_to_cancel(parts, job_id) == hears
    await parts.dispatcher.turn()
    assert await asked_to_cancel(parts, job_id)
    assert not (await parts.dispatch.claim(10)).cancels


async def test_a_cancel_of_a_job_that_runs_is_carried_once(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    await parts.dispatcher.turn()
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    await parts.dispatcher.turn()
    assert await asked_to_cancel(parts, job_id)
    assert not (await parts.dispatch.claim(10)).cancels


async def test_a_cancel_waits_for_an_execution_that_is_yet_to_begin(parts: Parts) -> None:
    """A child's row is there before its execution: the cancel is told again until somebody hears it."""
    parent = await parts.submit("toy-parent")
    await parts.dispatcher.turn()
    [opened] = await parts.submitter.submit([Submission("toy", {})], child_of=parent)
    assert await parts.jobs.cancel(opened.id, reason=None, by="alice")
    await parts.dispatcher.turn()
    row = await parts.row(opened.id)
    assert row.status == Status.QUEUED
    await parts.client.start_workflow(
        "toy", Job[Any](id=row.id, kind="toy", payload={}), id=str(row.id), task_queue=QUEUE
    )
    await parts.dispatch.later([opened.id], 0)
    await parts.dispatcher.turn()
    assert await asked_to_cancel(parts, opened.id)


async def test_one_row_that_cannot_be_started_keeps_no_other_from_being_marked(parts: Parts) -> None:
    bad, good = await parts.submit("toy"), await parts.submit("toy")
    await parts.database.execute("""UPDATE jobs SET plan = '["nonsense"]' WHERE id = $1""", bad)
    await parts.dispatcher.turn()
    row = await parts.database.row("SELECT engine_started_at FROM jobs WHERE id = $1", good)
    assert row is not None
    assert row["engine_started_at"] is not None
