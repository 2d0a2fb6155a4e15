"""Race times from what was run already."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from domain.model import Model
from domain.running.figures import Fact, fact
from domain.running.pacing import EFFORTS
from domain.running.runs import Runs, RunSummary

Race = Literal["5km", "10km", "half_marathon", "marathon"]
RACES: tuple[Race, ...] = ("5km", "10km", "half_marathon", "marathon")

# Riegel's own bounds: efforts of 3.5 to 230 minutes. An effort tells of a race up to so many times its length.
SHORTEST_SECONDS, LONGEST_SECONDS = 210.0, 230 * 60.0
FURTHEST, NEAREST = 4.5, 0.5
RIEGEL = 1.06
DAYS = 90


def _tells(metres: float, race: Race) -> bool:
    """Whether an effort over that distance tells of the race."""
    return NEAREST <= EFFORTS[race][0] / metres <= FURTHEST


TELLING = {name: metres for name, (metres, _) in EFFORTS.items() if any(_tells(metres, race) for race in RACES)}

_MARATHON = {
    "riegel": "for the marathon this formula is ten minutes and more too fast for half of runners "
    "(Vickers and Vertosick 2016)",
    "vdot": "supposes the endurance of somebody trained for this distance",
}


class Prediction(Model):
    """A race time by one method, from one best effort. `limit` says where the method is known to fail."""

    distance: Race
    method: Literal["riegel", "vdot"]
    seconds: Fact
    vdot: Fact | None = None
    from_run: str
    from_effort: str
    limit: str | None = None


class _Effort(NamedTuple):
    run: RunSummary
    name: str
    seconds: float
    metres: float


def riegel(seconds: float, metres: float, race_metres: float) -> float:
    """Riegel 1981: T2 = T1 (D2 / D1)^1.06."""
    return seconds * (race_metres / metres) ** RIEGEL


def vdot(seconds: float, metres: float) -> float:
    """Daniels and Gilbert 1979: the oxygen cost of the speed by the share of the maximum that can be held so long, in
    ml/kg/min."""
    minutes = seconds / 60
    speed = metres / minutes
    cost = -4.60 + 0.182258 * speed + 0.000104 * speed**2
    return cost / (0.8 + 0.1894393 * math.exp(-0.012778 * minutes) + 0.2989558 * math.exp(-0.1932605 * minutes))


@lru_cache(10_000)
def seconds_for(found: float, metres: float) -> float:
    """The time over `metres` whose VDOT is `found`: VDOT falls with time, so it is halved in until it fits."""
    fast, slow = metres / 10.0, metres / 0.8
    for _ in range(60):
        middle = (fast + slow) / 2
        fast, slow = (middle, slow) if vdot(middle, metres) > found else (fast, middle)
    return slow


def speed_at(found: float, share: float) -> float:
    """The speed in m/s that costs `share` of a VDOT: the cost's equation solved for speed."""
    a, b, c = 0.000104, 0.182258, -4.60 - share * found
    return (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a) / 60


def predictions(runs: Iterable[RunSummary], now: datetime) -> tuple[Prediction, ...]:
    """Race times from the best efforts of the DAYS before `now`: by each method that of the effort which promises
    most. Efforts are of training runs and need not have been all that the runner can."""
    efforts = list(_fastest(runs, now))
    told: list[Prediction] = []
    for race in RACES:
        target = EFFORTS[race][0]
        near = [effort for effort in efforts if _tells(effort.metres, race)]
        if not near:
            continue
        run, name, seconds, metres = min(near, key=lambda effort: riegel(effort.seconds, effort.metres, target))
        told.append(_told(race, "riegel", riegel(seconds, metres, target), run, name))
        run, name, seconds, metres = max(near, key=lambda effort: vdot(effort.seconds, effort.metres))
        found = vdot(seconds, metres)
        told.append(_told(race, "vdot", seconds_for(found, target), run, name, found))
    return tuple(told)


def best_vdot(runs: Iterable[RunSummary], now: datetime) -> float | None:
    """The highest VDOT that `predictions` tells, as it is told there."""
    best = [vdot(min(held), metres) for _, metres, held in _held(Runs.of(runs).before(now, DAYS))]
    return fact(max(best), "ml/kg/min", "").value if best else None


def _fastest(runs: Iterable[RunSummary], now: datetime) -> Iterator[_Effort]:
    """Of one length the fastest promises most by either method."""
    before = Runs.of(runs).before(now, DAYS)
    for name, metres, held in _held(before):
        seconds = min(held)
        run = next(run for run in before if run.values.get(f"best_{name}") == seconds)
        yield _Effort(run, name, seconds, metres)


def _held(runs: Runs) -> Iterator[tuple[str, float, Sequence[float]]]:
    """The efforts that tell of a race: name, metres, and the seconds of those within Riegel's bounds."""
    for name, metres in TELLING.items():
        held = [seconds for seconds in runs.values(f"best_{name}") if SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS]
        if held:
            yield name, metres, held


def _told(
    race: Race, method: Literal["riegel", "vdot"], seconds: float, run: RunSummary, effort: str, found: float = 0.0
) -> Prediction:
    basis = f"best {effort.replace('_', ' ')} of the last {DAYS} days"
    by = f"Riegel, exponent {RIEGEL}" if method == "riegel" else "Daniels and Gilbert"
    return Prediction(
        distance=race,
        method=method,
        seconds=fact(seconds, "s", f"{by}, from the {basis}", "poor" if race == "marathon" else "fair"),
        vdot=fact(found, "ml/kg/min", f"Daniels and Gilbert, {basis}", "fair") if found else None,
        from_run=run.id,
        from_effort=effort,
        limit=_MARATHON[method] if race == "marathon" else None,
    )
