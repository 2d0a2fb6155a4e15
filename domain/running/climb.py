"""Up and down, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.running.track import Track

# Less than that is what a barometer or a receiver trembles.
TURN_M = 1.0

# The slope is that of the half minute around; of less way than this it is noise.
LEAST_WAY_M = 15.0
STEEPEST = 0.45

# Minetti's subjects ran downhill on a treadmill at up to half the cost; on roads the gain stays far below (the formula
# over-corrects up to threefold): no metre is taken for cheaper than this part of a level one.
CHEAPEST = 0.88


@dataclass(frozen=True, slots=True)
class Climb:
    """Metres of gain and loss by the interval that ends at a sample."""

    gains: list[float]
    losses: list[float]


def climbed(altitude: Sequence[float]) -> Climb:
    """Gain and loss over smoothed altitude from turning point to turning point; a turn is one when the way back from it
    comes to TURN_M."""
    gains, losses = [0.0] * len(altitude), [0.0] * len(altitude)
    if not altitude:
        return Climb(gains, losses)
    lowest = highest = turn = altitude[0]
    direction = 0
    for i, height in enumerate(altitude):
        if direction == 0:
            lowest, highest = min(lowest, height), max(highest, height)
            turn = lowest if height - lowest >= TURN_M else highest
            direction = 1 if height - lowest >= TURN_M else -1 if highest - height >= TURN_M else 0
            if direction == 0:
                continue
        elif direction * (turn - height) >= TURN_M:
            direction = -direction
        elif direction * (height - turn) <= 0:
            continue
        (gains if direction > 0 else losses)[i] = abs(height - turn)
        turn = height
    return Climb(gains, losses)


def cost(slope: float) -> float:
    """Metabolic cost of running on a slope (rise over run) by that of level ground; Minetti et al. 2002, equation 4,
    within the slopes they measured, the benefit of running downhill capped at CHEAPEST."""
    i = -STEEPEST if slope < -STEEPEST else STEEPEST if slope > STEEPEST else slope
    joules = ((((155.4 * i - 30.4) * i - 43.3) * i + 46.3) * i + 19.5) * i + 3.6
    by_level = joules / 3.6
    return by_level if by_level > CHEAPEST else CHEAPEST


def level_distance(track: Track) -> float | None:
    """The metres on level ground that would have cost as much; None without altitude or distance."""
    if not track.altitude or not track.distance:
        return None
    altitude, distance = track.altitude, track.distance
    total = distance[0]
    before = distance[0]
    for here, (first, last) in zip(distance, track.around, strict=True):
        step, before = here - before, here
        way = distance[last] - distance[first]
        total += step * cost((altitude[last] - altitude[first]) / way) if way >= LEAST_WAY_M else step
    return total
