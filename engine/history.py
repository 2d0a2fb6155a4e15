"""What only the engine knows: how an execution stands or ended, who asked for that, and which steps it did."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EngineUnavailable
from domain.job import Failure, Outcome, Status
from engine.start import RPC
from ledger.reports import DoneStep

ASKED = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
)
RUNNING = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW, None)
LOST = Failure(code="engine_lost", message="the engine no longer knows this job's execution")
LONGEST_HISTORY = 10_000


async def who_ended(client: Client, job_id: UUID) -> str | None:
    """The identity that asked for cancel or termination first, as the history has it; None if nobody or unknown."""
    try:
        async for event in client.get_workflow_handle(str(job_id)).fetch_history_events(rpc_timeout=RPC):
            if event.event_type in ASKED:
                asked = (
                    event.workflow_execution_cancel_requested_event_attributes
                    if event.HasField("workflow_execution_cancel_requested_event_attributes")
                    else event.workflow_execution_terminated_event_attributes
                )
                return asked.identity or None
    except (RPCError, RuntimeError):
        return None
    return None


async def described(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    """The newest run of that id; None when the engine knows none. Raises EngineUnavailable."""
    try:
        return await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise EngineUnavailable("the engine does not answer") from error
    except RuntimeError as error:  # the lazy connection could not be made
        raise EngineUnavailable("the engine does not answer") from error


async def ended(client: Client, job_id: UUID) -> Outcome | None:
    """How the execution ended; None while it runs. Raises EngineUnavailable."""
    found = await described(client, str(job_id))
    if found is None:
        return Outcome(job_id=job_id, status=Status.FAILED, error=LOST)
    return await outcome_of(client, found, job_id)


async def outcome_of(client: Client, found: WorkflowExecutionDescription, job_id: UUID) -> Outcome | None:
    """How the described run ended; None while it runs. Raises EngineUnavailable."""
    if found.status in RUNNING:
        return None
    try:
        return await _outcome(found.status, client.get_workflow_handle(str(job_id), run_id=found.run_id), job_id)
    except (RPCError, RuntimeError) as error:
        raise EngineUnavailable("the engine does not answer") from error


async def _outcome(status: WorkflowExecutionStatus | None, handle: WorkflowHandle[Any, Any], job_id: UUID) -> Outcome:
    match status:
        case WorkflowExecutionStatus.COMPLETED:
            result = await handle.result(rpc_timeout=RPC)
            answered_by = result.get("answeredBy") if isinstance(result, dict) else None
            return Outcome(job_id=job_id, status=Status.COMPLETED, result=result, answered_by=answered_by)
        case WorkflowExecutionStatus.CANCELED:
            return Outcome(job_id=job_id, status=Status.CANCELED)
        case WorkflowExecutionStatus.TERMINATED:
            failure = Failure(code="terminated", message="the execution was terminated from outside")
            return Outcome(job_id=job_id, status=Status.CANCELED, error=failure)
        case WorkflowExecutionStatus.TIMED_OUT:
            failure = Failure(code="max_duration", message="the execution ran out of time")
            return Outcome(job_id=job_id, status=Status.TIMED_OUT, error=failure)
        case _:
            return Outcome(job_id=job_id, status=Status.FAILED, error=await _why_failed(handle))


async def _why_failed(handle: WorkflowHandle[Any, Any]) -> Failure:
    try:
        await handle.result(rpc_timeout=RPC)
    except WorkflowFailureError as error:
        if isinstance(error.cause, ApplicationError):
            return Failure(code=error.cause.type or "job_failed", message=error.cause.message)
    return Failure(code="job_failed", message="the execution failed")


async def done_steps(client: Client, found: WorkflowExecutionDescription) -> Sequence[DoneStep]:
    """The steps that the described run has done, as its history has them; none where that is too long to read.

    Raises EngineUnavailable.
    """
    if found.history_length > LONGEST_HISTORY:
        return ()
    handle = client.get_workflow_handle(found.id, run_id=found.run_id)
    scheduled: dict[int, HistoryEvent] = {}
    attempts: dict[int, HistoryEvent] = {}
    done: list[DoneStep] = []
    try:
        async for event in handle.fetch_history_events(rpc_timeout=RPC):
            if event.HasField("activity_task_scheduled_event_attributes"):
                scheduled[event.event_id] = event
            elif event.HasField("activity_task_started_event_attributes"):
                attempts[event.event_id] = event
            elif event.HasField("activity_task_completed_event_attributes"):
                of = event.activity_task_completed_event_attributes
                asked, began = scheduled[of.scheduled_event_id], attempts[of.started_event_id]
                activity_id = asked.activity_task_scheduled_event_attributes.activity_id
                if not activity_id.isdigit():  # Temporal's own numbers are no steps
                    [output] = await client.data_converter.decode(of.result.payloads) or [None]
                    if isinstance(output, dict) and output.get("goesOn"):
                        continue  # the step was not over yet
                    done.append(
                        DoneStep(
                            activity_id=activity_id,
                            scheduled_at=asked.event_time.ToDatetime(UTC),
                            delivery=began.activity_task_started_event_attributes.attempt,
                            started_at=began.event_time.ToDatetime(UTC),
                            finished_at=event.event_time.ToDatetime(UTC),
                            output=output,
                        )
                    )
    except (RPCError, RuntimeError) as error:
        raise EngineUnavailable("the engine does not answer") from error
    return done
