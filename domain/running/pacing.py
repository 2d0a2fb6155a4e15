"""How the pace was spread: splits, halves, the fastest stretches."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from domain.running.climb import Climb
from domain.running.figures import Split
from domain.running.series import at, variation
from domain.running.track import GAP_SECONDS, RUNNER_MPS, Track

KM, MILE = 1_000.0, 1_609.344

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

# Long efforts need no sample a second: one in so many seconds moves them by far less than a second.
COARSE_FROM_M, COARSE_SECONDS = 5_000.0, 5.0


class _Open:
    """A split that is being run."""

    def __init__(self) -> None:
        self.metres = self.seconds = self.gain = self.loss = self.beats = self.heard = 0.0

    def add(self, share: float, metres: float, seconds: float, gain: float, loss: float, beats: float) -> None:
        self.metres += share * metres
        self.seconds += share * seconds
        self.gain += share * gain
        self.loss += share * loss
        if not math.isnan(beats):
            self.beats += share * seconds * beats
            self.heard += share * seconds

    def split(self, unit: Literal["km", "mi"], number: int, length: float, track: Track) -> Split:
        return Split(
            unit=unit,
            number=number,
            distance_meters=round(self.metres, 3),
            moving_seconds=round(self.seconds, 3),
            pace_seconds_per_km=round(self.seconds / self.metres * KM, 1) if self.metres >= 10 else None,
            partial=self.metres < length - 0.01,
            elevation_gain_meters=round(self.gain, 2) if track.altitude else None,
            elevation_loss_meters=round(self.loss, 2) if track.altitude else None,
            average_heart_rate=round(self.beats / self.heard, 1) if self.heard > 0 else None,
        )


def splits(track: Track, climb: Climb, unit: Literal["km", "mi"]) -> list[Split]:
    """Every kilometre or mile in moving time; distances, times and climbs add up to those of the whole."""
    if track.metres <= 0:
        return []
    length = KM if unit == "km" else MILE
    done: list[Split] = []
    current, end = _Open(), length
    # A device may have gone a few metres before its first sample.
    current.metres = track.distance[0]
    heart = track.heart_rate
    for i in range(1, len(track.distance)):
        start, stop, seconds = track.distance[i - 1], track.distance[i], track.moving[i]
        gain, loss = (climb.gains[i], climb.losses[i]) if climb.gains else (0.0, 0.0)
        beats = (heart[i - 1] + heart[i]) / 2 if heart and seconds <= GAP_SECONDS else math.nan
        metres = stop - start
        while stop > end:
            current.add((end - start) / metres if metres else 0.0, metres, seconds, gain, loss, beats)
            done.append(current.split(unit, len(done) + 1, length, track))
            rest = (stop - end) / metres
            metres, seconds, gain, loss = stop - end, seconds * rest, gain * rest, loss * rest
            current, start, end = _Open(), end, end + length
        current.add(1.0, metres, seconds, gain, loss, beats)
    done.append(current.split(unit, len(done) + 1, length, track))
    return done


def best_efforts(track: Track) -> dict[str, float]:
    """The fewest seconds of the clock, standing included, for each of EFFORTS that the track is long enough for."""
    found: dict[str, float] = {}
    fine = (track.seconds, track.distance)
    coarse = _thinned(*fine)
    for name, (metres, fastest_mps) in EFFORTS.items():
        if track.metres < metres:
            break
        seconds, distance = coarse if metres >= COARSE_FROM_M else fine
        best = _fewest_seconds(seconds, distance, metres, metres / fastest_mps)
        if best is not None:
            found[name] = best
    return found


def _fewest_seconds(seconds: Sequence[float], distance: Sequence[float], metres: float, fewest: float) -> float | None:
    """Over all stretches that end at a sample; one of less than `fewest` seconds is a fault of the recording."""
    best, start = math.inf, 0
    for end in range(1, len(seconds)):
        needed = distance[end] - metres
        if needed < distance[0]:
            continue
        while distance[start + 1] <= needed:
            start += 1
        way = distance[start + 1] - distance[start]
        began = seconds[start] + (needed - distance[start]) * (seconds[start + 1] - seconds[start]) / way
        if fewest <= seconds[end] - began < best:
            best = seconds[end] - began
    return best if best < math.inf else None


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
    clock, distance = list(accumulate(track.active)), track.distance
    fastest, start = 0.0, 0
    for end in range(1, len(clock)):
        if clock[end] - clock[0] < reach_seconds:
            continue
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
