"""Why a workflow's work failed, in words fit for people, and which failures nothing may stand in for."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.errors import BudgetExceeded, JobClosed, LongrunError
    from domain.job import Failure

NEVER_ISOLATED = (BudgetExceeded.code, JobClosed.code)


def failure_of(error: BaseException, step: str | None = None) -> Failure:
    """Why it failed, fit for people: the domain's own error, what an activity raised, or which time-out struck."""
    if isinstance(error, LongrunError):
        return Failure(code=error.code, message=error.message, step=step, retryable=error.retryable)
    while isinstance(error, (ActivityError, ChildWorkflowError)) and error.cause is not None:
        step = step or (error.activity_id.split("#")[0] if isinstance(error, ActivityError) else None)
        error = error.cause
    if isinstance(error, ApplicationError):
        step = step or next((str(detail) for detail in error.details), None)
        return Failure(code=error.type or "job_failed", message=error.message, step=step)
    if is_cancelled_exception(error):
        return Failure(code="canceled", message="a job inside this one was canceled", step=step)
    return Failure(code="step_timeout", message="the step did not end in time", step=step, retryable=True)
