"""A run among the runner's own others. All take light summaries, in any order, and forget nothing they need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.model import Model
from domain.running.figures import Fact, Facts


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What is needed of a workout to set it beside others. `values` are the values of its facts by name."""

    id: str
    name: str
    started_at: datetime
    is_run: bool
    values: Mapping[str, float]

    @classmethod
    def of(cls, id: str, name: str, started_at: datetime, facts: Facts) -> "RunSummary":  # noqa: A002
        values = {name: fact.value for name, fact in facts.facts.items()}
        return cls(id, name, started_at, facts.not_a_run is None, values)


class Similar(Model):
    """Another run of about the same distance and climb. `differences` are this run minus that one."""

    id: str
    name: str
    started_at: datetime
    differences: dict[str, Fact]


class Prediction(Model):
    """A race time in seconds by one method, from one best effort. `limit` says where the method is known to fail."""

    distance: Literal["5km", "10km", "half_marathon", "marathon"]
    method: Literal["riegel", "vdot"]
    seconds: Fact
    from_run: str
    from_effort: str
    limit: str | None = None


class Period(Model):
    """A stretch of days that a figure covers: a month, a week. `days` are from `start`."""

    start: date
    days: int
    facts: dict[str, Fact]


class Trends(Model):
    """Months from the oldest to the newest, and what changed over them."""

    periods: tuple[Period, ...]
    facts: dict[str, Fact]


class SuggestedSession(Model):
    """One session of a week to come."""

    kind: Literal["rest", "easy", "long", "steady", "intervals"]
    facts: dict[str, Fact]
    reason: str


class Suggestion(Model):
    """The next seven days, from rules over the last 28. Advice from figures alone: no word on health."""

    facts: dict[str, Fact]
    sessions: tuple[SuggestedSession, ...]
    reasons: tuple[str, ...]


def compared(run: RunSummary, others: Sequence[RunSummary]) -> dict[str, Fact]:
    """The run against the runner's own runs of the 28 and 90 days before it: `<name>_average_28d`,
    `<name>_difference_28d` (this one minus that average) and `_90d` for pace, distance, average_heart_rate, …;
    `runs_28d`, `distance_28d`, and 90. Fewer than three runs give no average."""
    raise NotImplementedError


def similar(run: RunSummary, others: Sequence[RunSummary], most: int = 3) -> tuple[Similar, ...]:
    """Earlier runs most like this one in distance and climb, the nearest first."""
    raise NotImplementedError


def difference(a: RunSummary, b: RunSummary) -> dict[str, Fact]:
    """`<name>_difference`: b minus a, for every figure that both have and that can be set against another."""
    raise NotImplementedError


def predictions(runs: Sequence[RunSummary], now: datetime) -> tuple[Prediction, ...]:
    """Race times from the best efforts of the 90 days before `now`."""
    raise NotImplementedError


def training_load(runs: Sequence[RunSummary], now: datetime) -> dict[str, Fact]:
    """`load_7d`, `load_28d` and `load_ratio`: a trend only, never a word on injury."""
    raise NotImplementedError


def week(runs: Sequence[RunSummary], monday: date, timezone: str = "UTC") -> Period:
    """The seven days from `monday` in the runner's own timezone, and against the four weeks before."""
    raise NotImplementedError


def trends(runs: Sequence[RunSummary], now: datetime, months: int = 12, timezone: str = "UTC") -> Trends:
    """Calendar months up to `now` and what changed between their halves."""
    raise NotImplementedError


def suggestion(runs: Sequence[RunSummary], now: datetime) -> Suggestion:
    """The next seven days from the last 28."""
    raise NotImplementedError
