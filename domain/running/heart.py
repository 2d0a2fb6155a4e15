"""A heart-rate stream without what no heart does."""

import math
from collections.abc import Sequence

LOWEST_BPM, HIGHEST_BPM = 30.0, 230.0

# A spike leaves its neighbourhood by so much and is back within the time.
SPIKE_BPM, SPIKE_SECONDS = 25.0, 10.0

# A sensor that has lost the skin repeats its last value.
STUCK_SECONDS = 300.0

# An optical sensor that counts steps: it jumps on to the cadence, or begins there, and stays with it.
LOCK_BPM, LOCK_SECONDS, LOCK_JUMP_BPM, LOCK_JUMP_SECONDS, COLD_SECONDS = 2.0, 60.0, 15.0, 15.0, 120.0


def clean_heart_rate(
    seconds: Sequence[float], told: Sequence[float], cadence: Sequence[float]
) -> tuple[list[float], list[str]]:
    """The stream with NaN where it cannot be believed, and in words what was taken out."""
    values = [value if LOWEST_BPM <= value <= HIGHEST_BPM else math.nan for value in told]
    notes: list[str] = []
    for takes_out, words in ((_spikes, "spikes"), (_stuck, "stretches without change")):
        if taken := takes_out(seconds, values):
            notes.append(f"heart rate: samples of {words} left out: {taken}")
    if cadence and (taken := _locked(seconds, values, cadence)):
        notes.append(f"heart rate: samples that followed the cadence left out: {taken}")
    return values, notes


def _spikes(seconds: Sequence[float], values: list[float]) -> int:
    taken, i, n = 0, 1, len(values)
    while i < n:
        before = values[i - 1]
        if not abs(values[i] - before) > SPIKE_BPM:
            i += 1
            continue
        back = i + 1
        while back < n and seconds[back] - seconds[i - 1] <= SPIKE_SECONDS and _away(values[back], before):
            back += 1
        if back < n and seconds[back] - seconds[i - 1] <= SPIKE_SECONDS:
            values[i:back] = [math.nan] * (back - i)
            taken += back - i
            # What follows is compared with what stood before the spike.
            i = back + 1
        else:
            i += 1
    return taken


def _away(value: float, before: float) -> bool:
    return math.isnan(value) or abs(value - before) > SPIKE_BPM


def _stuck(seconds: Sequence[float], values: list[float]) -> int:
    taken, start, n = 0, 0, len(values)
    for i in range(1, n + 1):
        if i == n or values[i] != values[start]:
            if seconds[i - 1] - seconds[start] >= STUCK_SECONDS and not math.isnan(values[start]):
                values[start:i] = [math.nan] * (i - start)
                taken += i - start
            start = i
    return taken


def _locked(seconds: Sequence[float], values: list[float], cadence: Sequence[float]) -> int:
    taken, start, n = 0, -1, len(values)
    for i in range(n + 1):
        if i < n and abs(values[i] - cadence[i]) <= LOCK_BPM:
            start = i if start < 0 else start
        elif start >= 0:
            if seconds[i - 1] - seconds[start] >= LOCK_SECONDS and _came_suddenly(seconds, values, start):
                values[start:i] = [math.nan] * (i - start)
                taken += i - start
            start = -1
    return taken


def _came_suddenly(seconds: Sequence[float], values: Sequence[float], start: int) -> bool:
    """Whether the heart rate leapt to where it now is; hearts that meet the cadence on their way climb to it."""
    if seconds[start] - seconds[0] <= COLD_SECONDS:
        return True
    i = start - 1
    while i >= 0 and seconds[start] - seconds[i] <= LOCK_JUMP_SECONDS:
        if abs(values[start] - values[i]) >= LOCK_JUMP_BPM:
            return True
        i -= 1
    return False
