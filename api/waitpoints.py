"""Durable waits that a person or a system ends by a URL."""

import hmac
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from pydantic_core import to_json

from api.dependencies import Auth, Given, Services, bearer
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.wire import reply
from domain.errors import CallerError, NotWaiting, PayloadTooLarge
from domain.job import Failure
from domain.keyring import digest
from domain.model import Model
from domain.model import Request as Body
from domain.options import Duration
from domain.waiting import OUTPUT_BYTES, WaitStatus
from ledger.waitpoints import Verdict, Waitpoint

router = APIRouter(prefix="/api/waitpoints", tags=["waitpoints"])
LONGEST = timedelta(days=365)
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Nobody waits there any more, or it was ended otherwise"},
    413: {"model": Problem, "description": "The output is larger than 100 KB"},
}


class NewWaitpoint(Body):
    """`about` says in words what is waited for; after `timeout` nobody waits any more."""

    about: str = Field(default="", max_length=500, examples=["approval of invoice 17"])
    timeout: Duration = Field(default=timedelta(days=7), examples=["3d"])


class Completion(Body):
    """What to end the wait with: an output, or why it failed."""

    status: Verdict = "completed"
    output: Any = None
    error: str | None = Field(default=None, min_length=1, max_length=1000)


class WaitpointView(Model):
    """A waitpoint; `url` ends it without other credentials and is shown once, when it is made."""

    id: UUID
    status: WaitStatus
    about: str
    job_id: UUID | None = None
    step: str | None = None
    output: Any = None
    error: Failure | None = None
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None = None
    url: str | None = None

    @classmethod
    def of(cls, point: Waitpoint, url: str | None = None) -> "WaitpointView":
        seen = {name: getattr(point, name) for name in cls.model_fields if name != "url"}
        return cls(**seen, url=url)


async def _ender(
    request: Request,
    token: Annotated[str | None, Query(max_length=200, description="The waitpoint's own, from its URL.")] = None,
) -> Caller | str:
    """A caller by its key, or else the token given."""
    services: Services = request.state.services
    return token if token is not None else services.credentials.caller(bearer(request))


Ender = Annotated[Caller | str, Depends(_ender)]


@router.post("", status_code=201, response_model=WaitpointView)
async def create_waitpoint(asked: NewWaitpoint, given: Given, caller: Auth) -> Response:
    """Make a waitpoint. Whoever has its `url` may end it by a POST there; nobody has to wait for it meanwhile."""
    caller.server_only()
    if not timedelta(0) < asked.timeout <= LONGEST:
        raise CallerError("a wait lasts up to 365 days", pointer="/timeout")
    if not given.keyring:
        raise CallerError("the service has no secret key to make a token with", code="not_configured")
    waitpoint_id = uuid4()
    token = given.keyring.wait_token(waitpoint_id)
    point = await given.waitpoints.open(waitpoint_id, token=token, about=asked.about, within=asked.timeout)
    location = f"/api/waitpoints/{point.id}"
    url = f"{given.settings.reached_at}{location}/complete?token={token}"
    return reply(WaitpointView.of(point, url), 201, Location=location, Cache_Control="no-store")


@router.get("/{waitpoint_id}", response_model=WaitpointView)
async def get_waitpoint(waitpoint_id: str, given: Given, ender: Ender) -> Response:
    """What stands at a waitpoint."""
    return reply(WaitpointView.of(await seen(waitpoint_id, given, ender)))


@router.post("/{waitpoint_id}/complete", response_model=WaitpointView, responses=REFUSED)
async def complete_waitpoint(
    waitpoint_id: str, given: Given, ender: Ender, asked: Completion | None = None
) -> Response:
    """End a wait, by a secret key or by the token of the waitpoint's URL. Saying the same again changes nothing.

    A job that waits here goes on with the output, also when the engine is down at the moment.
    """
    point = await seen(waitpoint_id, given, ender)
    said = asked or Completion()
    by = "token" if isinstance(ender, str) else ender.name
    ended = await resolve(point, given, by, said.status, output=said.output, error=said.error)
    return reply(WaitpointView.of(ended))


async def resolve(
    point: Waitpoint,
    given: Services,
    by: str,
    status: Literal["completed", "failed"],
    *,
    output: Any,
    error: str | None,
) -> Waitpoint:
    """Write the answer to the ledger, have it carried to who waits, and say what stands.

    Raises PayloadTooLarge; NotWaiting unless the same was said before.
    """
    if len(to_json(output)) > OUTPUT_BYTES:
        raise PayloadTooLarge("an output holds at most 100 KB", pointer="/output")
    failure = None
    if status == "failed":
        output, failure = None, Failure(code="task_failed", message=error or "the other side could not do it")
    if await given.waitpoints.resolve(point.id, status, output=output, error=failure, by=by):
        given.courier.soon()
    stands = await given.waitpoints.get(point.id)
    if stands is None:
        raise NotFound
    if (stands.status, stands.output, stands.error) != (status, output, failure):
        raise NotWaiting(f"nobody waits for this any more: it is {stands.status.replace('_', ' ')}")
    return stands


async def seen(waitpoint_id: str, given: Services, ender: Caller | str) -> Waitpoint:
    """The waitpoint; raises NotFound also where it is not the caller's to see."""
    found = as_id(waitpoint_id)
    point = await given.waitpoints.get(found) if found else None
    if isinstance(ender, Caller):
        ender.server_only()
    elif point is None or not hmac.compare_digest(point.token_hash, digest(ender)):
        raise NotFound
    if point is None:
        raise NotFound
    return point
