"""What was and is to be told to an endpoint, with every attempt."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given
from api.errors import NotFound, Problem
from api.grants import as_id
from api.listing import before, more
from api.webhooks import MOST, From, Limit, found, noted
from api.wire import JOB_ID, reply
from domain.errors import CallerError
from domain.model import Model
from ledger.deliveries import Delivery

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])


class WebhookDisabled(CallerError):
    """Nothing is sent to an endpoint that is disabled."""

    code = "webhook_disabled"
    status = 409


class AttemptView(Model):
    """One attempt; `error` is a code, as `timeout` or `http_500`, null where it was delivered."""

    number: int
    at: datetime
    status_code: int | None
    error: str | None
    duration_ms: int


class DeliveryView(Model):
    """One event to one endpoint. `eventId` is the header `webhook-id`: the same at every attempt and every resend."""

    id: UUID
    event_id: str = Field(examples=["evt_8c0f3c5e5d0c4b8e9a520f2b7f9d1c11_completed"])
    event: str = Field(examples=["job.completed"])
    job_id: UUID | None = Field(examples=[JOB_ID])
    status: Literal["pending", "delivered", "failed"]
    attempts: list[AttemptView]
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryPage(Model):
    """Newest first; `nextCursor` is null on the last page."""

    deliveries: list[DeliveryView]
    next_cursor: str | None


@router.post("/{webhook_id}/test", status_code=202, response_model=DeliveryView, responses={409: {"model": Problem}})
async def send_test(webhook_id: str, given: Given, caller: Auth) -> Response:
    """Send it a `webhook.test`, as every other event is sent; its delivery says what came of it."""
    row = await found(webhook_id, given, caller)
    if row.status != "active":
        raise WebhookDisabled("this endpoint is disabled")
    return reply(_shown(await given.deliveries.test(row.id)), 202)


@router.get("/{webhook_id}/deliveries", response_model=DeliveryPage)
async def list_deliveries(
    webhook_id: str,
    given: Given,
    caller: Auth,
    status: Annotated[Literal["pending", "delivered", "failed"] | None, Query()] = None,
    limit: Limit = MOST,
    cursor: From = None,
) -> Response:
    """What was and is to be told to the endpoint, newest first, with every attempt."""
    row = await found(webhook_id, given, caller, change=False)
    rows = await given.deliveries.list(row.id, status=status, limit=limit + 1, before=before(cursor))
    return reply({"deliveries": [_shown(one) for one in rows[:limit]], "nextCursor": more(rows, limit)})


@router.post("/{webhook_id}/deliveries/{delivery_id}/resend", status_code=202, response_model=DeliveryView)
async def resend(webhook_id: str, delivery_id: str, given: Given, caller: Auth) -> Response:
    """Send it again now, whatever came of it, with the same `webhook-id`; what fails is tried again as at first."""
    row, wanted = await found(webhook_id, given, caller), as_id(delivery_id)
    sent = await given.deliveries.resend(row.id, wanted) if wanted else None
    if sent is None:
        raise NotFound
    await noted(given, caller, "resend", row)
    return reply(_shown(sent), 202)


def _shown(row: Delivery) -> dict[str, Any]:
    return DeliveryView.model_validate(vars(row) | {"attempts": row.log}).model_dump(mode="json", by_alias=True)
