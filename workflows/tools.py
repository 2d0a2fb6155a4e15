"""Tools that a step's model has asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows.failing import NEVER_ISOLATED
from workflows.steps import Steps


async def use_tools(
    steps: Steps,
    step: str,
    activity: Callable[..., Awaitable[None]],
    calls: Iterable[Any],
    *,
    until: datetime | None = None,
) -> None:
    """Make all calls of a turn at once, each an activity of its own; what goes wrong is told to the model."""

    async def one(call: Any) -> None:
        try:
            await steps.beside(step, activity, call, until=until)
        except ActivityError as error:
            final = isinstance(error.cause, ApplicationError) and error.cause.type in NEVER_ISOLATED
            if final or is_cancelled_exception(error):
                raise

    await asyncio.gather(*(one(call) for call in calls))
