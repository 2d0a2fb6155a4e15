"""Every activity beats each second, so cancel reaches it in about one and a dead worker is noticed in ten."""

import asyncio
from contextlib import suppress
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

SECONDS = 1.0


class Heartbeat(Interceptor):
    """Proves that the event loop lives, not that work proceeds: start_to_close stays the limit for that."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Inbound(next)


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        if activity.info().is_local:
            return await self.next.execute_activity(input)
        beating = asyncio.create_task(_beat())
        try:
            return await self.next.execute_activity(input)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _beat() -> None:
    details = activity.info().heartbeat_details
    while True:
        await asyncio.sleep(SECONDS)
        activity.heartbeat(*details)
