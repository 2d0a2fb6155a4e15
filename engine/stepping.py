"""The ledger interceptor: a step's start and end are written around its activity, which knows nothing of it.

A step is an activity whose id is a name; Temporal's own ids are numbers, and such activities write nothing.
"""

import asyncio
import math
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

import structlog
from pydantic_core import to_json
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.errors import JobClosed, LedgerUnavailable, LongrunError, RateLimited, VendorError
from domain.job import Failure, Ongoing
from ledger.patience import patiently
from ledger.steps import Delivery, End

if TYPE_CHECKING:
    from ledger.steps import Steps

log = structlog.get_logger()
OUTPUT_BYTES = 100_000
LONGEST_WAIT = 60.0
DEFAULT_WAIT = 5.0


class Stepping(Interceptor):
    """Times in seconds: how long a down ledger is waited for in place, and a rate limit without counting."""

    def __init__(self, steps: "Steps", *, ledger_patience: float = 60.0, rate_limit_patience: float = 120.0) -> None:
        self.steps = steps
        self.ledger_patience, self.rate_limit_patience = ledger_patience, rate_limit_patience

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Inbound(next, self)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, stepping: Stepping) -> None:  # noqa: A002
        super().__init__(next)
        self._stepping = stepping

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        info = activity.info()
        if info.is_local or info.activity_id.isdigit():
            try:
                return await self.next.execute_activity(input)
            except LongrunError as error:
                again = error.again if isinstance(error, VendorError) else error.retryable
                raise _application_error(error, retry=again) from None
        delivery = Delivery(UUID(info.workflow_id), info.activity_id, info.scheduled_time, info.attempt)
        with structlog.contextvars.bound_contextvars(
            jobId=str(delivery.job_id), kind=info.workflow_type, step=delivery.activity_id
        ):
            try:
                return await self._step(delivery, input)
            except JobClosed as closed:
                raise _application_error(closed, retry=False) from None
            except LedgerUnavailable as error:  # Temporal tries again, nothing is counted
                raise _application_error(error, retry=True) from None
            except asyncio.CancelledError:
                details = activity.cancellation_details()
                if details and details.worker_shutdown:
                    raise ApplicationError("the worker is stopping", type="worker_stopping") from None
                raise

    async def _step(self, delivery: Delivery, input: ExecuteActivityInput) -> Any:  # noqa: A002
        steps = self._stepping.steps
        started = await patiently(lambda: steps.start(delivery), self._stepping.ledger_patience)
        if started.stored:
            return started.output
        if started.canceling:
            # the engine has yet to hear of it: whoever was to carry the cancel there may have died
            await asyncio.Event().wait()
        if not started.landed:
            raise ApplicationError("a newer attempt of this step is running", type="superseded")
        try:
            result = await self.next.execute_activity(input)
        except (LedgerUnavailable, JobClosed):
            raise
        except LongrunError as error:
            await self._failed(delivery, error)
        except Exception:
            log.exception("a step raised what no provider classed")
            unclassed = VendorError("something went wrong inside this step", code="internal_error")
            await self._failed(delivery, unclassed)
        if isinstance(result, Ongoing) and result.goes_on:
            return result
        output = to_json(result).decode()
        if len(output) > OUTPUT_BYTES:
            log.warning("a step's output is too large to be stored", bytes=len(output))
        stored = output if len(output) <= OUTPUT_BYTES else None
        await patiently(lambda: steps.end(delivery, "completed", output=stored), self._stepping.ledger_patience)
        return result

    async def _failed(self, delivery: Delivery, error: LongrunError) -> NoReturn:
        """Write the failure, then raise it as Temporal is to see it."""
        again = isinstance(error, VendorError) and error.again
        wait = error.retry_after if isinstance(error, VendorError) else None
        what: End = "wait" if isinstance(error, RateLimited) else "failure" if again else "fatal"
        seconds = min(DEFAULT_WAIT if wait is None else wait, LONGEST_WAIT)
        failure = Failure(code=error.code, message=error.message, step=delivery.step, retryable=again)
        stepping = self._stepping
        ended = await patiently(
            lambda: stepping.steps.end(
                delivery, what, error=failure, wait=seconds, patience=stepping.rate_limit_patience
            ),
            stepping.ledger_patience,
        )
        log.info("step failed", code=error.code, status=ended.status, failures=ended.failures)
        retry = ended.status is not None and ended.status != "failed"
        delay = None
        if what == "wait" or wait is not None:
            delay = seconds
        elif ended.randomize:
            delay = random_wait(activity.info().retry_policy or RetryPolicy(), ended.failures)
        raise _application_error(error, retry=retry, delay=delay if retry else None) from None


def random_wait(policy: RetryPolicy, failures: int) -> float:
    """Seconds to wait after so many failures: the policy's wait times 1 to 2, never above its longest one."""
    first = policy.initial_interval.total_seconds()
    longest = policy.maximum_interval.total_seconds() if policy.maximum_interval else math.inf
    wait = min(longest, first * policy.backoff_coefficient ** (failures - 1))
    return min(longest, wait * random.uniform(1, 2))  # noqa: S311


def _application_error(error: LongrunError, *, retry: bool, delay: float | None = None) -> ApplicationError:
    """The one place where our errors become Temporal's. Messages are for people and carry no payload."""
    expected = isinstance(error, (RateLimited, JobClosed))
    return ApplicationError(
        error.message,
        type=error.code,
        non_retryable=not retry,
        next_retry_delay=timedelta(seconds=delay) if delay is not None else None,
        category=ApplicationErrorCategory.BENIGN if expected else ApplicationErrorCategory.UNSPECIFIED,
    )
