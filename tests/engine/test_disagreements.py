"""The ways in which ledger and engine may come to disagree, one by one, and what one comparison makes of each."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    WorkflowExecutionStatus,
)
from temporalio.worker import Worker

from domain.job import Outcome, Status
from domain.schedule import Fire
from engine.history import described
from engine.reconcile import Reconciler
from engine.start import QUEUE, start
from engine.submit import Submission
from ledger.jobs import JobFilter
from ledger.reports import DoneStep, Reports
from ledger.rows import JobRow
from ledger.schedules import Schedules
from ledger.steps import Delivery
from tests.engine.test_ended import Silent
from tests.engine.test_reconcile import begun, compared, found, settle
from tests.support.stack_parts import Parts, steps_of, until
from tests.support.toys import Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEDULE = """INSERT INTO schedules (id, kind, payload, cron, timezone, overlap, catchup_window, mark, engine_digest)
    VALUES ($1, 'toy', '{}', '0 3 * * *', 'UTC', 'skip', '1m', '', '')"""


def strays(report: dict[str, Any], job_id: UUID) -> list[str]:
    return [one["reason"] for one in report["orphanedExecutions"] if one["workflowId"] == str(job_id)]


async def lost(parts: Parts, job_id: UUID) -> str | None:
    """The code of its failure, once the engine knows nothing of it any more and that was noticed."""
    await until(lambda: unknown(parts, job_id))
    assert found(await compared(parts), job_id) == ["closed"]
    row = await parts.row(job_id)
    assert row.status == Status.FAILED
    assert row.error is not None
    return row.error.code


async def unknown(parts: Parts, workflow_id: UUID) -> bool:
    listed = parts.client.list_workflows(f"WorkflowId = '{workflow_id}' AND ExecutionStatus = 'Running'")
    return [one async for one in listed] == [] and await described(parts.client, str(workflow_id)) is None


async def delete(parts: Parts, job_id: UUID) -> None:
    """As `temporal workflow delete` does, and the end of the namespace's retention."""
    await parts.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=parts.client.namespace, workflow_execution=WorkflowExecution(workflow_id=str(job_id))
        )
    )


async def reset(parts: Parts, job_id: UUID) -> str:
    """Back to its first workflow task, as `temporal workflow reset` does; answers with the new run's id."""
    handle = parts.client.get_workflow_handle(str(job_id))
    events = (await handle.fetch_history()).events
    [first, *_] = [event.event_id for event in events if event.HasField("workflow_task_completed_event_attributes")]
    answer = await parts.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=parts.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=str(job_id), run_id=(await handle.describe()).run_id),
            reason="again",
            workflow_task_finish_event_id=first,
            request_id=str(uuid4()),
        )
    )
    return answer.run_id


def ended_as(row: JobRow) -> tuple[Any, ...]:
    return row.status, row.result, row.error, row.finished_at, row.steps, row.event_seq


async def listed(parts: Parts, job_id: UUID, run_id: str, status: str = "RUNNING") -> None:
    """Wait until the engine lists that run so: what it lists is a moment old."""

    async def is_listed() -> bool:
        runs = parts.client.list_workflows(f"WorkflowId = '{job_id}'")
        return any([run.run_id == run_id and run.status and run.status.name == status async for run in runs])

    await until(is_listed)


async def silently(parts: Parts, how: str) -> UUID:
    """A job whose execution has ended so, and whose row knows nothing of it."""
    job_id = await parts.submit("toy", {"skip": [how]})
    await parts.dispatcher.turn()
    async with Worker(parts.client, task_queue=QUEUE, workflows=[Silent]):
        await parts.closed(job_id)
    return job_id


async def test_an_execution_deleted_while_it_runs_fails_its_job(shared: Parts) -> None:
    job_id = await begun(shared)
    await delete(shared, job_id)
    assert await lost(shared, job_id) == "engine_lost"


async def test_an_execution_that_is_long_forgotten_fails_its_job_and_what_was_done_stays(shared: Parts) -> None:
    """The namespace's retention was over before anybody compared."""
    job_id = await shared.submit("toy")
    await shared.dispatch.started([job_id])
    done = Delivery(job_id, "one", datetime.now(UTC), 1)
    await shared.steps.start(done)
    await shared.steps.end(done, "completed", output='"said one"')
    await shared.steps.start(Delivery(job_id, "two", datetime.now(UTC), 1))
    assert await lost(shared, job_id) == "engine_lost"
    assert steps_of(await shared.row(job_id)) == [("one", "completed"), ("two", "failed"), ("three", "skipped")]


async def test_what_began_in_the_hands_of_a_process_that_died_and_is_lost_fails(shared: Parts) -> None:
    """Nobody marked it, but a step of it ran: the dispatcher starts nothing anew that has run."""
    job_id = await shared.submit("toy")
    [row] = (await shared.dispatch.claim(1)).starts
    await start(shared.client, row)
    await shared.database.execute("UPDATE jobs SET status = 'running', started_at = now() WHERE id = $1", job_id)
    await delete(shared, job_id)
    assert await lost(shared, job_id) == "engine_lost"


async def test_something_else_under_the_jobs_id_is_not_its_execution(shared: Parts) -> None:
    job_id = await shared.submit("toy")
    await shared.client.start_workflow("somebody-elses", id=str(job_id), task_queue="elsewhere")
    await shared.dispatcher.turn()
    assert found(await compared(shared), job_id) == ["closed"]
    row = await shared.row(job_id)
    assert row.error is not None
    assert "something else" in row.error.message


async def test_a_lost_one_that_was_to_be_canceled_is_canceled(shared: Parts) -> None:
    job_id = await begun(shared)
    assert await shared.jobs.cancel(job_id, reason=None, by="alice")
    await delete(shared, job_id)
    await until(lambda: unknown(shared, job_id))
    assert found(await compared(shared), job_id) == ["closed"]
    row = await shared.row(job_id)
    assert (row.status, row.cancel_requested_by, row.error) == (Status.CANCELED, "alice", None)


async def test_a_cancel_that_was_never_carried_is_carried_once_the_job_is_adopted(shared: Parts) -> None:
    job_id = await shared.submit("toy")
    [row] = (await shared.dispatch.claim(1)).starts
    await start(shared.client, row)
    assert await shared.jobs.cancel(job_id, reason=None, by="alice")
    assert found(await compared(shared), job_id) == ["adopted"]
    assert job_id in (await shared.dispatch.claim(10)).cancels


async def test_an_open_job_that_is_reset_goes_on_in_its_row(parts: Parts, toys: Toys) -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "two at last"

    toys.on("two", *[wait] * 6)  # an attempt that waits for more than 20 s is made again
    job_id = await parts.submit("toy")
    await parts.dispatcher.turn()
    async with parts.working():
        await parts.started(job_id, "two")
        run = await reset(parts, job_id)
        await listed(parts, job_id, run)
        report = await compared(parts)
        assert (report["mended"], found(report, job_id), strays(report, job_id)) == (0, [], [])
        gate.set()
        row = await parts.ended(job_id)
    assert (row.status, row.result["said"]) == (Status.COMPLETED, ["said one", "two at last", "said three"])
    assert toys.calls.count("one") == 1  # what was done is not done again


async def test_a_reset_of_an_ended_job_is_terminated_and_reported(parts: Parts) -> None:
    job_id = await silently(parts, "answer")
    await compared(parts)
    before = await parts.row(job_id)
    assert before.status == Status.COMPLETED
    run = await reset(parts, job_id)
    await listed(parts, job_id, run)
    report = await compared(parts)
    assert strays(report, job_id) == ["it was reset after its job had ended (completed); terminated"]
    assert report["mended"] == 1
    assert await parts.closed(job_id) == WorkflowExecutionStatus.TERMINATED
    assert ended_as(await parts.row(job_id)) == ended_as(before)
    assert (await compared(parts))["mended"] == 0


async def test_a_reset_of_an_ended_job_does_nothing_again(parts: Parts, toys: Toys) -> None:
    async with parts.working():
        job_id = await parts.submit("toy")
        await parts.dispatcher.turn()
        before = await parts.ended(job_id)
        await parts.closed(job_id)
        run = await reset(parts, job_id)
        assert await parts.closed(job_id) == WorkflowExecutionStatus.COMPLETED  # with the result that stands
        await listed(parts, job_id, run, "COMPLETED")
        report = await compared(parts)
    assert ended_as(await parts.row(job_id)) == ended_as(before)
    assert toys.calls == ["one", "two", "three"]
    assert report["mended"] == 0


async def test_what_goes_on_long_after_its_jobs_end_is_terminated(shared: Parts) -> None:
    """And what has only just ended is left to end by itself."""
    just, long_ago = await begun(shared), await begun(shared)
    for job_id in (just, long_ago):
        await shared.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED))
        await listed(shared, job_id, (await shared.client.get_workflow_handle(str(job_id)).describe()).run_id)
    await shared.database.execute(
        "UPDATE jobs SET finished_at = finished_at - interval '20 minutes' WHERE id = $1", long_ago
    )
    report = await compared(shared)
    assert (strays(report, just), len(strays(report, long_ago))) == ([], 1)
    assert await shared.closed(long_ago) == WorkflowExecutionStatus.TERMINATED
    assert (await shared.client.get_workflow_handle(str(just)).describe()).status == WorkflowExecutionStatus.RUNNING


async def test_a_job_that_went_on_as_a_new_run_is_left_alone(parts: Parts, toys: Toys) -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "went round"

    toys.on("round#3", wait)
    job_id = await parts.submit("toy-rounds", {"left": 3, "perRun": 2})
    await parts.dispatcher.turn()
    async with parts.working():
        await until(lambda: _called(toys, "round#3"))
        assert (await compared(parts))["mended"] == 0
        gate.set()
        assert (await parts.ended(job_id)).status == Status.COMPLETED


async def _called(toys: Toys, activity_id: str) -> bool:
    return activity_id in toys.calls


async def test_a_parent_whose_child_is_gone_hears_of_it(parts: Parts, toys: Toys) -> None:
    """The engine tells the parent; the child's row is closed here."""

    async def wait() -> str:
        await asyncio.Event().wait()
        return "never"

    toys.on("one", wait)
    job_id = await parts.submit("toy-parent")
    await parts.dispatcher.turn()
    async with parts.working():
        child = await _child(parts, job_id)
        await parts.started(child, "one")
        await delete(parts, child)
        assert (await parts.ended(job_id)).status == Status.FAILED
        await until(lambda: unknown(parts, child))
        await compared(parts)
    assert (await parts.row(child)).status.terminal


async def _child(parts: Parts, parent: UUID) -> UUID:
    async def opened() -> Sequence[JobRow]:
        return await parts.jobs.list(JobFilter(parent_id=parent))

    [child] = await until(opened)
    return child.id


async def test_a_child_that_an_earlier_run_of_its_parent_opened_is_lost(shared: Parts) -> None:
    """The parent was reset: it draws other ids for its children now."""
    parent = await shared.submit("toy", {"skip": ["wait"]})
    await shared.dispatcher.turn()
    [child] = await shared.submitter.submit([Submission("toy", {})], child_of=parent)
    assert found(await compared(shared), child.id) == []
    async with Worker(shared.client, task_queue=QUEUE, workflows=[Silent]):
        await shared.happened(parent, lambda event: event.HasField("workflow_task_completed_event_attributes"))
    run = await reset(shared, parent)
    await listed(shared, parent, run)
    assert found(await compared(shared), child.id) == ["closed"]


async def test_a_job_whose_firing_was_terminated_before_it_began_is_lost(shared: Parts) -> None:
    """While the firing lives, the start of its job is left to it."""
    firing, job_id = f"nightly-{uuid4()}", await shared.submit("toy")
    await shared.client.start_workflow("fire-schedule", id=firing, task_queue=QUEUE)
    await shared.dispatch.started([job_id])
    await shared.database.execute(SCHEDULE, firing)
    noted = "INSERT INTO schedule_firings (job_id, schedule_id, workflow_id, due_at) VALUES ($1, $2, $2, now())"
    await shared.database.execute(noted, job_id, firing)
    assert found(await compared(shared), job_id) == []
    await shared.client.get_workflow_handle(firing).terminate()
    assert found(await compared(shared), job_id) == ["closed"]


async def test_a_job_whose_firing_is_terminated_while_it_runs_is_canceled(parts: Parts, toys: Toys) -> None:
    async def wait() -> str:
        await asyncio.Event().wait()
        return "never"

    toys.on("one", wait)
    firing = f"nightly-{uuid4()}"
    await parts.database.execute(SCHEDULE, firing)
    fire = Fire(schedule_id=firing, mark="")
    handle = await parts.client.start_workflow("fire-schedule", fire, id=firing, task_queue=QUEUE)

    async def begun() -> Sequence[JobRow]:
        return await parts.jobs.list(JobFilter(schedule_id=firing, status="running"))

    async with parts.working():
        [job] = await until(begun)
        await handle.terminate()
        assert (await parts.ended(job.id)).status == Status.CANCELED
        assert await parts.closed(job.id) == WorkflowExecutionStatus.CANCELED
        assert (await compared(parts))["mended"] == 0


async def test_steps_that_stayed_open_in_an_ended_job_are_closed(shared: Parts) -> None:
    job_id = await begun(shared)
    await shared.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED))
    await shared.database.execute(
        """INSERT INTO job_steps (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, started_at)
        VALUES ($1, 'one', 'one', 'running', now(), 1, 3, now())""",
        job_id,
    )
    assert found(await compared(shared), job_id) == ["steps_closed"]
    assert steps_of(await shared.row(job_id))[0] == ("one", "failed")
    assert found(await compared(shared), job_id) == []


async def test_schedules_are_compared_and_reported_too(shared: Parts) -> None:
    strange = f"somebody-elses-{uuid4()}"
    action = ScheduleActionStartWorkflow("theirs", id=strange, task_queue="elsewhere")
    handle = await shared.client.create_schedule(
        strange, Schedule(action, ScheduleSpec(), state=ScheduleState(paused=True))
    )
    known = Schedules(shared.database)
    reconciler = Reconciler(shared.client, shared.jobs, shared.dispatch, shared.reports, shared.catalog, known)

    async def named() -> list[str]:
        report = await reconciler.run()
        return [one["action"] for one in report["schedules"] if one["scheduleId"] == strange]

    assert await until(named) == ["left"]  # what the engine lists is a moment old
    await handle.delete()


async def test_two_comparisons_at_once_end_every_job_once(parts: Parts) -> None:
    ids = [await parts.submit("toy") for _ in range(20)]
    while await parts.dispatcher.turn():
        pass
    for job_id in ids:
        await parts.client.get_workflow_handle(str(job_id)).terminate()
    for job_id in ids:
        await parts.closed(job_id)
    await settle(parts)
    other = Reconciler(parts.client, parts.jobs, parts.dispatch, parts.reports, parts.catalog)
    await asyncio.gather(parts.reconciler.run(), other.run())
    for job_id in ids:
        assert (await parts.row(job_id)).status == Status.CANCELED
        told = [event.data.get("status") for event in await parts.events.after(job_id)]
        assert told.count("canceled") == 1
    assert (await compared(parts))["mended"] == 0


class TooLate(Reports):
    """The job ends between the engine's answer and what is made of it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.database)
        self._jobs = parts.jobs

    async def take_over(self, job_id: UUID, steps: Sequence[DoneStep]) -> None:
        await self._jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={"said": ["real"]}))
        await super().take_over(job_id, steps)


async def test_a_real_end_that_comes_meanwhile_stands(shared: Parts) -> None:
    job_id = await begun(shared)
    await shared.client.get_workflow_handle(str(job_id)).terminate()
    await shared.closed(job_id)
    await settle(shared)
    reports = TooLate(shared)
    report = await Reconciler(shared.client, shared.jobs, shared.dispatch, reports, shared.catalog).run()
    assert found(report, job_id) == []
    row = await shared.row(job_id)
    assert (row.status, row.result) == (Status.COMPLETED, {"said": ["real"]})


async def test_comparing_while_jobs_come_and_go_changes_none_of_them(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where nothing is left alone for being young."""
    monkeypatch.setattr("engine.reconcile.SETTLED", timedelta(0))
    over = asyncio.Event()

    async def compare_all_the_time() -> list[str]:
        said: list[str] = []
        while not over.is_set():
            said += [one["action"] for one in (await parts.reconciler.run())["orphanedJobs"]]
        return said

    async with parts.working(), parts.dispatching():
        comparing = asyncio.create_task(compare_all_the_time())
        rows = [await parts.ended(await parts.submit("toy")) for _ in range(4)]
        over.set()
        said = await comparing
    assert {(row.status, tuple(row.result["said"])) for row in rows} == {
        (Status.COMPLETED, ("said one", "said two", "said three"))
    }
    assert set(said) <= {"adopted"}


async def test_a_job_that_cannot_be_compared_keeps_no_other_from_it(
    shared: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = await begun(shared), await begun(shared)
    for job_id in (bad, good):
        await shared.client.get_workflow_handle(str(job_id)).terminate()
        await shared.closed(job_id)
    whole = Reports.take_over

    async def take_over(self: Reports, job_id: UUID, steps: Sequence[DoneStep]) -> None:
        if job_id == bad:
            raise ValueError("a history that nobody can read")
        await whole(self, job_id, steps)

    with monkeypatch.context() as patched:
        patched.setattr(Reports, "take_over", take_over)
        report = await compared(shared)
    assert (found(report, bad), found(report, good)) == (["none"], ["closed"])
    assert found(await compared(shared), bad) == ["closed"]
