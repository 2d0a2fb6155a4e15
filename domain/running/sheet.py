"""What a writer is told of a run: its own figures, and how it stands among the runner's others at that time."""

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.running.contents import Half, RunSheet
from domain.running.figures import Fact, Facts, fact
from domain.running.history import Similar, compared, similar
from domain.running.letters import words_of
from domain.running.pacing import EFFORTS
from domain.running.periods import training_load
from domain.running.runs import Runs, RunSummary
from domain.running.suggestion import Suggestion, suggestion
from domain.running.traced import has_heart, without_heart

# How far back others are set beside a run, and how many of about its length.
RECENT, NEAR = timedelta(days=90), 12
# What comes after a run begins so long after its start.
AFTERWARDS = timedelta(days=1)
# Figures that are the same in every sheet.
WEEK = fact(7, "count", "days of the week to come")
WINDOWS = {days: fact(days, "count", "days before the run that it is compared with") for days in (28, 90)}
LENGTHS = {length: fact(metres, "m", "the length of such an effort") for length, (metres, _) in EFFORTS.items()}
# What the letter is about; the insight may cite all.
_LETTER = """distance moving_time pace elevation_gain average_heart_rate max_heart_rate first_half_pace second_half_pace
fastest_km average_cadence pace_difference_28d distance_difference_28d runs_28d distance_28d window_28d start_day
start_month start_year"""
LETTER = frozenset(_LETTER.split())
# Of little use to anybody who reads, and long.
_UNTOLD = """average_heart_rate_moving average_speed max_speed altitude_min altitude_max steps step_length efficiency
trimp_edwards elapsed_pace"""
UNTOLD = frozenset(_UNTOLD.split())


def run_sheet(
    user_id: str,
    run: RunSummary,
    facts: Facts,
    *,
    recent: Iterable[RunSummary] = (),
    near: Iterable[RunSummary] = (),
    timezone: str | None = None,
) -> RunSheet:
    """The sheet of a workout. `recent` are the runs of the 90 days before it, `near` earlier ones of about its length.

    Nothing that came later is in it: written today or in a year, the letter about a run is the same.
    """
    started_at = run.started_at.astimezone(ZoneInfo(timezone or "UTC"))
    found = {name: value for name, value in facts.facts.items() if name not in UNTOLD and _says_anything(name, value)}
    if facts.not_a_run is None:
        found |= _among(run, recent, near)
    if not has_heart(facts.facts):
        found = without_heart(found)
    return RunSheet(
        workout_id=UUID(run.id),
        user_id=user_id,
        # digits in a name are no figures
        title="" if any(sign.isdigit() for sign in run.name) else run.name,
        sport=facts.sport,
        started_at=started_at,
        facts=found | dict(_lengths(found)) | _date(started_at),
        pacing=facts.pacing,
        estimated=facts.zones is not None and facts.zones.estimated,
    )


def offered(sheet: RunSheet, half: Half) -> dict[str, Fact]:
    """The figures that a half may cite."""
    if half == "insight":
        return sheet.facts
    return {name: value for name, value in sheet.facts.items() if name in LETTER}


def named(sheet: RunSheet) -> list[str]:
    """The text whose names may be used: what the run is called, its day and its month."""
    return [sheet.title, *words_of(sheet).values()]


def _says_anything(name: str, value: Fact) -> bool:
    return value.value != 0 or not name.startswith(("time_in_zone", "stopped_time"))


def _among(run: RunSummary, recent: Iterable[RunSummary], near: Iterable[RunSummary]) -> dict[str, Fact]:
    """The run set beside the others; the week to come as it was on its day."""
    others = Runs.of(recent)
    found = compared(run, others)
    found |= {f"window_{days}d": window for days, window in WINDOWS.items() if f"runs_{days}d" in found}
    found |= dict(_like(similar(run, near, most=1), run.started_at))
    ran, afterwards = others.and_then(run), run.started_at + AFTERWARDS
    suggested = suggestion(ran, afterwards)
    loads = suggested.facts or training_load(ran, afterwards)
    found |= {name: value for name, value in loads.items() if name.startswith("load_")}
    return found | dict(coming(suggested))


def _like(others: Sequence[Similar], started_at: datetime) -> Iterator[tuple[str, Fact]]:
    for other in others:
        days = (started_at - other.started_at).days
        yield "window_since_similar_run", fact(days, "count", "days since the similar run")
        for name, value in other.differences.items():
            yield f"similar_run_{name}", value


def _lengths(names: Container[str]) -> Iterator[tuple[str, Fact]]:
    """How long the distances are that figures have in their names: the best 5 km."""
    for length, metres in LENGTHS.items():
        if f"best_{length}" in names:
            yield f"length_{length}", metres


def coming(suggested: Suggestion) -> Iterator[tuple[str, Fact]]:
    """The week to come: `next_week_distance`, `next_easy_count`, `next_easy_distance`, `next_long_pace`, …"""
    if target := suggested.facts.get("distance_target"):
        yield "next_week_distance", target
    if suggested.sessions:
        yield "window_7d", WEEK
    kinds = [session.kind for session in suggested.sessions]
    # those of a kind are alike
    for session in {session.kind: session for session in suggested.sessions}.values():
        yield f"next_{session.kind}_count", fact(kinds.count(session.kind), "count", "sessions of this sort")
        for name, value in session.facts.items():
            yield f"next_{session.kind}_{name}", value


def _date(moment: datetime) -> dict[str, Fact]:
    where = f"of the start, in {moment.tzname()}"
    parts = {"start_day": moment.day, "start_month": moment.month, "start_year": moment.year}
    return {name: fact(value, "", f"{name.removeprefix('start_')} {where}") for name, value in parts.items()}
