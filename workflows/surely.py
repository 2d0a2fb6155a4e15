"""Writes to the ledger on a workflow's word, which land however long the ledger is away."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from workflows.policies import HEARTBEAT

with workflow.unsafe.imports_passed_through():
    from domain.model import Model

T = TypeVar("T")
LOCAL = timedelta(seconds=5)
# a local activity that is tried again is timed by its earlier attempts too, and keeps a worker from stopping
# (https://github.com/temporalio/sdk-rust/issues/1454, /709)
ONCE = RetryPolicy(maximum_attempts=1)
AGAIN = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10))


async def surely(activity: Callable[[Any, Any], Awaitable[T]], asked: Model) -> T:
    """By a local activity; when the ledger does not answer that, by an ordinary one: waiting costs nothing there."""
    try:
        return await workflow.execute_local_activity_method(
            activity, asked, start_to_close_timeout=LOCAL, retry_policy=ONCE
        )
    except FailureError as error:  # bare: the SDK wraps no failure of a local activity in an ActivityError
        if is_cancelled_exception(error) or (isinstance(error, ApplicationError) and error.non_retryable):
            raise
        return await workflow.execute_activity_method(
            activity,
            asked,
            task_queue="io",
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=AGAIN,
        )


async def whatever_comes(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, waited for through a cancel: a shield alone would leave it behind."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()
