"""How far: the device's own count where there is one, else the way from position to position."""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from domain.running.series import filled

_EARTH_M = 6_371_008.8
_RADIANS = math.pi / 180


# A count that begins with more than this belongs to something that was cut off.
MOST_BEFORE_M = 100.0


def device_distance(seconds: Sequence[float], told: Sequence[float]) -> list[float] | None:
    """Cumulative metres that never fall. A count that begins anew (each lap, in some files) is carried on."""
    values = filled(seconds, told) if told else None
    if values is None or max(values) <= 0:
        return None
    out: list[float] = []
    carried, highest = 0.0, 0.0
    for value in values:
        if value < highest / 2:
            carried, highest = carried + highest, 0.0
        if value > highest:
            highest = value
        out.append(carried + highest)
    before = out[0] if out[0] > MOST_BEFORE_M else 0.0
    return [metres - before for metres in out]


def gps_distance(
    seconds: Sequence[float],
    latitude: Sequence[float],
    longitude: Sequence[float],
    resumed: Sequence[bool],
    fastest_mps: float,
) -> tuple[list[float], int, int] | None:
    """Cumulative metres along the positions, how many hops there were between them, and how many of those were jumps.

    A jump is faster than `fastest_mps`; it counts as the way that the rest of the track made in the same time. A way
    gone while the timer stood (`resumed` says which samples come after that) is not counted. None without two
    positions. Hops are measured on a plane: within a kilometre that is exact to a millionth.
    """
    placed = [i for i, (lat, lon) in enumerate(zip(latitude, longitude, strict=True)) if lat == lat and lon == lon]
    stood = list(accumulate(resumed)) if any(resumed) else None
    hops: list[float] = []
    jumps: list[int] = []
    metres = in_seconds = 0.0
    for before, i in pairwise(placed):
        hop, lasted = _hop(latitude[before], longitude[before], latitude[i], longitude[i]), seconds[i] - seconds[before]
        if stood is not None and stood[i] != stood[before]:
            hop = 0.0
        elif hop > fastest_mps * lasted:
            jumps.append(len(hops))
        else:
            metres += hop
            in_seconds += lasted
        hops.append(hop)
    if not hops:
        return None
    usual = metres / in_seconds if in_seconds > 0 else 0.0
    for number in jumps:
        hops[number] = usual * (seconds[placed[number + 1]] - seconds[placed[number]])
    cumulative = [math.nan] * len(seconds)
    for i, way in zip(placed, accumulate(hops, initial=0.0), strict=True):
        cumulative[i] = way
    spread = filled(seconds, cumulative)
    return None if spread is None else (spread, len(hops), len(jumps))


def _hop(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    east = to_lon - lon
    if east > 180 or east < -180:
        east -= math.copysign(360, east)
    return _EARTH_M * _RADIANS * math.hypot(to_lat - lat, east * math.cos((lat + to_lat) / 2 * _RADIANS))
