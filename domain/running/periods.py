"""A runner's weeks and months, by the days of their own timezone."""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.model import Model
from domain.running.figures import Fact, Quality, Unit, fact
from domain.running.runs import Runs, RunSummary

# A ratio of one week to four needs about four to be there.
LEAST_DAYS_BACK, LEAST_RUNS = 21, 4

# Of each half of the months that are set against each other.
LEAST_MONTHS = 2


class Period(Model):
    """A stretch of days, and what was run in it."""

    start: date
    days: int
    facts: dict[str, Fact]


class Trends(Model):
    """Months from the oldest to the newest, and what changed over them."""

    periods: tuple[Period, ...]
    facts: dict[str, Fact]


def training_load(runs: Iterable[RunSummary], now: datetime) -> dict[str, Fact]:
    """`load_7d`, `load_28d` and `load_ratio` (a day of the seven by a day of the 28): in TRIMP where every run has one
    of the runner's own heart rates, else in metres. A trend only, never a word on injury."""
    month = Runs.of(runs).before(now, 28)
    if month.since is None:
        return {}
    unit: Unit
    name, unit, what = (
        ("trimp_banister", "points", "TRIMP (Banister)")
        if len(month.values("trimp_banister")) == len(month)
        else ("distance", "m", "distance")
    )
    seven, all_28 = (math.fsum(some.values(name)) for some in (month.before(now, 7), month))
    told = {
        "load_7d": fact(seven, unit, f"{what} of the last 7 days"),
        "load_28d": fact(all_28, unit, f"{what} of the last 28 days"),
    }
    back = month.since <= now - timedelta(days=LEAST_DAYS_BACK)
    if back and len(month) >= LEAST_RUNS and all_28 > 0:
        basis = f"{what} a day, last 7 days by last 28; a trend, no forecast of anything"
        told["load_ratio"] = fact(seven / 7 / (all_28 / 28), "", basis)
    return told


def week(runs: Sequence[RunSummary], monday: date, timezone: str = "UTC") -> Period:
    """The seven days from `monday` in the runner's own timezone, and against the four weeks before: `runs`, `distance`,
    `moving_time`, `pace`, …; `distance_week_average`, `distance_change`."""
    local = _Local(runs, timezone)
    facts = local.between(monday, monday + timedelta(days=7))
    before = local.between(monday - timedelta(days=28), monday)
    if "distance" in before:
        average = before["distance"].value / 4
        facts["distance_week_average"] = fact(average, "m", "a week of the four before")
        if average > 0:
            now = facts["distance"].value if "distance" in facts else 0.0
            facts["distance_change"] = fact(
                (now / average - 1) * 100, "%", "this week against a week of the four before"
            )
    return Period(start=monday, days=7, facts=facts)


def trends(runs: Sequence[RunSummary], now: datetime, months: int = 12, timezone: str = "UTC") -> Trends:
    """Calendar months up to `now`, from the first in which there was a run on, and for `distance`, `pace`,
    `average_heart_rate` and `efficiency` the `<name>_change`: a month of the newer half less one of the older."""
    local = _Local(runs, timezone)
    today = now.astimezone(ZoneInfo(timezone)).date()
    firsts = [_month(today, back) for back in reversed(range(months))]
    periods = [
        Period(start=first, days=(after - first).days, facts=local.between(first, after))
        for first, after in zip(firsts, [*firsts[1:], _month(today, -1)], strict=True)
    ]
    while periods and not periods[0].facts:
        periods.pop(0)
    return Trends(periods=tuple(periods), facts=_changes(periods))


def _changes(periods: Sequence[Period]) -> dict[str, Fact]:
    # The month that is not over yet says nothing of a month.
    whole = periods[:-1]
    told: dict[str, Fact] = {}
    for name in ("distance", "pace", "average_heart_rate", "efficiency"):
        there = [period.facts[name] for period in whole if name in period.facts]
        there = [one for one in there if one.quality != "poor"]
        half = len(there) // 2
        if half < LEAST_MONTHS:
            continue
        older, newer = (math.fsum(one.value for one in some) / half for some in (there[:half], there[-half:]))
        basis = f"mean of the last {half} whole months less that of the first {half}"
        told[f"{name}_change"] = fact(newer - older, there[0].unit, basis)
    return told


class _Day(NamedTuple):
    day: date
    run: RunSummary


class _Local:
    """Runs by the date on which they started where the runner lives."""

    def __init__(self, runs: Sequence[RunSummary], timezone: str) -> None:
        zone = ZoneInfo(timezone)
        self._days = [_Day(run.started_at.astimezone(zone).date(), run) for run in runs if run.is_run]

    def between(self, start: date, end: date) -> dict[str, Fact]:
        """Sums and means of the days from `start` to before `end`; nothing where there was no run."""
        inside = [run for day, run in self._days if start <= day < end]
        if not inside:
            return {}
        told = {"runs": fact(len(inside), "count", "runs of these days")}
        for name, unit in _SUMS:
            values = [run.values[name] for run in inside if name in run.values]
            if values:
                whose, quality = _known_of(len(values), len(inside))
                told[name] = fact(math.fsum(values), unit, f"{whose} of these days", quality)
        distances = [run.values["distance"] for run in inside if "distance" in run.values]
        if distances:
            told["longest"] = fact(max(distances), "m", "longest run of these days")
        told |= _means(inside)
        return told


_SUMS: tuple[tuple[str, Unit], ...] = (("distance", "m"), ("moving_time", "s"), ("elevation_gain", "m"))


def _means(runs: Sequence[RunSummary]) -> dict[str, Fact]:
    """Pace of all the way together; heart rate, efficiency and cadence by the time that each run took."""
    told: dict[str, Fact] = {}
    paced = [run.values for run in runs if run.values.get("distance") and run.values.get("moving_time")]
    if paced:
        metres = math.fsum(values["distance"] for values in paced)
        seconds = math.fsum(values["moving_time"] for values in paced)
        whose, quality = _known_of(len(paced), len(runs))
        basis = f"moving time by distance of {whose} of these days"
        told["pace"] = fact(seconds / metres * 1000, "s/km", basis, quality)
    units: tuple[tuple[str, Unit], ...] = (
        ("average_heart_rate", "bpm"),
        ("efficiency", "m/beat"),
        ("average_cadence", "spm"),
    )
    for name, unit in units:
        known = [(run.values[name], run.values.get("moving_time", 0.0)) for run in runs if name in run.values]
        seconds = math.fsum(weight for _, weight in known)
        if seconds > 0:
            mean = math.fsum(value * weight for value, weight in known) / seconds
            whose, quality = _known_of(len(known), len(runs))
            told[name] = fact(mean, unit, f"mean over the moving time of {whose} of these days", quality)
    return told


def _known_of(known: int, runs: int) -> tuple[str, Quality]:
    """Whose figures were put together, in words, and how well they stand for all of the runs."""
    if known == runs:
        return "all runs", "good"
    return f"{known} of the {runs} runs", "fair" if 2 * known >= runs else "poor"


def _month(day: date, back: int) -> date:
    """The first of the month `back` months before that of `day`."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
