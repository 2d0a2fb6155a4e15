"""One attempt to tell the world. What, whom and how often so far is the ledger's to say: only an id comes and goes."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from pydantic_core import to_json
from temporalio import activity

from activities.letters import letter_about
from domain.errors import VendorError
from domain.job import Status
from ledger.deliveries import Attempt
from ledger.patience import patiently
from ledger.rows import not_begun
from ledger.views import shown

if TYPE_CHECKING:
    from domain.telling import Poster, Postman
    from ledger.deliveries import Deliveries, Due
    from ledger.jobs import Jobs
    from ledger.rows import JobRow

log = structlog.get_logger()
LEDGER_PATIENCE = 60.0
# a timer that fires a moment before the database's clock says so is not sent to sleep again
EARLY = 0.05
JITTER = (0.9, 1.1)
LONGEST_WAIT = 86400.0
GONE = 410
RANDOM = SystemRandom()


@dataclass(frozen=True)
class Sent:
    """How an attempt went; `again` False: another one cannot go better."""

    status: int | None = None
    error: str | None = None
    again: bool = True
    wait: float = 0.0


class Telling:
    """`retry` are the seconds before each further attempt; `secrets` sign what goes to a job's own webhook."""

    def __init__(
        self,
        deliveries: "Deliveries",
        jobs: "Jobs",
        poster: "Poster",
        postman: "Postman | None",
        *,
        retry: Sequence[float],
        secrets: Sequence[str],
    ) -> None:
        self._deliveries, self._jobs = deliveries, jobs
        self._poster, self._postman = poster, postman
        self._retry, self._secrets = retry, secrets

    @activity.defn(name="deliver_webhook")
    async def deliver_webhook(self, delivery_id: UUID) -> float | None:
        """Seconds until the next attempt; None when it is settled."""
        return await self._attempt(delivery_id, self._post)

    @activity.defn(name="deliver_email")
    async def deliver_email(self, delivery_id: UUID) -> float | None:
        """As `deliver_webhook`."""
        return await self._attempt(delivery_id, self._mail)

    async def _attempt(self, delivery_id: UUID, send: "Callable[[Due], Awaitable[Sent]]") -> float | None:
        due = await self._deliveries.due(delivery_id)
        if due is None:
            return None
        if due.wait > EARLY:
            return due.wait
        began = time.monotonic()
        try:
            sent = await send(due)
        except VendorError as error:
            sent = Sent(error=error.code, again=error.again)
        attempt = self._judge(due, sent, round(1000 * (time.monotonic() - began)))
        await patiently(lambda: self._deliveries.record(due, attempt), LEDGER_PATIENCE)
        log.info(
            "told" if attempt.verdict == "delivered" else "not told",
            deliveryId=str(due.id),
            jobId=str(due.job_id) if due.job_id else None,
            event_type=due.event,
            status=sent.status,
            code=sent.error,
            final=attempt.verdict is not None,
        )
        return None if attempt.verdict else attempt.wait

    def _judge(self, due: "Due", sent: Sent, duration_ms: int) -> Attempt:
        """2xx alone is delivered, 410 wants no more; all else is tried again until the schedule is used up."""
        if sent.error is None and sent.status is not None and 200 <= sent.status < 300:
            return Attempt(sent.status, None, duration_ms, "delivered")
        attempt = Attempt(sent.status, sent.error or f"http_{sent.status}", duration_ms, "failed")
        if sent.status == GONE and due.webhook_id is not None:
            return replace(attempt, gone="the receiver answered 410 (gone)")
        if not sent.again or sent.status == GONE or due.tries >= len(self._retry):
            return attempt
        wait = self._retry[due.tries] * RANDOM.uniform(*JITTER)
        return replace(attempt, verdict=None, wait=max(wait, min(sent.wait, LONGEST_WAIT)))

    async def _post(self, due: "Due") -> Sent:
        secrets = due.secrets if due.webhook_id else self._secrets
        if due.url is None:
            return Sent(error="endpoint_gone", again=False)
        if not due.active:
            return Sent(error="endpoint_disabled", again=False)
        if not secrets:
            return Sent(error="not_configured")
        body = to_json({"type": due.event, "timestamp": due.at, "data": await self._data(due)})
        receipt = await self._poster.post(due.url, event_id=due.event_id, body=body, secrets=secrets)
        return Sent(status=receipt.status, wait=receipt.retry_after or 0.0)

    async def _data(self, due: "Due") -> dict[str, Any]:
        row = await self._jobs.get(due.job_id) if due.job_id else None
        if row is None:
            return {"webhookId": str(due.webhook_id)}
        seen = as_it_began(row) if due.event == "job.started" else row
        return {name: held for name, held in shown(seen).items() if name != "payload"}

    async def _mail(self, due: "Due") -> Sent:
        if self._postman is None:
            return Sent(error="not_configured")
        row = await self._jobs.get(due.job_id) if due.job_id else None
        if row is None or due.email is None:
            return Sent(error="address_gone", again=False)
        await self._postman.send(due.email, letter_about(row, due.event_id))
        return Sent(status=250)


def as_it_began(row: "JobRow") -> "JobRow":
    """The job when its first step started: a message tells the same at every attempt, whatever came later."""
    return replace(
        row,
        status=Status.RUNNING,
        states=tuple(not_begun(row.plan, closed=False).values()),
        result=None,
        error=None,
        usage={},
        answered_by=None,
        finished_at=None,
        updated_at=row.started_at or row.updated_at,
    )
