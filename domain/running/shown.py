"""Figures as people read them."""

import re

from domain.running.figures import Fact

# Metres that stay metres, however many.
DIFFERENCE = re.compile(r"difference|change")
HEIGHTS = re.compile(r"elevation|altitude|climb|length")
# Nobody runs a kilometre so fast: fewer seconds a kilometre are a difference between paces.
FASTEST_KM = 100.0
PLACES = {"bpm": 0, "spm": 0, "m/s": 2, "m/beat": 2, "%": 1, "ml/kg/min": 1, "points": 0, "count": 0, "": 2}


def shown(name: str, fact: Fact) -> str:
    """The figure with its unit, rounded: 10.02 km, 52:10, 5:12/km, 152 bpm. Differences are without their sign."""
    value = abs(fact.value)
    match fact.unit:
        case "m" if HEIGHTS.search(name) or value < 1_000:
            return f"{_decimal(value, 2 if value < 10 else 0)} m"
        case "m":
            return f"{_decimal(value / 1_000, 2)} km"
        case "s":
            return clock(value)
        case "s/km" if value < FASTEST_KM or DIFFERENCE.search(name):
            return f"{_decimal(value, 0)} s/km"
        case "s/km":
            return f"{clock(value)}/km"
        case "count" | "":
            return _decimal(value, PLACES[fact.unit])
        case unit:
            small = unit in ("bpm", "spm") and value < 10
            return f"{_decimal(value, 1 if small else PLACES[unit])}{'' if unit == '%' else ' '}{unit}"


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
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
