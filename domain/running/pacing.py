"""How the pace was spread: splits, halves, the fastest stretches."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple

from domain.running.climb import Climb
from domain.running.figures import Split
from domain.running.series import at, variation
from domain.running.track import RUNNER_MPS, Track

KM, MILE = 1_000.0, 1_609.344

# The pace of a last split of less is noise.
LEAST_FOR_PACE_M = 10.0

# Metres of the distances that runners know, and the speed that nobody holds over them (just above the world records
# of 2025; for the short ones what a clean recording may hold).
EFFORTS: dict[str, tuple[float, float]] = {
    "400m": (400.0, 7.0),
    "1km": (KM, 7.0),
    "1mi": (MILE, 7.0),
    "5km": (5_000.0, 6.7),
    "10km": (10_000.0, 6.4),
    "15km": (15_000.0, 6.25),
    "half_marathon": (21_097.5, 6.21),
    "marathon": (42_195.0, 5.85),
}

# Of a measured course watches count 0.6 to 1.9 % too little or too much in the median (Johansson et al. 2020, with 225
# runners of one race): a whole run that falls short of a distance by less than that was of the distance.
SHORT = 0.005

# Long efforts need no sample a second: one in so many seconds moves them by far less than a second.
COARSE_FROM_M, COARSE_SECONDS = 5_000.0, 5.0


def splits(track: Track, climb: Climb, unit: Literal["km", "mi"]) -> list[Split]:
    """Every kilometre or mile in moving time; distances, times and climbs add up to those of the whole."""
    if track.metres <= 0:
        return []
    length = KM if unit == "km" else MILE
    ends = [length * number for number in range(1, math.ceil(round(track.metres / length, 6)))]
    heard = track.heard
    sums = [track.moving_clock]
    sums += [list(accumulate(climb.gains)), list(accumulate(climb.losses))] if track.altitude else []
    sums += [heard.seconds, heard.beats] if heard else []
    columns = [_between(track.distance, values, ends) for values in sums]
    done: list[Split] = []
    for i, (start, end) in enumerate(pairwise([0.0, *ends, track.metres])):
        told = [column[i] for column in columns]
        seconds, metres = told[0], end - start
        gain, loss = told[1:3] if track.altitude else (None, None)
        known, beats = told[-2:] if heard else (0.0, 0.0)
        done.append(
            Split(
                unit=unit,
                number=i + 1,
                distance_meters=round(metres, 3),
                moving_seconds=round(seconds, 3),
                pace_seconds_per_km=round(seconds / metres * KM, 1)
                if metres >= LEAST_FOR_PACE_M and seconds > 0
                else None,
                partial=metres < length - 0.01,
                elevation_gain_meters=None if gain is None else round(gain, 2),
                elevation_loss_meters=None if loss is None else round(loss, 2),
                average_heart_rate=round(beats / known * 60, 1) if known > 0 else None,
            )
        )
    return done


def _between(distance: Sequence[float], values: Sequence[float], ends: Sequence[float]) -> list[float]:
    """What a running sum grew by from each of the distances `ends` to the next, and before the first and after the
    last of them."""
    reached = [at(distance, values, bisect_left(distance, end), end) for end in ends]
    return [after - before for before, after in pairwise([0.0, *reached, values[-1]])]


def best_efforts(track: Track) -> dict[str, float]:
    """The fewest seconds of the clock, standing included, for each of EFFORTS that the track is long enough for."""
    found: dict[str, float] = {}
    for fine in _between_leaps(track, track.seconds):
        coarse = _thinned(*fine)
        for name, (metres, fastest_mps) in EFFORTS.items():
            seconds, distance = coarse if metres >= COARSE_FROM_M else fine
            if distance[-1] - distance[0] < metres:
                break
            best = _fewest_seconds(seconds, distance, metres, metres / fastest_mps)
            if best < found.get(name, math.inf):
                found[name] = best
    return found


class Short(NamedTuple):
    """The name of one of EFFORTS, the seconds of a run scaled to it, and the metres that the run lacks."""

    name: str
    seconds: float
    lacking: float


def short_of(track: Track) -> Short | None:
    """The distance that the whole run falls short of by SHORT at most, from the first step to the last; None where the
    count leapt, or for a time of nobody."""
    if not track.distance or track.leaps:
        return None
    first, last = bisect_right(track.distance, track.distance[0]) - 1, bisect_left(track.distance, track.metres)
    seconds, way = track.seconds[last] - track.seconds[first], track.metres - track.distance[0]
    for name, (metres, fastest_mps) in EFFORTS.items():
        if metres * (1 - SHORT) <= way < metres and way <= seconds * fastest_mps:
            return Short(name, seconds * metres / way, metres - way)
    return None


def _between_leaps(track: Track, clock: Sequence[float]) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
    """The clock and the distance over each part of the track in which the count did not leap."""
    for start, end in pairwise([0, *track.leaps, len(track.distance)]):
        if end - start > 1:
            yield clock[start:end], track.distance[start:end]


def _fewest_seconds(seconds: Sequence[float], distance: Sequence[float], metres: float, fewest: float) -> float:
    """Over all stretches that end at a sample; one of less than `fewest` is a fault of the recording. Infinite if there
    is none."""
    best, start = math.inf, 0
    for end in range(bisect_left(distance, distance[0] + metres), len(seconds)):
        needed = distance[end] - metres
        while distance[start + 1] <= needed:
            start += 1
        way = distance[start + 1] - distance[start]
        began = seconds[start] + (needed - distance[start]) * (seconds[start + 1] - seconds[start]) / way
        if fewest <= seconds[end] - began < best:
            best = seconds[end] - began
    return best


def _thinned(seconds: Sequence[float], distance: Sequence[float]) -> tuple[list[float], list[float]]:
    kept, before = [0], seconds[0]
    for i in range(1, len(seconds) - 1):
        if seconds[i] - before >= COARSE_SECONDS:
            kept.append(i)
            before = seconds[i]
    kept.append(len(seconds) - 1)
    return [seconds[i] for i in kept], [distance[i] for i in kept]


def fastest_speed(track: Track, reach_seconds: float = 10.0) -> float | None:
    """The highest speed in m/s held for `reach_seconds` of the timer and more; faster than 7 m/s is not believed."""
    fastest = 0.0
    for clock, distance in _between_leaps(track, list(accumulate(track.active))):
        start = 0
        for end in range(bisect_left(clock, clock[0] + reach_seconds), len(clock)):
            while clock[end] - clock[start + 1] >= reach_seconds:
                start += 1
            speed = (distance[end] - distance[start]) / (clock[end] - clock[start])
            if fastest < speed <= RUNNER_MPS:
                fastest = speed
    return fastest or None


def clock_at(track: Track, metres: float) -> float:
    """The moving seconds after `metres`."""
    index = bisect_left(track.distance, metres)
    return 0.0 if index == 0 else at(track.distance, track.moving_clock, index, metres)


def steadiness(track: Track, block_seconds: float = 120.0) -> float | None:
    """The variation (standard deviation over mean) of speed between blocks of moving time; None for under three."""
    speeds: list[float] = []
    clock, distance = track.moving_clock, track.distance
    before = distance[0] if distance else 0.0
    for block in range(1, int(track.moved // block_seconds) + 1):
        end = block * block_seconds
        index = bisect_left(clock, end)
        now = at(clock, distance, index, end) if index else distance[0]
        speeds.append((now - before) / block_seconds)
        before = now
    return variation(speeds) if len(speeds) >= 3 and sum(speeds) > 0 else None
