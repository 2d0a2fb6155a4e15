"""What only the engine knows: who canceled or terminated an execution, and how a closed one ended."""

from typing import Any
from uuid import UUID

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EngineUnavailable
from domain.job import Failure, Outcome, Status
from engine.start import RPC

ASKED = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
)
GONE = Outcome(
    job_id=UUID(int=0),
    status=Status.FAILED,
    error=Failure(code="engine_lost", message="the engine no longer knows this job's execution"),
)


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


async def ended(client: Client, job_id: UUID) -> Outcome | None:
    """How the execution ended; None while it runs. Raises EngineUnavailable."""
    try:
        return await _outcome(client.get_workflow_handle(str(job_id)), job_id)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return GONE.model_copy(update={"job_id": job_id})
        raise EngineUnavailable("the engine does not answer") from error
    except RuntimeError as error:
        raise EngineUnavailable("the engine does not answer") from error


async def _outcome(handle: WorkflowHandle[Any, Any], job_id: UUID) -> Outcome | None:
    found = await handle.describe(rpc_timeout=RPC)
    match found.status:
        case WorkflowExecutionStatus.RUNNING | WorkflowExecutionStatus.CONTINUED_AS_NEW | None:
            return None
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
