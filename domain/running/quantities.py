"""The quantities of a text about runs: 10.02 km, 5:12/km, 1:02:33, 4 %, half an hour, twenty-five minutes.

What a number may mean is said by all its readings; one of them must be true.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from domain.running.units import HOUR, KM, MI, MILE, PER, unit_at
from domain.text import MONTHS, SPELLED, plain

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


_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = "third fourth fifth sixth seventh eighth ninth tenth"
_TENS = {word: 10 * at for at, word in enumerate(_TENS_WORDS.split(), start=2)}
_ONES = {word: int(value) for word, value in SPELLED.items() if word not in ("zero", "twenty")}
_WORD = "|".join(sorted([*_TENS, *_ONES, "zero"], key=len, reverse=True))
# "One" is a word, unless something is measured by it; one kilometre and one minute are ways to speak.
SPELLED_OUT = re.compile(
    rf"\b(?=[{''.join(sorted({word[0] for word in (*_TENS, *_ONES, 'zero')}))}])"
    rf"(?:(?P<tens>{'|'.join(_TENS)})[ -](?P<ones>{'|'.join(_ONES)})|(?P<alone>{_WORD}))"
    r"(?P<big>(?: (?:hundred|thousand))*)\b",
)
LONE_ONE = re.compile(
    r"\bone(?! (?:hour|percent|per cent|beat|hundred|thousand)\w*\b)",
)
_ROUGH = (
    (r"(?:an|1) hour and a half|1 and a half hours", "s", 1.5 * HOUR),
    (r"(?:an|1) hour and a quarter", "s", 1.25 * HOUR),
    (r"half an hour|a half[- ]hour", "s", 0.5 * HOUR),
    (r"3[- ]quarters of an hour", "s", 0.75 * HOUR),
    (r"a quarter of an hour|quarter[- ]hour", "s", 0.25 * HOUR),
    (r"an hour", "s", HOUR),
    (r"half a minute", "s", 30.0),
    (r"half a (?:kilomet(?:er|re)|km)", "m", 500.0),
    (r"half a mile", "m", MILE / 2),
    (r"dozens?|hundreds|thousands|(?:a )?millions?", "unknown", 0.0),
    (r"2[- ]thirds|3[- ]quarters|a third of|a quarter of|double the|triple the", "unknown", 0.0),
)
A_BIG = re.compile(r"\ba (?=(?:hundred|thousand)\b)")
ROUGH = re.compile(rf"\b(?:{'|'.join(said for said, *_ in _ROUGH)})\b")
_MONTHS = [name.lower() for name in MONTHS]
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|(?:{'|'.join(name[:3] for name in _MONTHS if name != 'may')})\b\.?)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(rf"\b{_DAY}(?: of)? {_MONTH}(?:,? (?P<year>\d{{4}}))?\b"),
    re.compile(rf"\b{_MONTH} {_DAY}\b(?:,? (?P<year>\d{{4}}))?"),
)
ZONE = re.compile(r"\bz(?:ones? )?(?P<a>\d)\b(?: ?(?:-|to|and|or|through) ?(?:z(?:one )?)?(?P<b>\d)\b)?")
# Names of measures and ways to speak, no numbers.
NAMES = re.compile(r"\bvo2(?: ?max)?\b|\btwo halves\b")
ORDINAL = {word: at for at, word in enumerate(_ORDINAL_WORDS.split(), start=3)}
ORDINALS = re.compile(rf"\b(?:{'|'.join(ORDINAL)})\b(?<!last third)(?<!final third)(?<!first third)(?<!middle third)")
COMPOUND = re.compile(
    r"(?<![\w.:])(?P<h>\d+) ?(?:h|hrs?|hours?)(?:,? and |, | )?(?P<m>\d{1,2})(?: ?(?:m|mins?|minutes?)\b|\b)"
    r"(?:(?:,? and |, | )?(?P<s>\d{1,2}) ?(?:s|secs?|seconds?)\b)?"
    # m alone may be metres
    r"|(?<![\w.:])(?P<m2>\d+)(?: ?(?:mins?|minutes?)(?:,? and |, | )?| ?m ?)(?P<s2>\d{1,2}) ?(?:s|secs?|seconds?)\b",
)
_NUM = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
VALUE = re.compile(rf"(?=\d)(?:(?P<clock>\d+:[0-5]\d(?::[0-5]\d)?)|(?P<number>{_NUM})(?P<ordinal>st|nd|rd|th)?(?!\d))")
TO_ANOTHER = re.compile(rf"\s?(?:-|to|and|or)\s?(?:\d+:[0-5]\d(?::[0-5]\d)?|{_NUM})")
PER_LENGTH = re.compile(rf"\s?(?:min(?:utes)?\s?)?{PER}\s?(?:(?P<km>{KM})|(?P<mile>{MI}))")


def quantities(text: str) -> Iterator[Quantity]:
    """Every quantity of the text, in no order."""
    rest = _in_digits(NAMES.sub(" ", plain(text).lower()))
    digits = DIGIT.search(rest)
    for pattern, read in READ if digits else READ_WITHOUT_DIGITS:
        if found := list(pattern.finditer(rest)):
            yield from (quantity for match in found for quantity in read(match))
            rest = pattern.sub(" ; ", rest)
    for match in VALUE.finditer(rest) if digits else ():
        yield _measured(rest, match)


def _in_digits(text: str) -> str:
    """The text with its spelled numbers as digits."""

    def digits(match: re.Match[str]) -> str:
        value = _number(match["alone"]) if match["alone"] else _TENS[match["tens"]] + _number(match["ones"])
        for big in match["big"].split():
            value *= {"hundred": 100, "thousand": 1000}[big]
        return str(value)

    return SPELLED_OUT.sub(digits, LONE_ONE.sub("a", A_BIG.sub("one ", text)))


def _number(word: str) -> int:
    return _TENS.get(word) or _ONES.get(word) or 0


def _date(match: re.Match[str]) -> Iterator[Quantity]:
    month = match["month"]
    number = int(month) if month.isdigit() else next(at for at, name in enumerate(_MONTHS, 1) if month[:3] == name[:3])
    yield Quantity(match.group(), (Reading("date", float(match["day"]), 0),), number, int(match["year"] or 0))


def _zones(match: re.Match[str]) -> Iterator[Quantity]:
    for digit in filter(None, match.groups()):
        yield Quantity(match.group(), (Reading("zone", float(digit), 0),))


def _rough(match: re.Match[str]) -> Iterator[Quantity]:
    unit, value = next((unit, value) for said, unit, value in _ROUGH if re.fullmatch(said, match.group()))
    yield Quantity(match.group(), (Reading(unit, value, ROUGHLY * value),))


def _compound(match: re.Match[str]) -> Iterator[Quantity]:
    hours, minutes, seconds = (float(match[name] or 0) for name in ("h", "m", "s"))
    if match["m2"]:
        minutes, seconds = float(match["m2"]), float(match["s2"])
    within = 0.5 if match["s"] or match["s2"] else 30.0
    yield Quantity(match.group(), (Reading("s", hours * HOUR + minutes * 60 + seconds, within),))


def _ordinal(match: re.Match[str]) -> Iterator[Quantity]:
    yield Quantity(match.group(), (Reading("count", float(ORDINAL[match.group()]), 0),))


# In this order: what one has read the next ones do not see.
READ: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[Quantity]]], ...] = (
    *((pattern, _date) for pattern in DATES),
    (ZONE, _zones),
    (ROUGH, _rough),
    (COMPOUND, _compound),
    (ORDINALS, _ordinal),
)
READ_WITHOUT_DIGITS = ((ROUGH, _rough), (ORDINALS, _ordinal))
DIGIT = re.compile(r"\d")


def _measured(text: str, match: re.Match[str]) -> Quantity:
    """A number with the unit that follows it, or that follows the number which it is a range with."""
    end = match.end()
    if not unit_at(text, end) and not PER_LENGTH.match(text, end) and (range_ := TO_ANOTHER.match(text, end)):
        end = range_.end()
    if match["clock"]:
        return _clock(text, match, end)
    value, within = _value(match["number"])
    found = unit_at(text, end)
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
    if per := PER_LENGTH.match(text, end):
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
