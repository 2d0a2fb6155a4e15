"""The quantities of a text about runs: 10.02 km, 5:12/km, 1:02:33, 4 %, half an hour, twenty-five minutes.

What a number may mean is said by all its readings; one of them must be true.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from domain.text import MONTHS, SPELLED, plain

MILE, FOOT, HOUR = 1609.344, 0.3048, 3600.0
# What is said of an hour without digits is meant about so exactly.
ROUGHLY = 0.1


class Reading(NamedTuple):
    """A value in a fact's own unit, `within` half of its last digit. Units beyond those of facts: `any` for a bare
    number, `days`, `zone`, `date` (with `day`), and `unknown` for what no fact is ever measured in."""

    unit: str
    value: float
    within: float


@dataclass(frozen=True)
class Quantity:
    """What the text says, and what it may mean."""

    said: str
    readings: tuple[Reading, ...]
    # the date's month (1 to 12) and year, where one is said
    month: int = 0
    year: int = 0


class _Unit(NamedTuple):
    pattern: str
    unit: str
    scale: float = 1.0


# The first that fits is meant. Scales take the number to the fact's own unit.
_PER = r"(?:/|per |an? |each |every )"
_KM, _MI = r"(?:km|kilomet(?:er|re)|k)s?\b", r"(?:mi|mile)s?\b"
UNITS = tuple(
    (re.compile(rf"\s?(?:{one.pattern})", re.IGNORECASE), one)
    for one in (
        _Unit(rf"min(?:ute)?s?\s?{_PER}{_KM}", "s/km", 60),
        _Unit(rf"min(?:ute)?s?\s?{_PER}{_MI}", "s/km", 60 / (MILE / 1000)),
        _Unit(rf"s(?:ec(?:ond)?s?)?\s?{_PER}{_KM}", "s/km"),
        _Unit(rf"s(?:ec(?:ond)?s?)?\s?{_PER}{_MI}", "s/km", 1000 / MILE),
        _Unit(r"(?:km|kilomet(?:er|re)s?)\s?(?:/|per |an )h(?:our)?\b|kph\b|kmh\b", "m/s", 1 / 3.6),
        _Unit(r"(?:mi|miles?)\s?(?:/|per |an )h(?:our)?\b|mph\b", "m/s", MILE / HOUR),
        _Unit(r"(?:m|met(?:er|re)s?)\s?(?:/|per |a )s(?:ec(?:ond)?)?\b", "m/s"),
        _Unit(r"(?:m|met(?:er|re)s?)\s?(?:/|per |a |each )(?:heart)?beat\b", "m/beat"),
        _Unit(r"ml\s?(?:/|per )\s?kg\s?(?:/|per )\s?min(?:ute)?\b", "ml/kg/min"),
        _Unit(rf"[a-z]+\s?(?:/|per )\s?(?:{_KM}|{_MI}|h(?:our)?\b|kg\b)", "unknown"),
        _Unit(r"bpm\b|beats?(?: ?(?:/|per |a |each )min(?:ute)?)?\b", "bpm"),
        _Unit(r"spm\b|(?:steps|strides) ?(?:/|per |a |each )min(?:ute)?\b", "spm"),
        _Unit(r"%|per ?cent\b", "%"),
        _Unit(_KM, "m", 1000),
        _Unit(_MI, "m", MILE),
        _Unit(r"m\b|met(?:er|re)s?\b", "m"),
        _Unit(r"ft\b|feet\b|foot\b", "m", FOOT),
        _Unit(r"h\b|hrs?\b|hours?\b", "s", HOUR),
        _Unit(r"mins?\b|minutes?\b", "s", 60),
        _Unit(r"s\b|secs?\b|seconds?\b", "s"),
        _Unit(r"days?\b", "days"),
        _Unit(r"weeks?\b", "days", 7),
        _Unit(r"months?\b", "days", 30),
        _Unit(
            r"k?cal\b|calories\b|w\b|watts?\b|kg\b|lbs?\b|pounds\b|°|degrees\b|lit(?:er|re)s?\b|ml\b|years?\b|am\b"
            r"|pm\b|a\.m\.|p\.m\.|o'clock|seconds? of\b|rpe\b",
            "unknown",
        ),
    )
)
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = "third fourth fifth sixth seventh eighth ninth tenth"
_TENS = {word: 10 * at for at, word in enumerate(_TENS_WORDS.split(), start=2)}
_ONES = {word: int(value) for word, value in SPELLED.items() if word not in ("zero", "twenty")}
_WORD = "|".join(sorted([*_TENS, *_ONES, "zero"], key=len, reverse=True))
# "One" is a word, unless something is measured by it; one kilometre and one minute are ways to speak.
SPELLED_OUT = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})[ -](?P<ones>{'|'.join(_ONES)})|(?P<alone>{_WORD}))"
    r"(?P<big>(?: (?:hundred|thousand))*)\b",
    re.IGNORECASE,
)
LONE_ONE = re.compile(
    r"\bone(?! (?:hour|percent|per cent|beat|hundred|thousand)\w*\b)",
    re.IGNORECASE,
)
ROUGH = tuple(
    (re.compile(rf"\b{pattern}\b", re.IGNORECASE), unit, value)
    for pattern, unit, value in (
        (r"(?:an hour|1 hour) and a half|(?:one|1) and a half hours", "s", 1.5 * HOUR),
        (r"(?:an|1) hour and a quarter", "s", 1.25 * HOUR),
        (r"half an hour|a half[- ]hour", "s", 0.5 * HOUR),
        (r"(?:3|three)[- ]quarters of an hour", "s", 0.75 * HOUR),
        (r"a quarter of an hour|quarter[- ]hour", "s", 0.25 * HOUR),
        (r"an hour", "s", HOUR),
        (r"half a minute", "s", 30.0),
        (r"half a (?:kilomet(?:er|re)|km)", "m", 500.0),
        (r"half a mile", "m", MILE / 2),
        (r"dozens? of|dozens|(?:hundreds|thousands|millions)(?: of)?|a dozen|a million", "unknown", 0.0),
        (r"two[- ]thirds|three[- ]quarters|a third of|a quarter of|double the|triple the", "unknown", 0.0),
    )
)
_MONTHS = [name.lower() for name in MONTHS]
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|(?:{'|'.join(name[:3] for name in _MONTHS if name != 'may')})\b\.?)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(rf"\b{_DAY}(?: of)? {_MONTH}(?:,? (?P<year>\d{{4}}))?\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH} {_DAY}\b(?:,? (?P<year>\d{{4}}))?", re.IGNORECASE),
)
ZONE = re.compile(r"\bz(?:ones? )?(?P<a>\d)\b(?: ?(?:-|to|and|or|through) ?(?:z(?:one )?)?(?P<b>\d)\b)?", re.IGNORECASE)
# Names of measures and ways to speak, no numbers.
NAMES = re.compile(r"\bvo2(?: ?max)?\b|\btwo halves\b", re.IGNORECASE)
ORDINAL = {word: at for at, word in enumerate(_ORDINAL_WORDS.split(), start=3)}
ORDINALS = re.compile(rf"(?<!last )(?<!final )(?<!first )(?<!middle )\b(?:{'|'.join(ORDINAL)})\b", re.IGNORECASE)
COMPOUND = re.compile(
    r"(?<![\w.:])(?P<h>\d+) ?(?:h|hrs?|hours?)(?:,? and |, | )?(?P<m>\d{1,2})(?: ?(?:m|mins?|minutes?)\b|\b)"
    r"(?:(?:,? and |, | )?(?P<s>\d{1,2}) ?(?:s|secs?|seconds?)\b)?"
    # m alone may be metres
    r"|(?<![\w.:])(?P<m2>\d+)(?: ?(?:mins?|minutes?)(?:,? and |, | )?| ?m ?)(?P<s2>\d{1,2}) ?(?:s|secs?|seconds?)\b",
    re.IGNORECASE,
)
_NUM = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
VALUE = re.compile(rf"(?P<clock>\d+:[0-5]\d(?::[0-5]\d)?)|(?P<number>{_NUM})(?P<ordinal>st|nd|rd|th)?(?![\d])")
TO_ANOTHER = re.compile(rf"\s?(?:-|to|and|or)\s?(?:\d+:[0-5]\d(?::[0-5]\d)?|{_NUM})")
PER = re.compile(rf"\s?(?:min(?:utes)?\s?)?{_PER}\s?(?:(?P<km>{_KM})|(?P<mile>{_MI}))", re.IGNORECASE)


def quantities(text: str) -> Iterator[Quantity]:
    """Every quantity of the text, in no order."""
    text = _in_digits(NAMES.sub(" ", plain(text)))
    for pattern in DATES:
        for match in pattern.finditer(text):
            yield _date(match)
        text = pattern.sub(_blank, text)
    for match in ZONE.finditer(text):
        for digit in filter(None, match.groups()):
            yield Quantity(match.group(), (Reading("zone", float(digit), 0),))
    text = ZONE.sub(_blank, text)
    for pattern, unit, value in ROUGH:
        for match in pattern.finditer(text):
            yield Quantity(match.group(), (Reading(unit, value, ROUGHLY * value),))
        text = pattern.sub(_blank, text)
    for match in COMPOUND.finditer(text):
        yield Quantity(match.group(), (_compound(match),))
    text = COMPOUND.sub(_blank, text)
    for match in ORDINALS.finditer(text):
        yield Quantity(match.group(), (Reading("count", float(ORDINAL[match.group().lower()]), 0),))
    for match in VALUE.finditer(text):
        yield _measured(text, match)


def _in_digits(text: str) -> str:
    """The text with its spelled numbers as digits."""

    def digits(match: re.Match[str]) -> str:
        value = _number(match["alone"]) if match["alone"] else _TENS[match["tens"].lower()] + _number(match["ones"])
        for big in match["big"].lower().split():
            value *= {"hundred": 100, "thousand": 1000}[big]
        return str(value)

    text = re.sub(r"\ba (?=(?:hundred|thousand)\b)", "one ", text, flags=re.IGNORECASE)
    return SPELLED_OUT.sub(digits, LONE_ONE.sub(lambda found: "a" if found else "", text))


def _number(word: str) -> int:
    word = word.lower()
    return _TENS.get(word) or _ONES.get(word) or 0


def _blank(match: re.Match[str]) -> str:
    return " ; "


def _date(match: re.Match[str]) -> Quantity:
    month = match["month"].lower()
    number = int(month) if month.isdigit() else next(at for at, name in enumerate(_MONTHS, 1) if month[:3] == name[:3])
    said = Reading("date", float(match["day"]), 0)
    return Quantity(match.group(), (said,), number, int(match["year"] or 0))


def _compound(match: re.Match[str]) -> Reading:
    hours, minutes, seconds = (float(match[name] or 0) for name in ("h", "m", "s"))
    if match["m2"]:
        minutes, seconds = float(match["m2"]), float(match["s2"])
    exact = match["s"] or match["s2"]
    return Reading("s", hours * HOUR + minutes * 60 + seconds, 0.5 if exact else 30.0)


def _measured(text: str, match: re.Match[str]) -> Quantity:
    """A number with the unit that follows it, or that follows the number which it is a range with."""
    end = match.end()
    if not _unit(text, end) and not PER.match(text, end) and (range_ := TO_ANOTHER.match(text, end)):
        end = range_.end()
    if match["clock"]:
        return _clock(text, match, end)
    value, within = _value(match["number"])
    found = _unit(text, end)
    if match["ordinal"]:
        return Quantity(match.group(), (Reading("count", value, 0),))
    if found is None:
        return Quantity(match.group(), (Reading("any", value, within),))
    suffix, unit = found
    within *= unit.scale
    if unit.unit == "s" and unit.scale == HOUR:
        within = min(within, ROUGHLY * value * HOUR)
    elif unit.unit == "days" and unit.scale == 30:
        within = 5.0
    readings = [Reading(unit.unit, value * unit.scale, within)]
    if unit.unit == "days":
        readings.append(Reading("count", value, 0))
    return Quantity(match.group() + suffix, tuple(readings))


def _clock(text: str, match: re.Match[str], end: int) -> Quantity:
    parts = [int(part) for part in match["clock"].split(":")]
    seconds = float(sum(part * 60**at for at, part in enumerate(reversed(parts))))
    if per := PER.match(text, end):
        scale = 1.0 if per["km"] else 1000 / MILE
        return Quantity(match.group() + per.group(), (Reading("s/km", seconds * scale, 0.5 * scale),))
    readings = [Reading("s", seconds, 0.5)]
    if len(parts) == 2:
        readings += [Reading("s/km", seconds, 0.5)]
        if re.match(r"\s?(?:h\b|hours?\b)", text[end:]):
            readings = [Reading("s", seconds * 60, 30.0)]
        elif re.match(r"\s?(?:am\b|pm\b|a\.m|p\.m|o'clock)", text[end:]):
            readings = [Reading("unknown", seconds, 0)]
    return Quantity(match.group(), tuple(readings))


def _value(number: str) -> tuple[float, float]:
    digits = number.replace(",", "")
    decimals = len(digits.partition(".")[2])
    return float(digits), 0.5 * 10.0**-decimals


def _unit(text: str, at: int) -> tuple[str, _Unit] | None:
    # a hyphen may stand between: a 10-km run
    at += text[at : at + 1] == "-" and text[at + 1 : at + 2].isalpha()
    for pattern, unit in UNITS:
        if match := pattern.match(text, at):
            return match.group(), unit
    return None
