"""How jobs went: success, durations, tokens and money, by kind, day and owner."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given
from api.wire import reply
from domain.errors import CallerError, UnknownKind
from domain.model import Model, Request
from ledger.stats import Asked

if TYPE_CHECKING:
    from ledger.stats import Figures

router = APIRouter(prefix="/api/stats", tags=["upkeep"])
USUAL = timedelta(days=29)
LONGEST = timedelta(days=366)


class StatsWanted(Request):
    """Which jobs: by the day (UTC) on which they ended, first and last day included."""

    type: str | None = Field(default=None, min_length=1, max_length=256, description="A kind or an alias of one.")
    owner: str | None = Field(default=None, min_length=1, max_length=256)
    first: date | None = Field(default=None, alias="from", description="30 days back when not said.")
    last: date | None = Field(default=None, alias="to", description="Today when not said.")
    top: int = Field(default=10, ge=0, le=100, description="How many owners to list, those with most jobs first.")

    def days(self) -> tuple[date, date]:
        last = self.last or datetime.now(UTC).date()
        first = self.first or last - USUAL
        if first > last:
            raise CallerError("`from` is after `to`", pointer="?from")
        if last - first > LONGEST:
            raise CallerError("at most 366 days can be asked for at once", pointer="?from")
        return first, last


class FiguresView(Model):
    """`successRate` leaves canceled jobs out. Durations are those of completed jobs, from their first step to their
    end, to 5 %. `costUsd` counts the calls whose price is known.
    """

    jobs: int
    completed: int
    failed: int
    canceled: int
    expired: int
    timed_out: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    tokens: int
    cost_usd: float


class OfKind(FiguresView):
    kind: str


class OfDay(FiguresView):
    day: date


class OfOwner(FiguresView):
    owner: str


class StatsView(Model):
    """`byOwner` lists the owners with most jobs; it is empty when one owner was asked for."""

    from_: date = Field(alias="from")
    to: date
    total: FiguresView
    by_kind: list[OfKind]
    by_day: list[OfDay]
    by_owner: list[OfOwner]


@router.get("", response_model=StatsView)
async def get_stats(wanted: Annotated[StatsWanted, Query()], given: Given, caller: Auth) -> Response:
    """Jobs that ended, how many of them well, how long they ran and what they cost: in all, by kind, day and owner.

    A token sees the figures of its own owner.
    """
    first, last = wanted.days()
    owner = wanted.owner if caller.grants is None else caller.reads_of(wanted.owner)
    try:
        kind = given.catalog[wanted.type].name if wanted.type else None
    except UnknownKind as error:
        raise UnknownKind(error.message, pointer="?type") from None
    found = await given.stats.read(Asked(first, last, kind, owner), top=wanted.top)
    view = {
        "from": first,
        "to": last,
        "total": _shown(found.total),
        "byKind": [_shown(figures, kind=name) for name, figures in found.by_kind.items()],
        "byDay": [_shown(figures, day=day) for day, figures in found.by_day.items()],
        "byOwner": [_shown(figures, owner=name) for name, figures in found.by_owner.items()],
    }
    return reply(view)


def _shown(figures: "Figures", **of: object) -> dict[str, Any]:
    """A FiguresView, its fields by their names on the wire."""
    return {
        "jobs": figures.jobs,
        "completed": figures.completed,
        "failed": figures.failed,
        "canceled": figures.canceled,
        "expired": figures.expired,
        "timedOut": figures.timed_out,
        "successRate": figures.success_rate,
        "p50Seconds": figures.quantile(0.5),
        "p95Seconds": figures.quantile(0.95),
        "tokens": figures.tokens,
        "costUsd": float(figures.usd),
        **of,
    }
