"""Ledger and engine compared: what ended behind our back is closed, what runs is adopted, nothing is restarted."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import (
    DescribeWorkflowInput,
    Interceptor,
    OutboundInterceptor,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.plugin import SimplePlugin

from api.upkeep import Report
from domain.errors import EngineUnavailable, JobNotFound
from domain.job import Job, Status
from engine.connect import connect
from engine.history import who_ended
from engine.plugin import plugin
from engine.query import live_progress
from engine.reconcile import REPORT, Reconciler
from engine.schedules import RECONCILE, keep_reconciling
from engine.start import QUEUE, start
from engine.submit import Submission
from local import ports
from tests.support.stack_parts import Parts, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHORT = timedelta(seconds=1)


async def settle(parts: Parts) -> None:
    """As if every claim and start were a minute ago: what is fresh is left alone."""
    await parts.database.execute(
        """UPDATE jobs SET engine_started_at = engine_started_at - interval '1 minute',
            claimed_until = claimed_until - interval '1 minute'"""
    )


async def begun(parts: Parts, kind: str = "toy") -> UUID:
    job_id = await parts.submit(kind)
    await parts.dispatcher.turn()
    return job_id


async def compared(parts: Parts) -> dict[str, Any]:
    await settle(parts)
    report = await parts.reconciler.run()
    Report.model_validate(report)  # as it is described to those who ask for it
    assert set(report) == set(Report.model_json_schema()["properties"])
    return report


def found(report: dict[str, Any], job_id: UUID) -> list[str]:
    return [one["action"] for one in report["orphanedJobs"] if one["jobId"] == str(job_id)]


async def test_what_was_terminated_from_outside_is_canceled_and_says_by_whom(parts: Parts) -> None:
    job_id = await begun(parts)
    await parts.client.get_workflow_handle(str(job_id)).terminate(reason="enough")
    await parts.closed(job_id)
    report = await compared(parts)
    row = await parts.row(job_id)
    assert row.status == Status.CANCELED
    assert row.error is not None
    assert row.error.code == "terminated"
    assert row.cancel_requested_by == parts.client.identity == await who_ended(parts.client, job_id)
    assert (found(report, job_id), report["closed"]) == (["closed"], 1)
    told = [event.data for event in await parts.events.after(job_id)]
    assert told[-1]["by"] == parts.client.identity


async def test_what_ran_out_of_the_engines_time_is_timed_out(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    [row] = (await parts.dispatch.claim(1)).starts
    await parts.client.start_workflow(
        "toy", Job[Any](id=row.id, kind="toy", payload={}), id=str(job_id), task_queue=QUEUE, execution_timeout=SHORT
    )
    await parts.dispatch.started([job_id])
    assert await parts.closed(job_id) == WorkflowExecutionStatus.TIMED_OUT
    await compared(parts)
    assert (await parts.row(job_id)).status == Status.TIMED_OUT


async def test_an_execution_that_is_lost_fails_its_job_and_is_not_restarted(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    await parts.dispatch.started([job_id])
    await compared(parts)
    row = await parts.row(job_id)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error.code == "engine_lost"
    assert not (await parts.dispatch.claim(10)).starts
    with pytest.raises(JobNotFound):
        await live_progress(parts.client, job_id)


async def test_what_nobody_marked_yet_is_left_to_the_dispatcher(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    await parts.dispatch.claim(1)
    await compared(parts)
    assert (await parts.row(job_id)).status == Status.QUEUED
    await parts.dispatcher.turn()
    assert (await parts.row(job_id)).engine_started_at is not None


async def test_what_runs_unmarked_is_adopted(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    [row] = (await parts.dispatch.claim(1)).starts
    await start(parts.client, row)
    report = await compared(parts)
    assert found(report, job_id) == ["adopted"]
    assert (await parts.row(job_id)).engine_started_at is not None


async def test_a_child_that_its_parent_has_yet_to_start_is_left_to_the_parent(parts: Parts) -> None:
    parent = await begun(parts, "toy-parent")
    [child] = await parts.submitter.submit([Submission("toy", {})], child_of=parent)
    await compared(parts)
    assert (await parts.row(child.id)).status == Status.QUEUED
    await parts.client.get_workflow_handle(str(parent)).terminate()
    await compared(parts)
    await compared(parts)
    assert (await parts.row(child.id)).status == Status.FAILED


async def test_what_runs_and_is_known_is_left_alone_and_the_report_kept(parts: Parts) -> None:
    job_id = await begun(parts)
    report = await compared(parts)
    assert (report["checked"], report["mended"], report["orphanedJobs"]) == (1, 0, [])
    assert (await parts.row(job_id)).status == Status.QUEUED
    kept = await parts.reports.last(REPORT)
    assert kept is not None
    assert kept[1] == report


class Describes(Interceptor):
    """Counts how often the engine is asked about one execution."""

    count = 0

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Counted(next, self)


class _Counted(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, describes: Describes) -> None:  # noqa: A002
        super().__init__(next)
        self._describes = describes

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:  # noqa: A002
        self._describes.count += 1
        return await super().describe_workflow(input)


async def test_only_what_does_not_fit_is_asked_for_one_by_one(parts: Parts) -> None:
    ids = [await begun(parts) for _ in range(30)]
    await until(lambda: listed_as_running(parts, 30))
    describes = Describes()
    client = await connect(parts.engine_env, plugin(), SimplePlugin("counting", interceptors=[describes]))
    reconciler = Reconciler(client, parts.jobs, parts.dispatch, parts.reports, parts.catalog)
    await settle(parts)
    assert ((await reconciler.run())["checked"], describes.count) == (30, 0)
    for job_id in ids[:3]:
        await parts.client.get_workflow_handle(str(job_id)).terminate()
    await until(lambda: listed_as_running(parts, 27))
    assert ((await reconciler.run())["closed"], describes.count) == (3, 3)


async def listed_as_running(parts: Parts, how_many: int) -> bool:
    return (await parts.client.count_workflows("ExecutionStatus = 'Running'")).count == how_many


async def test_executions_that_the_ledger_does_not_know_are_named(parts: Parts) -> None:
    stray, foreign = str(uuid4()), "not-an-id"
    for name in (stray, foreign):
        await parts.client.start_workflow(
            "toy", Job[Any](id=uuid4(), kind="toy", payload={}), id=name, task_queue=QUEUE
        )

    async def listed() -> set[str]:
        report = await parts.reconciler.run()
        named = {one["workflowId"] for one in report["orphanedExecutions"]}
        return named if len(named) == 2 else set()

    assert await until(listed) == {stray, foreign}  # visibility follows within moments


async def test_without_an_engine_nothing_is_closed(parts: Parts) -> None:
    job_id = await begun(parts)
    nowhere = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free()}"}, plugin())
    await settle(parts)
    with pytest.raises(EngineUnavailable):
        await Reconciler(nowhere, parts.jobs, parts.dispatch, parts.reports, parts.catalog).run()
    assert (await parts.row(job_id)).status == Status.QUEUED


async def test_who_ended_is_nobody_while_nobody_did(parts: Parts) -> None:
    job_id = await begun(parts)
    assert await who_ended(parts.client, job_id) is None
    assert await who_ended(parts.client, uuid4()) is None
    await parts.client.get_workflow_handle(str(job_id)).cancel()
    assert await who_ended(parts.client, job_id) == parts.client.identity


async def test_a_question_to_a_workflow_without_a_worker_is_given_up_after_two_seconds(parts: Parts) -> None:
    job_id = await begun(parts)
    began = asyncio.get_running_loop().time()
    with pytest.raises(EngineUnavailable):
        await live_progress(parts.client, job_id)
    assert 1 < asyncio.get_running_loop().time() - began < 4


async def test_a_question_to_an_engine_that_is_down_is_given_up_too() -> None:
    nowhere = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free()}"}, plugin())
    with pytest.raises(EngineUnavailable):
        await live_progress(nowhere, uuid4())


async def test_the_schedule_that_compares_is_made_once(parts: Parts) -> None:
    await asyncio.gather(*(keep_reconciling(parts.client) for _ in range(3)))
    described = await parts.client.get_schedule_handle(RECONCILE).describe()
    assert described.schedule.spec.intervals[0].every.total_seconds() == 300
    await keep_reconciling(parts.client)
    async with parts.working():
        await parts.client.get_schedule_handle(RECONCILE).trigger()

        async def reported() -> bool:
            return await parts.reports.last(REPORT) is not None

        async def fired() -> Sequence[ScheduleActionResult]:
            return (await parts.client.get_schedule_handle(RECONCILE).describe()).info.recent_actions

        await until(reported)
        # noted a moment after; one more where a five minutes' mark has just passed
        run = (await until(fired))[-1]
        assert isinstance(run.action, ScheduleActionExecutionStartWorkflow)
        counts = await parts.client.get_workflow_handle(run.action.workflow_id).result()
        assert set(counts) == {"startedAt", "finishedAt", "checked", "started", "closed", "mended"}
