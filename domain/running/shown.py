"""Figures as people read them."""

import re
from collections.abc import Callable
from functools import lru_cache

from domain.running.figures import Fact, Unit

# Metres that stay metres, however many.
DIFFERENCE = re.compile(r"difference|change")
HEIGHTS = re.compile(r"elevation|altitude|climb|length")
# Nobody runs a kilometre so fast: fewer seconds a kilometre are a difference between paces.
FASTEST_KM = 100.0
PLACES = {"m/s": 2, "m/beat": 2, "%": 1, "ml/kg/min": 1, "points": 0}
FORMATS = (",.0f", ",.1f", ",.2f")


def shown(name: str, fact: Fact) -> str:
    """The figure with its unit, rounded: 10.02 km, 52:10, 5:12/km, 152 bpm. Differences are without their sign."""
    return _form(name, fact.unit)(abs(fact.value))


@lru_cache(1000)
def _form(name: str, unit: Unit) -> Callable[[float], str]:
    """How the size of a figure of that name is written."""
    match unit:
        case "m":
            return _height if HEIGHTS.search(name) else _length
        case "s":
            return clock
        case "s/km":
            return _apart if DIFFERENCE.search(name) else _pace
        case "bpm" | "spm":
            return lambda value: f"{_decimal(value, 1 if value < 10 else 0)} {unit}"
        case "count" | "":
            return lambda value: _decimal(value, 2 if unit == "" else 0)
        case _:
            after = unit if unit == "%" else f" {unit}"
            return lambda value: _decimal(value, PLACES[unit]) + after


def _height(metres: float) -> str:
    return f"{_decimal(metres, 2 if metres < 10 else 0)} m"


def _length(metres: float) -> str:
    return f"{_decimal(metres / 1_000, 2)} km" if metres >= 1_000 else _height(metres)


def _apart(seconds_per_km: float) -> str:
    return f"{_decimal(seconds_per_km, 0)} s/km"


def _pace(seconds_per_km: float) -> str:
    return f"{clock(seconds_per_km)}/km" if seconds_per_km >= FASTEST_KM else _apart(seconds_per_km)


def clock(seconds: float) -> str:
    """h:mm:ss, m:ss from a minute on, and below that in words."""
    whole = round(seconds)
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    hours, rest = divmod(whole, 3_600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def towards(name: str, fact: Fact) -> str:
    """Which way a difference points."""
    more = fact.value > 0
    if fact.unit == "s/km":
        return "slower" if more else "faster"
    if fact.unit == "s" or (fact.unit == "m" and not HEIGHTS.search(name)):
        return "longer" if more else "shorter"
    return "higher" if more else "lower"


def _decimal(value: float, places: int) -> str:
    text = format(value, FORMATS[places])
    return text.rstrip("0").rstrip(".") if places else text
