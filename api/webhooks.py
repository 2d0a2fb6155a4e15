"""Endpoints that are told what becomes of jobs, by the Standard Webhooks spec."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given, Services
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.listing import before, more
from api.wire import reply
from domain.model import Model, Request
from domain.telling import EventName, WebhookUrl, new_secret
from ledger.webhooks import Webhook

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])
MOST = 100
Limit = Annotated[int, Query(ge=1, le=MOST)]
From = Annotated[str | None, Query(description="`nextCursor` of the page before.")]
Events = Annotated[list[EventName], Field(min_length=1, max_length=20, examples=[["job.completed", "job.failed"]])]


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


@router.post("", status_code=201, response_model=WebhookSecret, responses={503: {"model": Problem}})
async def create_webhook(asked: WebhookRequest, given: Given, caller: Auth) -> Response:
    """Have jobs' events POSTed to a URL, signed with the secret that this answer shows, and no other ever.

    `RUN_STARTED`, `RUN_COMPLETED`, `RUN_FAILED` and `RUN_CANCELED` are understood as names of events.
    """
    owner, secret = caller.writes_of(asked.owner), new_secret()
    made = await given.webhooks.create(owner, str(asked.url), _once(asked.events), secret)
    await noted(given, caller, "create", made)
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
    rows = await given.webhooks.list(of, limit=limit + 1, before=before(cursor))
    return reply({"webhooks": [_shown(row) for row in rows[:limit]], "nextCursor": more(rows, limit)})


@router.get("/{webhook_id}", response_model=WebhookView)
async def get_webhook(webhook_id: str, given: Given, caller: Auth) -> Response:
    """One endpoint, without its secret."""
    return reply(_shown(await found(webhook_id, given, caller, change=False)))


@router.patch("/{webhook_id}", response_model=WebhookView)
async def change_webhook(webhook_id: str, asked: WebhookChange, given: Given, caller: Auth) -> Response:
    """Change an endpoint, disable it, or have it told again (`"status": "active"`). The secret stays."""
    row = await found(webhook_id, given, caller)
    changed = await given.webhooks.change(
        row.id,
        url=str(asked.url) if asked.url else None,
        events=_once(asked.events) if asked.events else None,
        active=None if asked.status is None else asked.status == "active",
    )
    await noted(given, caller, "change", row)
    return reply(_shown(_there(changed)))


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: str, given: Given, caller: Auth) -> Response:
    """Tell it nothing any more, also not what is waiting for another attempt."""
    row = await found(webhook_id, given, caller)
    await given.webhooks.delete(row.id)
    await noted(given, caller, "delete", row)
    return Response(status_code=204)


@router.post("/{webhook_id}/rotate-secret", response_model=WebhookSecret)
async def rotate_secret(webhook_id: str, given: Given, caller: Auth) -> Response:
    """Have a new secret, shown here alone. For 24 hours each message bears two signatures, by the new and the old one.

    A second rotation within that time ends the oldest of the three.
    """
    row, secret = await found(webhook_id, given, caller), new_secret()
    rotated = _there(await given.webhooks.rotate(row.id, secret))
    await noted(given, caller, "rotate-secret", row)
    return reply(_shown(rotated) | {"secret": secret}, Cache_Control="no-store")


async def found(webhook_id: str, given: Services, caller: Caller, *, change: bool = True) -> Webhook:
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


async def noted(given: Services, caller: Caller, action: str, row: Webhook) -> None:
    await given.audit.note(caller.acting_for(row.owner), f"webhook.{action}", f"webhooks/{row.id}", owner=row.owner)


def _once(events: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(events))


def _shown(row: Webhook) -> dict[str, Any]:
    view = WebhookView.model_validate(vars(row) | {"owner": row.owner or None})
    return view.model_dump(mode="json", by_alias=True)
