"""Fifty runs as writers are told of them: real recordings, and made ones of every shape."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

from domain.running.contents import RunSheet
from domain.running.facts import facts_of
from domain.running.figures import Facts, Runner
from domain.running.runs import RunSummary
from domain.running.sheet import run_sheet
from domain.workout import Session, Sport, Workout, WorkoutRefused
from tests.support.recordings import BEGAN, FOLDER, made, recorded

MADE = 38
# One is broken, two take a second to read.
PASSED_OVER = ("invalid", "sweatpy-4801048867.fit", "activity-small")
SPORTS: tuple[Sport, ...] = ("run", "run", "run", "run", "run", "run", "run", "ride", "walk")


@cache
def sheets() -> tuple[RunSheet, ...]:
    """The real ones each with the others before it, then the made ones likewise."""
    return (*_told(list(_real())), *_told([_synthetic(seed) for seed in range(MADE)]))


def _told(workouts: list[Workout]) -> Iterator[RunSheet]:
    runner = Runner(resting_bpm=48, max_bpm=191)
    known: list[tuple[RunSummary, Facts]] = []
    for number, workout in enumerate(sorted(workouts, key=lambda one: one.started_at)):
        facts = facts_of(workout, runner if number % 2 else None)
        run = RunSummary.of(
            str(UUID(int=Random(number + len(workouts)).getrandbits(128))), workout.name, workout.started_at, facts
        )
        before = [other for other, _ in known]
        yield run_sheet("ann", run, facts, recent=before, near=before, timezone="Europe/Berlin")
        known.append((run, facts))


def _real() -> Iterator[Workout]:
    for path in sorted(FOLDER.iterdir()):
        if path.suffix != ".md" and not path.name.startswith(PASSED_OVER):
            try:
                yield recorded(path.name)
            except WorkoutRefused:
                continue


def _synthetic(seed: int) -> Workout:
    """A workout whose speed drifts, over hills or not, with a heart or not; some have a summary alone."""
    luck = Random(seed)
    began: datetime = BEGAN + timedelta(days=2 * seed, hours=luck.randrange(14))
    if seed % 12 == 11:
        summary = Session(distance_m=luck.uniform(2e3, 2e4), timer_seconds=luck.uniform(900, 7e3))
        return replace(
            made([], source="json", session=summary if seed % 24 == 11 else None), started_at=began, name="Evening run"
        )
    minutes, speed, drift = luck.uniform(4, 110), luck.uniform(2.3, 4.4), luck.uniform(-0.25, 0.25)
    seconds = [5.0 * at for at in range(int(minutes * 12) + 1)]
    span = seconds[-1]
    speeds = [speed * (1 + drift * (now / span - 0.5) + 0.05 * math.sin(now / 90)) for now in seconds]
    metres = [0.0]
    for pace in speeds[1:]:
        metres.append(metres[-1] + 5 * pace)
    hills, beats = luck.choice([0, 0, 8, 30]), luck.uniform(125, 165)
    workout = made(
        seconds,
        distance=metres,
        altitude=[200 + hills * math.sin(now / 240) for now in seconds] if seed % 4 else None,
        heart_rate=[beats + 18 * now / span + 4 * math.sin(now / 60) for now in seconds] if seed % 3 else None,
        cadence=[168 + 3 * math.sin(now / 100) for now in seconds] if seed % 5 else None,
        sport=SPORTS[seed % len(SPORTS)],
    )
    return replace(workout, started_at=began, name=luck.choice(["Morning run", "Intervals 6x800", "Feierabend", ""]))
