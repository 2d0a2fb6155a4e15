"""A runner's activities beside each other: two of them, months, races to come, the next week. Figures alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Response

from api.adapters.running import find
from api.adapters.running_wire import ActivitySummary, Comparison, Predictions
from api.dependencies import Auth, Given
from api.wire import reply
from domain.errors import CallerError
from domain.running.history import difference
from domain.running.periods import Trends, training_load, trends
from domain.running.prediction import predictions
from domain.running.suggestion import Suggestion, suggestion

if TYPE_CHECKING:
    from api.dependencies import Services
    from domain.running.history import RunSummary

router = APIRouter(prefix="/api", tags=["running"])
UserId = Annotated[str, Path(min_length=1, max_length=256, examples=["user_1"])]
# What the figures look back on.
QUARTER = timedelta(days=91)


@router.get("/activities/compare", response_model=Comparison)
async def compare_activities(
    given: Given,
    caller: Auth,
    a: Annotated[str, Query(max_length=64, description="The id of the first.")],
    b: Annotated[str, Query(max_length=64, description="The id of the second.")],
) -> Response:
    """Two activities of one user: b minus a, for every figure that both have."""
    first, second = await find(a, given, caller), await find(b, given, caller)
    if first.user_id != second.user_id:
        raise CallerError("the two are of different users", pointer="?b")
    first, second = await given.workout_intake.current(first), await given.workout_intake.current(second)
    body = Comparison(
        a=ActivitySummary.of(first),
        b=ActivitySummary.of(second),
        differences=difference(first.summary, second.summary),
    )
    return reply(body)


@router.get("/run-history/{user_id:path}/trends", response_model=Trends)
async def get_trends(
    user_id: UserId, given: Given, caller: Auth, months: Annotated[int, Query(ge=1, le=120)] = 12
) -> Response:
    """A runner's months up to now, by the days of the user's own timezone, and what changed over them."""
    now, owner = datetime.now(UTC), caller.reads_of(user_id)
    user = await given.users.get(owner)
    timezone = (user.timezone if user else None) or "UTC"
    runs = await _runs(owner, now, timedelta(days=31 * (months + 1)), given)
    return reply(await asyncio.to_thread(trends, runs, now, months, timezone))


@router.get("/run-history/{user_id:path}/predictions", response_model=Predictions)
async def get_predictions(user_id: UserId, given: Given, caller: Auth) -> Response:
    """Race times from the best efforts of the last 90 days, by Riegel and by VDOT; each says where it is known to fail.

    `load` is the training load of the last 7 and 28 days: a trend only.
    """
    now = datetime.now(UTC)
    runs = await _runs(caller.reads_of(user_id), now, QUARTER, given)
    return reply(Predictions(predictions=list(predictions(runs, now)), load=training_load(runs, now)))


@router.get("/run-history/{user_id:path}/suggestion", response_model=Suggestion)
async def get_suggestion(user_id: UserId, given: Given, caller: Auth) -> Response:
    """The next seven days of training, by rules from the figures of the last weeks: no word on health."""
    now = datetime.now(UTC)
    return reply(suggestion(await _runs(caller.reads_of(user_id), now, QUARTER, given), now))


async def _runs(user_id: str, now: datetime, back: timedelta, given: "Services") -> "list[RunSummary]":
    return await given.workouts.summaries(user_id, since=now - back, until=now)
