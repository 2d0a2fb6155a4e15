"""Small tools over samples as lists: one pass each, NaN for what is absent."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise


def filled(seconds: Sequence[float], values: Sequence[float]) -> list[float] | None:
    """Absent samples taken from the line between their neighbours, those at the ends from the nearest; None if fewer
    than two are there."""
    known = [i for i, value in enumerate(values) if not math.isnan(value)]
    if len(known) < 2:
        return None
    if len(known) == len(values):
        return list(values)
    out = bridged(seconds, values, math.inf)
    out[: known[0]] = [values[known[0]]] * known[0]
    out[known[-1] + 1 :] = [values[known[-1]]] * (len(values) - known[-1] - 1)
    return out


def bridged(seconds: Sequence[float], values: Sequence[float], longest: float) -> list[float]:
    """Absent samples between neighbours no more than `longest` seconds apart taken from the line between these; the
    others stay absent."""
    out = list(values)
    known = [i for i, value in enumerate(values) if not math.isnan(value)]
    for left, right in pairwise(known):
        lasted = seconds[right] - seconds[left]
        if right - left > 1 and lasted <= longest:
            slope = (values[right] - values[left]) / (lasted or 1.0)
            for i in range(left + 1, right):
                out[i] = values[left] + slope * (seconds[i] - seconds[left])
    return out


def windows(clock: Sequence[float], reach: float) -> Iterator[tuple[int, int]]:
    """For each sample the first and the last index within `reach` of it on a clock that never falls."""
    first = last = 0
    end = len(clock) - 1
    for now in clock:
        while clock[first] < now - reach:
            first += 1
        while last < end and clock[last + 1] <= now + reach:
            last += 1
        yield first, last


def at(clock: Sequence[float], values: Sequence[float], index: int, moment: float) -> float:
    """`values` at `moment`, which lies between the samples `index - 1` and `index` of the clock; before the first
    sample the values are taken to begin at 0."""
    if index == 0:
        return values[0] * moment / clock[0] if clock[0] > 0 else values[0]
    before, after = clock[index - 1], clock[index]
    if after <= before:
        return values[index]
    return values[index - 1] + (values[index] - values[index - 1]) * (moment - before) / (after - before)


def variation(values: Sequence[float]) -> float:
    """Standard deviation over mean, for two values and more of a positive mean."""
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)) / mean
