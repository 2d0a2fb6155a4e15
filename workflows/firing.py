"""What a Temporal Schedule starts: one job of the ledger, run as a child, so that overlap acts on the job itself."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.common import SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError, TerminatedError
from temporalio.exceptions import TimeoutError as EngineTimeout

from workflows.failing import failure_of
from workflows.surely import LOCAL, ONCE, surely, whatever_comes

with workflow.unsafe.imports_passed_through():
    from activities.closing import Closing
    from activities.firing import Firing, FiringRequest
    from domain.job import Failure, Job, Outcome, Status
    from domain.schedule import Fire

# Temporal's own notes on what a schedule starts
SCHEDULE = SearchAttributeKey.for_keyword("TemporalScheduledById")
DUE_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
# as for any job: behind its own deadline, the engine's
NET = timedelta(minutes=10)


@workflow.defn(name="fire-schedule")
class FireSchedule:
    """One firing: it ends as its job ends, and its cancel is the job's."""

    @workflow.run
    async def run(self, fire: Fire | None = None) -> str:
        """The job's id. Without `fire` (somebody wrote over the schedule) Temporal knows which schedule it was."""
        asked = _request(fire)
        job = await whatever_comes(surely(Firing.open_firing, asked))
        try:
            await self._carried_out(job, asked)
        except (ChildWorkflowError, asyncio.CancelledError) as error:
            # the job has written its own end, unless it never began or was ended from outside
            await whatever_comes(surely(Closing.finish, _outcome(job.id, error)))
            raise
        return str(job.id)

    async def _carried_out(self, job: Job[Any], asked: FiringRequest) -> None:
        """Run the kind; a cancel is noted in the ledger before the job hears of it."""
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError
        running = asyncio.ensure_future(
            workflow.execute_child_workflow(
                job.kind,
                job,
                id=str(job.id),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                execution_timeout=job.max_duration + NET,
                static_summary=job.title or None,
                static_details=f"Job `{job.id}` · `GET /api/jobs/{job.id}`",
            )
        )
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            with suppress(FailureError):  # a ledger that is away is not waited for
                await workflow.execute_local_activity_method(
                    Firing.cancel_firing, asked, start_to_close_timeout=LOCAL, retry_policy=ONCE
                )
            running.cancel()
            await running


def _request(fire: Fire | None) -> FiringRequest:
    info = workflow.info()
    schedule_id = fire.schedule_id if fire else info.typed_search_attributes.get(SCHEDULE)
    if schedule_id is None:
        raise ApplicationError("no schedule has started this", type="schedule_not_found", non_retryable=True)
    due_at: datetime = info.typed_search_attributes.get(DUE_AT) or workflow.now()
    return FiringRequest(schedule_id=schedule_id, job_id=workflow.uuid4(), workflow_id=info.workflow_id, due_at=due_at)


def _outcome(job_id: UUID, error: BaseException) -> Outcome:
    """How the job ended, as the engine saw it."""
    match error.cause if isinstance(error, ChildWorkflowError) else None:
        case TerminatedError():
            failure = Failure(code="terminated", message="the execution was terminated from outside")
            return Outcome(job_id=job_id, status=Status.CANCELED, error=failure)
        case EngineTimeout():
            failure = Failure(code="max_duration", message="the execution ran out of time")
            return Outcome(job_id=job_id, status=Status.TIMED_OUT, error=failure)
        case ApplicationError():
            return Outcome(job_id=job_id, status=Status.FAILED, error=failure_of(error))
        case _:
            return Outcome(job_id=job_id, status=Status.CANCELED)
