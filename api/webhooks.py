"""Endpoints that are told what becomes of jobs, by the Standard Webhooks spec, and what was told to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given, Services
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.listing import Cursor
from api.wire import JOB_ID, reply
from domain.errors import CallerError
from domain.model import Model, Request
from domain.telling import EventName, WebhookUrl, new_secret
from ledger.deliveries import Delivery
from ledger.webhooks import Webhook

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])
MOST = 100
Limit = Annotated[int, Query(ge=1, le=MOST)]
From = Annotated[str | None, Query(description="`nextCursor` of the page before.")]
Events = Annotated[list[EventName], Field(min_length=1, max_length=20, examples=[["job.completed", "job.failed"]])]


class WebhookDisabled(CallerError):
    """Nothing is sent to an endpoint that is disabled."""

    code = "webhook_disabled"
    status = 409


class WebhookRequest(Request):
    """An endpoint. Without an `owner` it is told of all jobs; with a token it is the token's owner's."""

    url: WebhookUrl = Field(examples=["https://app.example.com/hooks/longrun"])
    events: Events
    owner: str | None = Field(default=None, min_length=1, max_length=256)


class WebhookChange(Request):
    """What is not given stays."""

    url: WebhookUrl | None = None
    events: Events | None = None
    status: Literal["active", "disabled"] | None = None


class WebhookView(Model):
    """An endpoint. `disabledReason` says why it is disabled: by hand, or as it answered 410."""

    id: UUID
    url: str
    events: tuple[str, ...]
    owner: str | None
    status: Literal["active", "disabled"]
    disabled_reason: str | None
    created_at: datetime


class WebhookSecret(WebhookView):
    """With the secret, which is not shown again."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class WebhookPage(Model):
    """Newest first; `nextCursor` is null on the last page."""

    webhooks: list[WebhookView]
    next_cursor: str | None


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


@router.post("", status_code=201, response_model=WebhookSecret, responses={503: {"model": Problem}})
async def create_webhook(asked: WebhookRequest, given: Given, caller: Auth) -> Response:
    """Have jobs' events POSTed to a URL, signed with the secret that this answer shows, and no other ever.

    `RUN_STARTED`, `RUN_COMPLETED`, `RUN_FAILED` and `RUN_CANCELED` are understood as names of events.
    """
    owner, secret = caller.writes_of(asked.owner), new_secret()
    made = await given.webhooks.create(owner, str(asked.url), _once(asked.events), secret)
    await _noted(given, caller, "create", made)
    shown = _shown(made) | {"secret": secret}
    return reply(shown, 201, Location=f"/api/webhooks/{made.id}", Cache_Control="no-store")


@router.get("", response_model=WebhookPage)
async def list_webhooks(
    given: Given,
    caller: Auth,
    owner: Annotated[str | None, Query(min_length=1, max_length=256)] = None,
    limit: Limit = MOST,
    cursor: From = None,
) -> Response:
    """The endpoints, newest first; with a token those of its owner."""
    of = owner if caller.grants is None else caller.reads_of(owner)
    rows = await given.webhooks.list(of, limit=limit + 1, before=_before(cursor))
    return reply({"webhooks": [_shown(row) for row in rows[:limit]], "nextCursor": _next(rows, limit)})


@router.get("/{webhook_id}", response_model=WebhookView)
async def get_webhook(webhook_id: str, given: Given, caller: Auth) -> Response:
    """One endpoint, without its secret."""
    return reply(_shown(await _found(webhook_id, given, caller, change=False)))


@router.patch("/{webhook_id}", response_model=WebhookView)
async def change_webhook(webhook_id: str, asked: WebhookChange, given: Given, caller: Auth) -> Response:
    """Change an endpoint, disable it, or have it told again (`"status": "active"`). The secret stays."""
    row = await _found(webhook_id, given, caller)
    changed = await given.webhooks.change(
        row.id,
        url=str(asked.url) if asked.url else None,
        events=_once(asked.events) if asked.events else None,
        active=None if asked.status is None else asked.status == "active",
    )
    await _noted(given, caller, "change", row)
    return reply(_shown(_there(changed)))


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: str, given: Given, caller: Auth) -> Response:
    """Tell it nothing any more, also not what is waiting for another attempt."""
    row = await _found(webhook_id, given, caller)
    await given.webhooks.delete(row.id)
    await _noted(given, caller, "delete", row)
    return Response(status_code=204)


@router.post("/{webhook_id}/rotate-secret", response_model=WebhookSecret)
async def rotate_secret(webhook_id: str, given: Given, caller: Auth) -> Response:
    """Have a new secret, shown here alone. For 24 hours each message bears two signatures, by the new and the old one.

    A second rotation within that time ends the oldest of the three.
    """
    row, secret = await _found(webhook_id, given, caller), new_secret()
    rotated = _there(await given.webhooks.rotate(row.id, secret))
    await _noted(given, caller, "rotate-secret", row)
    return reply(_shown(rotated) | {"secret": secret}, Cache_Control="no-store")


@router.post("/{webhook_id}/test", status_code=202, response_model=DeliveryView, responses={409: {"model": Problem}})
async def send_test(webhook_id: str, given: Given, caller: Auth) -> Response:
    """Send it a `webhook.test`, as every other event is sent; its delivery says what came of it."""
    row = await _found(webhook_id, given, caller)
    if row.status != "active":
        raise WebhookDisabled("this endpoint is disabled")
    return reply(_delivery(await given.deliveries.test(row.id)), 202)


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
    row = await _found(webhook_id, given, caller, change=False)
    rows = await given.deliveries.list(row.id, status=status, limit=limit + 1, before=_before(cursor))
    return reply({"deliveries": [_delivery(one) for one in rows[:limit]], "nextCursor": _next(rows, limit)})


@router.post("/{webhook_id}/deliveries/{delivery_id}/resend", status_code=202, response_model=DeliveryView)
async def resend(webhook_id: str, delivery_id: str, given: Given, caller: Auth) -> Response:
    """Send it again now, whatever came of it, with the same `webhook-id`; what fails is tried again as at first."""
    row, wanted = await _found(webhook_id, given, caller), as_id(delivery_id)
    sent = await given.deliveries.resend(row.id, wanted) if wanted else None
    if sent is None:
        raise NotFound
    await _noted(given, caller, "resend", row)
    return reply(_delivery(sent), 202)


async def _found(webhook_id: str, given: Services, caller: Caller, *, change: bool = True) -> Webhook:
    """The endpoint, if the caller may see it (and change it); raises NotFound."""
    wanted = as_id(webhook_id)
    row = _there(await given.webhooks.get(wanted) if wanted else None)
    if (may := caller.grants) is not None and (
        not row.owner or row.owner not in (may.writes if change else may.owners)
    ):
        raise NotFound
    return row


def _there(row: Webhook | None) -> Webhook:
    if row is None:
        raise NotFound
    return row


async def _noted(given: Services, caller: Caller, action: str, row: Webhook) -> None:
    await given.audit.note(caller.acting_for(row.owner), f"webhook.{action}", f"webhooks/{row.id}", owner=row.owner)


def _once(events: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(events))


def _shown(row: Webhook) -> dict[str, Any]:
    view = WebhookView.model_validate(vars(row) | {"owner": row.owner or None})
    return view.model_dump(mode="json", by_alias=True)


def _delivery(row: Delivery) -> dict[str, Any]:
    return DeliveryView.model_validate(vars(row) | {"attempts": row.log}).model_dump(mode="json", by_alias=True)


def _before(cursor: str | None) -> tuple[datetime, UUID] | None:
    found = Cursor.read(cursor) if cursor else None
    return (found.at, found.id) if found else None


def _next(rows: Sequence[Webhook] | Sequence[Delivery], limit: int) -> str | None:
    return str(Cursor(at=rows[limit - 1].created_at, id=rows[limit - 1].id)) if len(rows) > limit else None
