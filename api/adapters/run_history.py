"""Letters and insights for a runner's whole history: start it, see how far it is, know before what it will take."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from api.dependencies import Auth, Given, IdempotencyKey, keyed
from api.errors import NotFound, Problem
from api.starting import REFUSALS, started
from api.wire import Started, reply
from domain.errors import CallerError
from domain.job import Tier
from domain.model import Model, Request
from domain.options import Options
from domain.running.ingest import KIND, Estimate, HistoryState, IngestFailure, IngestRequest
from domain.telling import EMAIL
from engine.submit import Submission
from ledger.jobs import JobFilter
from ledger.rows import JobRow
from ledger.views import JobView, shown

router = APIRouter(prefix="/api", tags=["running"])
UserId = Annotated[str, Path(min_length=1, max_length=256, examples=["user_1"])]
PAYLOAD = set(IngestRequest.model_fields)
LIMITED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "A free user asks for more than the 20 most recent: `tier_limit`"}
}


class IngestAsked(IngestRequest):
    """What the front end sends; fields that nobody knows are ignored. `email` is told of the end."""

    model_config = ConfigDict(extra="ignore")
    email: str | None = Field(default=None, max_length=320, pattern=EMAIL)


class IngestStarted(Started):
    """`notApplied` is there when an open ingest of the user is the answer: the fields in which that one was asked for
    otherwise. It goes on as it was asked for first."""

    not_applied: list[str] | None = Field(default=None, examples=[["email"]])


class EstimateAsked(Request):
    tier: Tier | None = None
    max_activities: int | None = Field(default=None, ge=1, le=1_000_000)
    regenerate: bool = False


class HistoryStatus(Model):
    """What is written about a user's runs; their newest ingest, and the first hundred runs that it gave up."""

    user_id: str
    history: HistoryState
    job: JobView | None
    failures: list[IngestFailure]


@router.post(
    "/run-history/ingest",
    status_code=202,
    response_model=IngestStarted,
    responses=REFUSALS | {200: {"model": Started, "description": "The idempotency key is known"}} | LIMITED,
)
async def ingest(asked: IngestAsked, given: Given, caller: Auth, key: IdempotencyKey = None) -> Response:
    """Write a letter and an insight for each run that lacks one: all of a premium user's, a free user's 20 most recent.

    While an ingest of the user is open, asking again answers with that one and says what of this request it leaves out.
    """
    if caller.starts(KIND, (), asked.user_id) != asked.user_id:
        raise NotFound
    payload = asked.model_dump(mode="json", by_alias=True, include=PAYLOAD, exclude_unset=True)
    try:
        options = given.served(keyed(Options(owner=asked.user_id, email=asked.email), key), caller)
        [opened] = await given.submitter.submit(
            [Submission(KIND, payload, options, by=caller.acting_for(asked.user_id))]
        )
    except CallerError as error:
        error.pointer = error.pointer and error.pointer.removeprefix("/payload").removeprefix("/options")
        raise
    if opened.why == "active" and (joined := await given.jobs.get(opened.id)):
        return started(opened, given.catalog[KIND], notApplied=_otherwise(asked, joined))
    return started(opened, given.catalog[KIND])


def _otherwise(asked: IngestAsked, joined: JobRow) -> list[str]:
    """The fields that the open ingest was asked for with another value."""
    ours = asked.model_dump(by_alias=True, include=PAYLOAD)
    theirs = IngestRequest(user_id=asked.user_id).model_dump(by_alias=True) | joined.payload
    other_address = asked.email is not None and asked.email != joined.email
    return sorted([name for name, value in ours.items() if value != theirs[name]] + ["email"] * other_address)


@router.get("/run-history/{user_id:path}/status", response_model=HistoryStatus)
async def get_history_status(user_id: UserId, given: Given, caller: Auth) -> Response:
    """How many runs have what, and how far the newest ingest is: what it has cost so far, and how long it will take."""
    owner, history = caller.reads_of(user_id), given.history_intake.history
    newest = await given.jobs.list(JobFilter(kind=KIND, owner=owner), limit=1)
    failures = (await history.ended(newest[0].id)).failures if newest else ()
    body = {
        "userId": owner,
        "history": await history.state(owner),
        "job": shown(newest[0]) if newest else None,
        "failures": [failure.model_dump(by_alias=True) for failure in failures],
    }
    return reply(body)


@router.get("/run-history/{user_id:path}/estimate", response_model=Estimate, responses=LIMITED)
async def estimate_ingest(
    user_id: UserId, wanted: Annotated[EstimateAsked, Query()], given: Given, caller: Auth
) -> Response:
    """How many texts an ingest would write, how long it would take and what it would cost, before it is started."""
    asked = IngestRequest(user_id=caller.reads_of(user_id), **wanted.model_dump())
    try:
        return reply(await given.history_intake.estimate(asked))
    except CallerError as error:
        error.pointer = "?maxActivities"
        raise
