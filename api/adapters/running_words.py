"""What was written about runs: letters, coaching insights, and reviews of more than one."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.adapters.running import find
from api.dependencies import Auth, Given
from api.errors import Problem
from api.wire import reply
from domain.model import Model
from domain.running.contents import About, Content, Review

router = APIRouter(prefix="/api", tags=["running"])
ActivityId = Annotated[str, Path(max_length=64, examples=["0b7cf1b5-6a3e-4f0e-9c5a-2f3d0b1c4e5f"])]
UserId = Annotated[str, Path(min_length=1, max_length=256, examples=["user_1"])]


class Reviews(Model):
    """Those of one sort, the newest first."""

    reviews: list[Review]


@router.get("/activities/{activity_id}/letter", response_model=Content)
async def get_letter(activity_id: ActivityId, given: Given, caller: Auth) -> Response:
    """The letter about an activity, and every figure that it may cite.

    `pending` until a job of the kind `generate-run-letter` or `process-activity-content` has begun with it. While it is
    `generating` anew, and when that has `failed`, the text before it stays.
    """
    row = await find(activity_id, given, caller)
    return reply(await given.contents.get(row.id, "letter"))


@router.get("/activities/{activity_id}/insight", response_model=Content)
async def get_insight(activity_id: ActivityId, given: Given, caller: Auth) -> Response:
    """The coaching insight on an activity; like the letter, by `generate-coaching-insight`."""
    row = await find(activity_id, given, caller)
    return reply(await given.contents.get(row.id, "insight"))


@router.get("/run-history/{user_id:path}/reviews", response_model=Reviews, responses={422: {"model": Problem}})
async def list_reviews(
    user_id: UserId,
    given: Given,
    caller: Auth,
    about: About = "week",
    week: Annotated[date | None, Query(description="Of `week`: its Monday.")] = None,
    a: Annotated[UUID | None, Query(description="Of `comparison`: the first run.")] = None,
    b: Annotated[UUID | None, Query(description="Of `comparison`: the second run.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """Words on more than one run, with every figure that they may cite: weekly digests (`weekly-run-digest`), and what
    the kind `review-runs` wrote of two runs, of months or of the week to come."""
    key = week.isoformat() if week else f"{a}:{b}" if a and b else None
    found = await given.contents.reviews(caller.reads_of(user_id), about, key=key, limit=limit)
    return reply(Reviews(reviews=found))
