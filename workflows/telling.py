"""Telling the world, however long it takes: an execution a delivery. The ledger says when, Temporal keeps the time."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.policies import HEARTBEAT

with workflow.unsafe.imports_passed_through():
    from activities.telling import Telling

QUEUE = "tell"
RETRY = RetryPolicy(maximum_interval=timedelta(seconds=30))


class _Delivering:
    """Attempts until the ledger calls it settled; a signal says that the ledger knows something new."""

    def __init__(self) -> None:
        self._news = False

    @workflow.signal(name="look")
    def look(self) -> None:
        self._news = True

    async def _until_settled(self, attempt: Callable[[Any, UUID], Awaitable[float | None]], delivery_id: UUID) -> None:
        while True:
            self._news = False
            wait = await workflow.execute_activity_method(
                attempt,
                delivery_id,
                task_queue=QUEUE,
                start_to_close_timeout=timedelta(minutes=2),
                heartbeat_timeout=HEARTBEAT,
                retry_policy=RETRY,
            )
            if wait is None and not self._news:
                return
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._news, timeout=timedelta(seconds=wait or 0))


@workflow.defn(name="deliver-webhook")
class DeliverWebhook(_Delivering):
    @workflow.run
    async def run(self, delivery_id: UUID) -> None:
        await self._until_settled(Telling.deliver_webhook, delivery_id)


@workflow.defn(name="deliver-email")
class DeliverEmail(_Delivering):
    @workflow.run
    async def run(self, delivery_id: UUID) -> None:
        await self._until_settled(Telling.deliver_email, delivery_id)
