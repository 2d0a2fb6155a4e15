"""How a workflow ends: its end is written whatever comes, and what the ledger says then is what it ends with."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.policies import HEARTBEAT
from workflows.surely import surely, whatever_comes

with workflow.unsafe.imports_passed_through():
    from activities.closing import Closing
    from domain.job import Failure, Outcome, Status

T = TypeVar("T")


async def ended(outcome: Outcome, result: T | None) -> T:
    """Write the end; answers `result`, or with the end that stands already. Raises what ends a workflow otherwise."""
    standing = await whatever_comes(surely(Closing.finish, outcome))
    if standing.status == Status.COMPLETED:
        # a cancel may come between the commit of this end and the engine's word that it knows of it
        return result if outcome.status == Status.COMPLETED else standing.result  # pyright: ignore[reportReturnType]
    if standing.status == Status.CANCELED and workflow.cancellation_reason() is not None:
        raise asyncio.CancelledError
    failure = standing.error or Failure(code=standing.status, message=f"the job is {standing.status}")
    raise ApplicationError(failure.message, type=failure.code, non_retryable=True)


async def afterwards(activity: Callable[..., Awaitable[Any]], *args: Any, within: timedelta) -> None:
    """Do something once the end is written, whatever it was, as well as it can be done."""
    work = workflow.execute_activity(
        activity,
        args=args,
        task_queue="io",
        start_to_close_timeout=within / 4,
        schedule_to_close_timeout=within,
        heartbeat_timeout=HEARTBEAT,
    )
    with suppress(ActivityError):
        await whatever_comes(work)
