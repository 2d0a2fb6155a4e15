"""How far: the device's own count where there is one, else the way from position to position."""

import math
from collections.abc import Sequence

from domain.running.series import filled

_EARTH_M = 6_371_008.8
_RADIANS = math.pi / 180

# A jump is a place that a runner cannot have reached. After so many in a row the first place was the wrong one.
MOST_IN_A_ROW = 5


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
        highest = max(highest, value)
        out.append(carried + highest)
    before = out[0] if out[0] > MOST_BEFORE_M else 0.0
    return [metres - before for metres in out]


def gps_distance(
    seconds: Sequence[float],
    latitude: Sequence[float],
    longitude: Sequence[float],
    resumed: Sequence[bool],
    fastest_mps: float,
) -> tuple[list[float], int] | None:
    """Cumulative metres along the positions, and how many of these were jumps faster than `fastest_mps` and left out.

    A way gone while the timer stood (`resumed` says which samples come after that) is not counted. None without two
    positions. Hops are measured on a plane: within a kilometre that is exact to a millionth.
    """
    total, jumps, in_a_row = 0.0, 0, 0
    cumulative: list[float] = []
    here: tuple[float, float, float] | None = None
    paused = False
    for now, lat, lon, again in zip(seconds, latitude, longitude, resumed, strict=True):
        paused = paused or again
        if math.isnan(lat) or math.isnan(lon):
            cumulative.append(math.nan)
            continue
        if here is not None:
            hop = _hop(here[1], here[2], lat, lon)
            if hop > fastest_mps * (now - here[0]):
                in_a_row += 1
                if in_a_row < MOST_IN_A_ROW:
                    jumps += 1
                    cumulative.append(math.nan)
                    continue
            elif not paused:
                total += hop
        here, paused, in_a_row = (now, lat, lon), False, 0
        cumulative.append(total)
    spread = filled(seconds, cumulative)
    return None if spread is None else (spread, jumps)


def _hop(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    east = to_lon - lon
    if east > 180 or east < -180:
        east -= math.copysign(360, east)
    return _EARTH_M * _RADIANS * math.hypot(to_lat - lat, east * math.cos((lat + to_lat) / 2 * _RADIANS))
