"""What to run next: rules over the last four weeks, no model and no word on health."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from domain.model import Model
from domain.running.figures import Fact, fact
from domain.running.periods import training_load
from domain.running.prediction import best_vdot, speed_at
from domain.running.runs import Runs, RunSummary

# A week grows by so much at most, and shrinks to so much after one that was more than MUCH times the usual.
GROWTH, RELIEF, MUCH = 1.05, 0.85, 1.3

# The long run's part of the week, and by how much it may pass the longest of the four weeks.
LONG_PART, LONG_GROWTH = 0.33, 1.10

# Faster running comes on top of a base only.
LEAST_RUNS_FOR_FAST, LEAST_METRES_FOR_FAST = 3, 20_000.0
FEWEST_SESSIONS, MOST_SESSIONS = 2, 6

# Shares of VDOT (Daniels): easy running, and what can be held for an hour.
EASY, THRESHOLD = 0.65, 0.88

FIRST_SESSIONS, FIRST_SECONDS = 3, 25 * 60.0


class SuggestedSession(Model):
    """One session of a week to come."""

    kind: Literal["easy", "long", "steady"]
    facts: dict[str, Fact]
    reason: str


class Suggestion(Model):
    """The next seven days. `facts` are those of the last 28 that it stands on, and the week's `distance_target`."""

    facts: dict[str, Fact]
    sessions: tuple[SuggestedSession, ...]
    reasons: tuple[str, ...]


def suggestion(runs: Iterable[RunSummary], now: datetime) -> Suggestion:
    """From the last 28 days; who ran none is given a beginning."""
    runs = Runs.of(runs)
    month = [run for run in runs.before(now, 28) if run.values.get("distance", 0.0) > 0]
    if not month:
        return _beginning()
    distances = [run.values["distance"] for run in month]
    # Who has run for less than four weeks is measured by the weeks there were.
    weeks = max(1.0, min(4.0, (now - min(run.started_at for run in month)).total_seconds() / (7 * 86_400)))
    usual = math.fsum(distances) / weeks
    last = math.fsum(runs.before(now, 7).values("distance"))
    eased = last > MUCH * usual
    target = usual * (RELIEF if eased else GROWTH)
    facts = training_load(runs, now) | {
        "runs_28d": fact(len(month), "count", "runs of the last 28 days"),
        "distance_week_average": fact(usual, "m", "a week of the last 28 days"),
        "distance_7d": fact(last, "m", "the last 7 days"),
        "longest_28d": fact(max(distances), "m", "longest run of the last 28 days"),
        "distance_target": fact(target, "m", f"{RELIEF if eased else GROWTH:g} times the average week"),
    }
    share = "less than usual, since the last week was more" if eased else "a little more than an average week"
    count = max(FEWEST_SESSIONS, min(MOST_SESSIONS, round(len(month) / weeks)))
    fast = not eased and count >= LEAST_RUNS_FOR_FAST and usual >= LEAST_METRES_FOR_FAST
    return Suggestion(
        facts=facts,
        sessions=_sessions(target, count, fast, max(distances), best_vdot(runs, now)),
        reasons=(f"the week as a whole: {share}", f"as many sessions as in an average week: {count}"),
    )


def _beginning() -> Suggestion:
    each = fact(FIRST_SECONDS, "s", "a beginning; no run in the last 28 days")
    session = SuggestedSession(kind="easy", facts={"moving_time": each}, reason="at a pace that leaves breath to talk")
    return Suggestion(facts={}, sessions=(session,) * FIRST_SESSIONS, reasons=("no run in the last 28 days",))


def _sessions(
    target: float, count: int, fast: bool, longest: float, vdot: float | None
) -> tuple[SuggestedSession, ...]:
    """A long run, a faster one if there is a base for it, the rest easy in equal parts; together `target`."""
    long = min(max(target * LONG_PART, target / count), longest * LONG_GROWTH)
    each = (target - long) / (count - 1)
    sessions = [
        _session("long", long, EASY, vdot, f"the week's longest, at most {LONG_GROWTH:g} times that of 28 days")
    ]
    if fast:
        sessions.append(
            _session("steady", each, THRESHOLD, vdot, "its middle half as fast as an hour's race, the rest easy")
        )
    easy = [_session("easy", each, EASY, vdot, "at a pace that leaves breath to talk")] * (count - len(sessions))
    return (*sessions, *easy)


def _session(
    kind: Literal["easy", "long", "steady"], metres: float, share: float, vdot: float | None, reason: str
) -> SuggestedSession:
    facts = {"distance": fact(metres, "m", "part of the week's distance")}
    if vdot is not None:
        basis = f"{share:.0%} of VDOT (Daniels and Gilbert)"
        facts["pace"] = fact(1000 / speed_at(vdot, share), "s/km", basis, "fair")
    return SuggestedSession(kind=kind, facts=facts, reason=reason)
