"""The units that texts about runs are written in, small letters only."""

import re
from typing import NamedTuple

MILE, FOOT, HOUR = 1609.344, 0.3048, 3600.0


class SaidUnit(NamedTuple):
    pattern: str
    unit: str
    scale: float = 1.0


# The first that fits is meant. Scales take the number to the fact's own unit.
PER = r"(?:/|per |an? |each |every )"
KM, MI = r"(?:km|kilomet(?:er|re)|k)s?\b", r"(?:mi|mile)s?\b"
UNITS = (
    SaidUnit(rf"min(?:ute)?s?\s?{PER}{KM}", "s/km", 60),
    SaidUnit(rf"min(?:ute)?s?\s?{PER}{MI}", "s/km", 60 / (MILE / 1000)),
    SaidUnit(rf"s(?:ec(?:ond)?s?)?\s?{PER}{KM}", "s/km"),
    SaidUnit(rf"s(?:ec(?:ond)?s?)?\s?{PER}{MI}", "s/km", 1000 / MILE),
    SaidUnit(r"(?:km|kilomet(?:er|re)s?)\s?(?:/|per |an )h(?:our)?\b|kph\b|kmh\b", "m/s", 1 / 3.6),
    SaidUnit(r"(?:mi|miles?)\s?(?:/|per |an )h(?:our)?\b|mph\b", "m/s", MILE / HOUR),
    SaidUnit(r"(?:m|met(?:er|re)s?)\s?(?:/|per |a )s(?:ec(?:ond)?)?\b", "m/s"),
    SaidUnit(r"(?:m|met(?:er|re)s?)\s?(?:/|per |a |each )(?:heart)?beat\b", "m/beat"),
    SaidUnit(r"ml\s?(?:/|per )\s?kg\s?(?:/|per )\s?min(?:ute)?\b", "ml/kg/min"),
    SaidUnit(rf"[a-z]+\s?(?:/|per )\s?(?:{KM}|{MI}|h(?:our)?\b|kg\b)", "unknown"),
    SaidUnit(r"bpm\b|beats?(?: ?(?:/|per |a |each )min(?:ute)?)?\b", "bpm"),
    SaidUnit(r"spm\b|(?:steps|strides) ?(?:/|per |a |each )min(?:ute)?\b", "spm"),
    SaidUnit(r"%|per ?cent\b", "%"),
    SaidUnit(KM, "m", 1000),
    SaidUnit(MI, "m", MILE),
    SaidUnit(r"m\b|met(?:er|re)s?\b", "m"),
    SaidUnit(r"ft\b|feet\b|foot\b", "m", FOOT),
    SaidUnit(r"h\b|hrs?\b|hours?\b", "s", HOUR),
    SaidUnit(r"mins?\b|minutes?\b", "s", 60),
    SaidUnit(r"s\b|secs?\b|seconds?\b", "s"),
    SaidUnit(r"days?\b", "days"),
    SaidUnit(r"weeks?\b", "days", 7),
    SaidUnit(r"months?\b", "days", 30),
    SaidUnit(
        r"k?cal\b|calories\b|w\b|watts?\b|kg\b|lbs?\b|pounds\b|°|degrees\b|lit(?:er|re)s?\b|ml\b|years?\b|am\b"
        r"|pm\b|a\.m\.|p\.m\.|o'clock|seconds? of\b|rpe\b",
        "unknown",
    ),
)
UNIT = re.compile(r"\s?(?:" + "|".join(f"(?P<unit{at}>{one.pattern})" for at, one in enumerate(UNITS)) + ")")


def unit_at(text: str, at: int) -> tuple[str, SaidUnit] | None:
    """The unit that stands there, and how it is written; a hyphen may stand before it: a 10-km run."""
    at += text[at : at + 1] == "-" and text[at + 1 : at + 2].isalpha()
    match = UNIT.match(text, at)
    return (match.group(), UNITS[int((match.lastgroup or "")[4:])]) if match else None
