"""What a writer is told of more than one run: a week, two runs side by side, months, the week to come."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.running.contents import ReviewSheet
from domain.running.figures import Fact, Facts, fact
from domain.running.history import COMPARED, difference
from domain.running.periods import Period, trends, week
from domain.running.runs import RunSummary
from domain.running.sheet import coming
from domain.running.suggestion import suggestion
from domain.running.traced import has_heart, without_heart
from domain.text import MONTHS

MONTHS_BACK = 12
# Of a month among others.
MONTHLY = ("runs", "distance", "pace", "average_heart_rate")


def week_sheet(user_id: str, runs: Sequence[RunSummary], monday: date, timezone: str | None) -> ReviewSheet:
    """The seven days from `monday`; `runs` are those of it and of the four weeks before."""
    period = week(runs, monday, timezone or "UTC")
    facts = {name: value for name, value in period.facts.items() if name != "efficiency"}
    title = f"The week from Monday {monday.day} {MONTHS[monday.month - 1]} {monday.year}"
    return ReviewSheet(
        user_id=user_id,
        about="week",
        key=monday.isoformat(),
        title=title,
        facts=(facts if has_heart(facts) else without_heart(facts))
        | dict(_date("since", monday))
        | {"window_7d": fact(7, "count", "days of the week")},
        named=(MONTHS[monday.month - 1], "Monday", "Sunday"),
    )


def comparison_sheet(
    user_id: str, a: tuple[RunSummary, Facts], b: tuple[RunSummary, Facts], timezone: str | None
) -> ReviewSheet:
    """Run a, and what run b did otherwise."""
    zone = ZoneInfo(timezone or "UTC")
    found: dict[str, Fact] = {}
    names: list[str] = []
    for letter, (run, facts) in (("a", a), ("b", b)):
        found |= {f"{letter}_{name}": facts.facts[name] for name in COMPARED if name in run.values}
        started_at = run.started_at.astimezone(zone)
        found |= dict(_date(letter, started_at.date()))
        names += [MONTHS[started_at.month - 1], f"{started_at:%A}"]
    found |= {name: value for name, value in difference(a[0], b[0]).items() if "efficiency" not in name}
    heard = all(has_heart(facts.facts) for _, facts in (a, b))
    return ReviewSheet(
        user_id=user_id,
        about="comparison",
        key=f"{a[0].id}:{b[0].id}",
        title="Run a and a later or other run b; differences are b less a",
        facts=found if heard else without_heart(found),
        named=("A", "B", *names),
    )


def trends_sheet(user_id: str, runs: Sequence[RunSummary], now: datetime, timezone: str | None) -> ReviewSheet:
    """The months up to now: the first and the last whole one, and what changed over all of them."""
    found = trends(runs, now, MONTHS_BACK, timezone or "UTC")
    facts, whole = dict(found.facts), found.periods[:-1]
    names: list[str] = []
    for which, period in zip(("first", "last"), (whole[0], whole[-1]) if len(whole) > 1 else (), strict=False):
        facts |= dict(_monthly(which, period))
        names.append(MONTHS[period.start.month - 1])
    if whole:
        facts["months"] = fact(len(whole), "count", "whole months looked at")
    facts.pop("efficiency_change", None)
    return ReviewSheet(
        user_id=user_id,
        about="trends",
        key=now.astimezone(ZoneInfo(timezone or "UTC")).date().isoformat(),
        title="Months of running" + (f", from {names[0]} to {names[1]}" if names else ""),
        facts=facts if has_heart(facts) else without_heart(facts),
        named=tuple(names),
    )


def suggestion_sheet(user_id: str, runs: Sequence[RunSummary], now: datetime, timezone: str | None) -> ReviewSheet:
    """The seven days to come, from the last 28."""
    found = suggestion(runs, now)
    facts = {name: value for name, value in found.facts.items() if name != "distance_target"} | dict(coming(found))
    if found.facts:
        facts["window_28d"] = fact(28, "count", "days that it stands on")
    return ReviewSheet(
        user_id=user_id,
        about="suggestion",
        key=now.astimezone(ZoneInfo(timezone or "UTC")).date().isoformat(),
        title="The next seven days",
        facts=facts if has_heart(facts) else without_heart(facts),
        notes=tuple(dict.fromkeys(session.reason for session in found.sessions)),
    )


def _monthly(which: str, period: Period) -> Iterator[tuple[str, Fact]]:
    for name in MONTHLY:
        if name in period.facts:
            yield f"{which}_month_{name}", period.facts[name]
    yield f"{which}_year", fact(period.start.year, "", "of that month")


def _date(which: str, day: date) -> Iterator[tuple[str, Fact]]:
    parts: Mapping[str, int] = {"day": day.day, "month": day.month, "year": day.year}
    for name, value in parts.items():
        yield f"{which}_{name}", fact(value, "", f"{name} of the date")
