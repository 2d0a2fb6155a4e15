"""Letters and insights for a runner's whole history: what is asked, what comes of it, and what it will take."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.errors import TierLimit
from domain.job import Items, Tier
from domain.model import Model, Request
from domain.portions import Again
from domain.running.contents import HALVES, Half
from domain.usage import Usage

KIND = "batch-ingest-run-history"
FREE_RUNS = 20
# runs at once, each with both its calls
AT_ONCE: dict[Tier, int] = {"free": 5, "premium": 10}
RUNS_AN_HOUR = 1000
# until the user's own are known: tokens of a half, and seconds that a batch takes beside its pause
ASSUMED: dict[Half, Usage] = {
    "letter": Usage(input_tokens=300, output_tokens=150),
    "insight": Usage(input_tokens=500, output_tokens=400),
}
ASSUMED_SECONDS = 6.0
MOST_FAILURES = 100


class IngestRequest(Request):
    """Whose history, the most recent runs first. `tier` may lower the user's own, never raise it.

    `regenerate` writes anew what is written already; without it only what is missing is written.
    """

    user_id: str = Field(min_length=1, max_length=256)
    tier: Tier | None = None
    max_activities: int | None = Field(default=None, ge=1, le=1_000_000)
    regenerate: bool = False


class IngestPortion(Model):
    """What the activity that does a portion is handed."""

    asked: IngestRequest
    again: Again


class IngestFailure(Model):
    """A run that was given up, and why."""

    activity_id: UUID
    code: str
    message: str


class IngestResult(Model):
    """`done` were written about now, `skipped` had all that was asked for before. Texts that stand of this job are
    counted one by one, and the first hundred failures are told. `costUsd` is null where a price is not known."""

    total: int
    done: int
    failed: int
    skipped: int
    letters: int
    insights: int
    failures: tuple[IngestFailure, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)
    answered_by: Literal["anthropic", "openai", "offline", "mixed"] | None = None


class ToDo(Model):
    """What an ingest would find: so many runs are chosen, so many halves of them are missing."""

    tier: Tier
    runs: int
    batches: int
    missing: dict[Half, int]
    # tokens of the user's own texts; halves that no model has written yet are left out
    averages: dict[Half, Usage] = Field(default_factory=dict)
    seconds_a_run: float | None = None


class Estimate(Model):
    """What an ingest would take. `basis`: the user's own texts so far, or assumed figures. `costUsd` is null where the
    model's price is not known, and 0 where no model is asked."""

    user_id: str
    tier: Tier
    activities: int = Field(description="runs that would be written about")
    letters: int
    insights: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    seconds: float
    model: str | None
    basis: Literal["measured", "assumed"]


class HalfCounts(Model):
    """How many of the user's runs stand where."""

    pending: int = 0
    generating: int = 0
    completed: int = 0
    failed: int = 0


class HistoryState(Model):
    """What is written about a user's runs."""

    activities: int
    letters: HalfCounts
    insights: HalfCounts


class Ended(Model):
    """The counts of a job's items and what it took; what `IngestResult` is made of."""

    items: Items
    texts: dict[Half, int]
    writers: tuple[str, ...]
    failures: tuple[IngestFailure, ...]
    usage: Usage
    cost_usd: Decimal | None

    def result(self) -> IngestResult:
        who = self.writers[0] if len(self.writers) == 1 else "mixed" if self.writers else None
        return IngestResult.model_validate(
            {
                **self.items.model_dump(),
                "letters": self.texts.get("letter", 0),
                "insights": self.texts.get("insight", 0),
                "failures": self.failures,
                "input_tokens": self.usage.input_tokens,
                "output_tokens": self.usage.output_tokens,
                "cost_usd": self.cost_usd,
                "answered_by": who,
            }
        )


def tier_of(own: Tier | None, asked: Tier | None) -> Tier:
    """The user's tier in the ledger (None: not listed), lowered where the payload says so."""
    return "premium" if own == "premium" and asked != "free" else "free"


def most_runs(tier: Tier, asked: IngestRequest) -> int | None:
    """How many runs may be taken; None: all of them. Raises TierLimit when more is asked for."""
    if tier == "premium":
        return asked.max_activities
    if asked.max_activities is not None and asked.max_activities > FREE_RUNS:
        raise TierLimit("Upgrade to premium for full history", pointer="/payload/maxActivities")
    return min(asked.max_activities or FREE_RUNS, FREE_RUNS)


def hours(runs: int) -> int:
    """How long an ingest of so many runs may take."""
    return max(1, math.ceil(runs / RUNS_AN_HOUR))


def estimated(
    todo: ToDo,
    user_id: str,
    *,
    pause: float,
    model: str | None,
    price: Callable[[Usage], Decimal | None],
    calls_per_minute: float | None = None,
) -> Estimate:
    """What is to do as time and money. `pause` is in seconds between batches; without a `model` the twin writes, which
    costs nothing. `price` says what a call of so many tokens costs."""
    usage = {half: todo.averages.get(half, ASSUMED[half]) for half in HALVES}
    cost: Decimal | None = Decimal(0)
    for half in HALVES if model else ():
        one = price(usage[half])
        cost = None if cost is None or one is None else cost + todo.missing[half] * one
    calls = sum(todo.missing.values()) if model else 0
    assumed = todo.batches * ASSUMED_SECONDS + max(0, todo.batches - 1) * pause
    working = assumed if todo.seconds_a_run is None else todo.runs * todo.seconds_a_run
    seconds = max(working, calls * 60 / (calls_per_minute or math.inf))
    needed = [half for half in HALVES if todo.missing[half]]
    return Estimate(
        user_id=user_id,
        tier=todo.tier,
        activities=todo.runs,
        letters=todo.missing["letter"],
        insights=todo.missing["insight"],
        input_tokens=sum(todo.missing[half] * usage[half].input_tokens for half in HALVES) if model else 0,
        output_tokens=sum(todo.missing[half] * usage[half].output_tokens for half in HALVES) if model else 0,
        cost_usd=cost,
        seconds=round(seconds, 1),
        model=model,
        basis="measured" if needed and all(half in todo.averages for half in needed) else "assumed",
    )
