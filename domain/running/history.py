"""A run among the runner's own others. Summaries come in any order; what is no run, or poor, is left out."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from domain.model import Model
from domain.running.figures import Fact, Unit, fact
from domain.running.runs import Runs, RunSummary

# What can be set against another run's, and its unit.
COMPARED: Mapping[str, Unit] = {
    "distance": "m",
    "moving_time": "s",
    "pace": "s/km",
    "grade_adjusted_pace": "s/km",
    "elevation_gain": "m",
    "average_heart_rate": "bpm",
    "average_cadence": "spm",
    "efficiency": "m/beat",
    "decoupling": "%",
    "trimp_banister": "points",
}

# Fewer give no average.
LEAST_RUNS = 3

# How much longer or shorter, and by how many metres of climb in each of distance, a run may be to be like another.
ALIKE, ALIKE_CLIMB = 0.15, 0.010


class Similar(Model):
    """Another run of about the same distance and climb. `differences` are this run minus that one."""

    id: str
    name: str
    started_at: datetime
    differences: dict[str, Fact]


def compared(run: RunSummary, others: Iterable[RunSummary]) -> dict[str, Fact]:
    """The run against the runner's own of the 28 and 90 days before it: for each of COMPARED `<name>_average_28d` and
    `<name>_difference_28d` (this one minus that average); `runs_28d`, `distance_28d`, `longest_28d`; the same with
    `_90d`. Fewer than LEAST_RUNS give no average."""
    told: dict[str, Fact] = {}
    for days in (28, 90):
        before = Runs.of(others).before(run.started_at, days)
        if not before:
            continue
        span = f"the {days} days before"
        told[f"runs_{days}d"] = fact(len(before), "count", f"runs of {span}")
        if distances := before.values("distance"):
            told[f"distance_{days}d"] = fact(math.fsum(distances), "m", f"all runs of {span}")
            told[f"longest_{days}d"] = fact(max(distances), "m", f"longest run of {span}")
        less = f"this run less that of {span}"
        for name, unit in COMPARED.items():
            own, theirs = run.values.get(name), before.values(name)
            if own is None or len(theirs) < LEAST_RUNS:
                continue
            average = math.fsum(theirs) / len(theirs)
            told[f"{name}_average_{days}d"] = fact(average, unit, f"mean of {len(theirs)} runs of {span}")
            told[f"{name}_difference_{days}d"] = fact(own - average, unit, less)
    return told


def similar(run: RunSummary, others: Iterable[RunSummary], most: int = 3) -> tuple[Similar, ...]:
    """Earlier runs most like this one in distance and climb, the nearest first, then the newest."""
    near: list[tuple[float, float, RunSummary]] = []
    for other in others:
        apart = _apart(run, other)
        if other.is_run and other.id != run.id and other.started_at < run.started_at and apart is not None:
            near.append((round(apart, 2), -other.started_at.timestamp(), other))
    near.sort(key=lambda found: found[:2])
    return tuple(
        Similar(id=other.id, name=other.name, started_at=other.started_at, differences=difference(other, run))
        for _, _, other in near[:most]
    )


def difference(a: RunSummary, b: RunSummary) -> dict[str, Fact]:
    """`<name>_difference`: b minus a, for each of COMPARED that both have."""
    return {
        f"{name}_difference": fact(b.values[name] - a.values[name], unit, "one run less the other")
        for name, unit in COMPARED.items()
        if name in a.values and name in b.values
    }


def _apart(a: RunSummary, b: RunSummary) -> float | None:
    """0 for the same, 1 at the edge of being alike in distance, None beyond."""
    ours, theirs = a.values.get("distance", 0.0), b.values.get("distance", 0.0)
    if ours <= 0 or theirs <= 0 or abs(ours - theirs) > ALIKE * ours:
        return None
    apart = abs(ours - theirs) / (ALIKE * ours)
    climb, other_climb = a.values.get("elevation_gain"), b.values.get("elevation_gain")
    if climb is None or other_climb is None:
        return apart
    steeper = abs(climb / ours - other_climb / theirs)
    return None if steeper > ALIKE_CLIMB else apart + steeper / ALIKE_CLIMB
