"""A recording cleaned: what every figure is counted from."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from domain.running.course import device_distance, gps_distance
from domain.running.heart import clean_heart_rate
from domain.running.series import bridged, filled, windows
from domain.workout import Pause, Workout

# People: what few of them hold for long. Anything: what a jump of the receiver is for a bicycle or a train.
RUNNER_MPS, ANYTHING_MPS = 7.0, 40.0

# A count that gains so much on the fastest of runners between two samples has leapt: it found a satellite again.
LEAP_M = 20.0

# Of the hops of a track: with more jumps than that it was something faster, or the receiver failed.
MOST_JUMPS = 0.2

# Slower than this over six seconds is standing.
STANDING_MPS, STANDING_REACH_SECONDS = 0.5, 3.0

# Between two samples further apart the clock had a gap: nothing is known of the heart in it.
GAP_SECONDS = 30.0

SMOOTHING_SECONDS = 30.0
LOWEST_M, HIGHEST_M = -500.0, 9_000.0

# Where nothing measures it, files hold a constant, or noise about one. No course of a length is as flat.
FLAT_M, FLAT_FROM_M = 1.0, 500.0


@dataclass(slots=True)
class Heard:
    """Running sums over the intervals in motion of which the heart rate is known: their seconds, heartbeats and metres;
    and `by_bpm`, the seconds of the timer, standing included, by heart rate. Intervals longer than a gap are out."""

    seconds: list[float]
    beats: list[float]
    metres: list[float]
    by_bpm: dict[float, float]
    highest: float


@dataclass(slots=True)
class Track:
    """Lists as long as the samples. `active` and `moving` are the seconds of the interval that ends at a sample in
    which the timer ran, and in which there was movement; the clocks are their running sums. `distance` is cumulative;
    channels that are absent are empty, absent samples NaN; `altitude` is smoothed and has no gaps, `around` the
    samples within the smoothing of each. Before each of the samples `leaps` the device's count leapt; `believable`: few
    of the hops between positions were `jumps`."""

    seconds: list[float]
    active: list[float]
    moving: list[float]
    moving_clock: list[float]
    distance: list[float] = field(default_factory=list)
    altitude: list[float] = field(default_factory=list)
    around: list[tuple[int, int]] = field(default_factory=list)
    heart_rate: list[float] = field(default_factory=list)
    cadence: list[float] = field(default_factory=list)
    heard: "Heard | None" = None
    by_device: bool = False
    leaps: list[int] = field(default_factory=list)
    jumps: int = 0
    believable: bool = True
    notes: list[str] = field(default_factory=list)

    @property
    def elapsed(self) -> float:
        return self.seconds[-1] - self.seconds[0] if self.seconds else 0.0

    @property
    def moved(self) -> float:
        return self.moving_clock[-1] if self.moving_clock else 0.0

    @property
    def metres(self) -> float:
        return self.distance[-1] if self.distance else 0.0


def track_of(workout: Workout, fastest_mps: float = RUNNER_MPS) -> Track:
    """Clean the streams of a workout whose positions lie no more than `fastest_mps` apart."""
    streams = workout.streams
    seconds = streams.seconds.tolist()
    active, resumed = _timer(seconds, workout.pauses)
    track = Track(seconds, active, active, [])
    device = device_distance(seconds, streams.distance_m)
    if device is not None:
        track.distance, track.by_device = device, True
        hops = enumerate(zip(pairwise(device), pairwise(seconds), strict=True), 1)
        track.leaps = [i for i, ((a, b), (start, end)) in hops if b - a > fastest_mps * (end - start) + LEAP_M]
        if track.leaps:
            words = "distance: leaps of the device's count, left out of the fastest stretches"
            track.notes.append(f"{words}: {len(track.leaps)}")
    elif streams.latitude_deg and streams.longitude_deg:
        gps = gps_distance(seconds, streams.latitude_deg, streams.longitude_deg, resumed, fastest_mps)
        if gps is not None:
            track.distance, hops, track.jumps = gps
            track.believable = track.jumps <= MOST_JUMPS * hops
    if track.distance:
        track.moving = _moving(active, track.distance)
    if track.distance and not track.by_device:
        # A receiver that lies still wanders: only what was moved counts.
        track.distance = list(accumulate(_counted(track.distance, track.moving)))
        if track.jumps:
            track.notes.append(
                f"position: jumps faster than {fastest_mps:g} m/s counted as average pace: {track.jumps}"
            )
    track.moving_clock = list(accumulate(track.moving))
    if streams.heart_rate_bpm:
        cleaned, notes = clean_heart_rate(seconds, streams.heart_rate_bpm, streams.cadence_spm)
        # Recorders that measure heart and way by turns leave each out on the other's samples.
        track.heart_rate = bridged(seconds, cleaned, GAP_SECONDS)
        track.notes += notes
        if all(map(math.isnan, track.heart_rate)):
            track.heart_rate = []
        else:
            track.heard = _heard(track)
    track.cadence = streams.cadence_spm.tolist()
    track.around = list(windows(seconds, SMOOTHING_SECONDS / 2))
    track.altitude = _smoothed(track, streams.altitude_m)
    if track.altitude and track.metres >= FLAT_FROM_M and max(track.altitude) - min(track.altitude) < FLAT_M:
        track.altitude = []
        track.notes.append(f"altitude: within {FLAT_M:g} m all the way, so none was measured")
    gaps = sum(1 for seconds in active if seconds > GAP_SECONDS)
    if gaps:
        track.notes.append(f"clock: gaps of more than {GAP_SECONDS:g} s: {gaps}")
    return track


def _timer(seconds: Sequence[float], pauses: Sequence[Pause]) -> tuple[list[float], list[bool]]:
    """The timer's seconds in each interval, and whether the timer stood in it."""
    active = [0.0, *(after - before for before, after in pairwise(seconds))][: len(seconds)]
    resumed = [False] * len(seconds)
    for pause in pauses:
        for i in range(max(1, bisect_right(seconds, pause.start_seconds)), len(seconds)):
            if seconds[i - 1] >= pause.end_seconds:
                break
            stood = min(seconds[i], pause.end_seconds) - max(seconds[i - 1], pause.start_seconds)
            active[i] = max(0.0, active[i] - stood)
            resumed[i] = True
    return active, resumed


def _moving(active: Sequence[float], distance: Sequence[float]) -> list[float]:
    """The seconds of each interval, or none where the pace around it is that of standing."""
    clock = list(accumulate(active))
    moving = [0.0] * len(active)
    last, first, end = 0, 0, len(clock) - 1
    for i in range(1, len(clock)):
        if active[i] <= 0:
            continue
        middle = (clock[i - 1] + clock[i]) / 2
        while first < i - 1 and clock[first + 1] <= middle - STANDING_REACH_SECONDS:
            first += 1
        while last < end and (last < i or clock[last] < middle + STANDING_REACH_SECONDS):
            last += 1
        if distance[last] - distance[first] >= STANDING_MPS * (clock[last] - clock[first]):
            moving[i] = active[i]
    return moving


def _counted(distance: Sequence[float], moving: Sequence[float]) -> list[float]:
    steps = (after - before for before, after in pairwise(distance))
    return [0.0, *(step if seconds > 0 else 0.0 for step, seconds in zip(steps, moving[1:], strict=True))]


def _smoothed(track: Track, altitude: Sequence[float]) -> list[float]:
    believed = [value if LOWEST_M <= value <= HIGHEST_M else math.nan for value in altitude]
    values = filled(track.seconds, believed) if believed else None
    if values is None:
        return []
    sums = [0.0, *accumulate(values)]
    return [(sums[last + 1] - sums[first]) / (last + 1 - first) for first, last in track.around]


def _heard(track: Track) -> Heard:
    by_bpm: dict[float, float] = {}
    seconds, beats, metres = [0.0], [0.0], [0.0]
    known = beaten = gone = 0.0
    way = track.distance or [0.0] * len(track.seconds)
    for i, (before, after) in enumerate(pairwise(track.heart_rate), 1):
        lasted, bpm = track.active[i], (before + after) / 2
        # A heart rate that is NaN is not above 0.
        if 0 < lasted <= GAP_SECONDS and bpm > 0:
            by_bpm[bpm] = by_bpm.get(bpm, 0.0) + lasted
            if track.moving[i] > 0:
                known += lasted
                beaten += lasted / 60 * bpm
                gone += way[i] - way[i - 1]
        seconds.append(known)
        beats.append(beaten)
        metres.append(gone)
    highest = max(bpm for bpm in track.heart_rate if not math.isnan(bpm))
    return Heard(seconds, beats, metres, by_bpm, highest)
