"""What the heart did: averages, zones, training load, drift. Every figure of it falls away without a heart rate."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.running.figures import Quality, Runner, Zone, Zones
from domain.running.pacing import steadiness
from domain.running.series import at
from domain.running.track import Heard, Track
from domain.workout import Session

ZONES = ("recovery", "easy", "moderate", "hard", "maximum")
_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)

# When nothing at all is known of the runner.
ASSUMED_MAX_BPM, ASSUMED_RESTING_BPM = 185.0, 60.0

# Banister's weights of a minute by the share of the heart-rate reserve.
_BANISTER: Mapping[str, tuple[float, float]] = {"male": (0.64, 1.92), "female": (0.86, 1.67)}

# Drift is told of steady running only: so long, so even, without a stand of more than a minute.
STEADY_SECONDS, WARM_UP_SECONDS, STEADY_VARIATION = 40 * 60.0, 10 * 60.0, 0.10
LONGEST_STAND_SECONDS, MOST_STOOD = 60.0, 0.05
# The share of the time for which the heart rate has to be known; of less than the second its figures are poor.
ENOUGH_KNOWN, LEAST_KNOWN = 0.9, 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which heart rates a runner lives. `resting` is None where nobody said it."""

    highest: float
    resting: float | None
    basis: str
    estimated: bool
    quality: Quality


def limits(runner: Runner, session: Session, started_at: datetime, seen_bpm: float) -> Limits:
    """What was said goes before what can be guessed: by the runner, by their watch; then age (208 - 0.7 years, Tanaka
    et al. 2001), then the highest ever seen, and last an assumption; a guess never below what this workout shows."""
    said = runner.resting_bpm or session.profile_resting_heart_rate_bpm
    if runner.max_bpm is not None:
        return Limits(runner.max_bpm, said, "highest heart rate as the runner gave it", estimated=False, quality="good")
    if session.profile_max_heart_rate_bpm is not None:
        highest = session.profile_max_heart_rate_bpm
        return Limits(highest, said, "highest heart rate as set in the watch", estimated=False, quality="good")
    if runner.born is not None:
        guess = 208 - 0.7 * ((started_at.date() - runner.born).days / 365.25)
        basis, quality = "highest heart rate estimated from age (208 - 0.7 x years)", "fair"
    elif runner.highest_seen_bpm is not None:
        guess = runner.highest_seen_bpm
        seen = f"the highest seen in the runner's workouts that know the heart rate for {LEAST_KNOWN:.0%} of their time"
        basis, quality = f"highest heart rate estimated: {seen} and more", "poor"
    else:
        guess = ASSUMED_MAX_BPM
        basis, quality = f"highest heart rate unknown: {ASSUMED_MAX_BPM:.0f} bpm assumed", "poor"
    return Limits(max(guess, seen_bpm), said, basis, estimated=True, quality=quality)


def zones(heard: Heard, found: Limits) -> Zones:
    """Five zones from 50 % on in steps of 10: of the heart-rate reserve (Karvonen) where the resting rate is known,
    else of the highest rate."""
    resting = found.resting
    base, reach = (resting, found.highest - resting) if resting is not None else (0.0, found.highest)
    bounds = [base + share * reach for share in _SHARES]
    inside = _by_zone(heard, bounds)
    how = "heart-rate reserve (Karvonen), resting rate given" if resting is not None else "share of the highest rate"
    return Zones(
        basis=f"{how}; {found.basis}",
        estimated=found.estimated,
        quality=found.quality,
        zones=tuple(
            Zone(
                number=i + 1,
                name=name,
                from_bpm=round(bounds[i], 1),
                to_bpm=round(bounds[i + 1], 1) if i < 4 else None,
                seconds=round(inside[i], 1),
            )
            for i, name in enumerate(ZONES)
        ),
    )


def _by_zone(heard: Heard, bounds: Sequence[float]) -> list[float]:
    """Seconds in each zone; what lies below the first is in none."""
    inside = [0.0] * (len(bounds) + 1)
    for bpm, seconds in heard.by_bpm.items():
        inside[bisect_right(bounds, bpm)] += seconds
    return inside[1:]


def edwards(heard: Heard, found: Limits) -> float:
    """Minutes in the zones of the highest heart rate, weighted 1 to 5 (Edwards 1993)."""
    inside = _by_zone(heard, [share * found.highest for share in _SHARES])
    return sum((i + 1) * seconds / 60 for i, seconds in enumerate(inside))


def banister(heard: Heard, found: Limits, sex: Literal["female", "male"] | None) -> float:
    """Minutes weighted by the share of the heart-rate reserve (Banister 1991)."""
    factor, exponent = _BANISTER[sex or "male"]
    resting = found.resting if found.resting is not None else ASSUMED_RESTING_BPM
    total = 0.0
    for bpm, seconds in heard.by_bpm.items():
        share = min(1.0, max(0.0, (bpm - resting) / (found.highest - resting)))
        total += seconds / 60 * share * factor * math.exp(exponent * share)
    return total


def decoupling(track: Track) -> float | None:
    """By how many per cent the metres a heartbeat fell from the first to the second half of the moving time after
    warm-up. None unless the run was steady: 40 minutes and more, even, without long stands, the heart rate known."""
    if not track.distance or not track.heart_rate or track.moved < STEADY_SECONDS:
        return None
    if track.elapsed - track.moved > MOST_STOOD * track.elapsed or _longest_stand(track) > LONGEST_STAND_SECONDS:
        return None
    uneven = steadiness(track)
    if uneven is None or uneven > STEADY_VARIATION:
        return None
    middle = (WARM_UP_SECONDS + track.moved) / 2
    first = metres_a_beat(track, WARM_UP_SECONDS, middle)
    second = metres_a_beat(track, middle, track.moved)
    return None if first is None or second is None else (first - second) / first * 100


def _longest_stand(track: Track) -> float:
    longest = stood = 0.0
    for i in range(1, len(track.seconds)):
        stood = 0.0 if track.moving[i] > 0 else stood + track.seconds[i] - track.seconds[i - 1]
        longest = max(longest, stood)
    return longest


def metres_a_beat(track: Track, start: float, end: float) -> float | None:
    """Between two moments of the moving clock; None unless the heart rate is known for nearly all of it."""
    heard = track.heard
    if heard is None or end <= start:
        return None
    clock = track.moving_clock
    known, beats, metres = (
        at(clock, values, bisect_left(clock, end), end) - at(clock, values, bisect_left(clock, start), start)
        for values in (heard.seconds, heard.beats, heard.metres)
    )
    return metres / beats if beats > 0 and metres > 0 and known >= ENOUGH_KNOWN * (end - start) else None
