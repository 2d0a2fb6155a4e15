"""Whether a text about runs says only what its facts say: every number, every unit, every name, and no heart unheard.

Pure, deterministic, no model asked. What is wrong is said in words, so that a writer can be told.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property, lru_cache

from domain.running.contents import Pattern
from domain.running.figures import Fact
from domain.running.quantities import HOUR, MILE, Quantity, Reading, quantities
from domain.text import MONTHS, bare, plain, words

SHORTEST, LONGEST = 40, 6_000
# Facts that give a date have these after their common beginning.
DATE = ("_year", "_month", "_day")
# What a bare number may count of a fact, whatever the unit.
SCALES: dict[str, tuple[float, ...]] = {
    "m": (1, 1_000, MILE),
    "s": (1, 60, HOUR),
    "s/km": (1, 60, 1_000 / MILE),
    "m/s": (1, 1 / 3.6),
}
HEART_FACTS = re.compile(r"heart|trimp|zone|decoupling|efficiency")
HEART_WORDS = re.compile(
    r"\b(?:\w*heart\w*|bpm|pulse\w*|hr|hrmax|hrr|cardi\w+|aerobic\w*|anaerobic\w*|beats?|heartbeats?|trimp|"
    r"decoupling|karvonen|(?:zones?|z) ?(?:\d|one|two|three|four|five))\b",
    re.IGNORECASE,
)
NEGATIVE_SPLIT = re.compile(r"(?<!no )(?<!not a )(?<!without a )(?<!than a )\bnegative[- ]split", re.IGNORECASE)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CALENDAR = re.compile(rf"\b(?:{'|'.join((*WEEKDAYS, *MONTHS))})\b")
# A verb and an adverb as well, where a sentence opens.
AMBIGUOUS = frozenset(("March", "May"))
CAPITAL = re.compile(r"(?<![\w'/-])[A-Z][\w']*(?:-\w+)*")
# A sentence opens after these, or after nothing.
QUOTES, OPENERS = " \t'(\"", frozenset((*".!?:;-\n", ""))
# What may be written large without naming anybody.
_NOBODY = """i i'm i'd i'll i've dear runner friend athlete coach letter ok gps trimp vdot hr hrr bpm spm vo2max vo2
riegel banister edwards karvonen friel daniels minetti pr pb"""
NOBODY = frozenset(_NOBODY.split())


def has_heart(facts: Mapping[str, Fact]) -> bool:
    """Whether anything was heard of the runner's heart."""
    return any(fact.unit == "bpm" for fact in facts.values())


def without_heart(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """The facts that are not about the heart, nor made of what it did."""
    beating = ("bpm", "m/beat", "points")
    return {name: fact for name, fact in facts.items() if fact.unit not in beating and not _beats(name)}


@lru_cache(1000)
def _beats(name: str) -> bool:
    return HEART_FACTS.search(name) is not None


def faults(
    text: str, facts: Mapping[str, Fact], named: Collection[str] = (), pacing: Pattern | None = None
) -> list[str]:
    """What is wrong with a text, each once, in words; nothing if it stands. `named` is text whose names it may use."""
    known = _Known(facts)
    found = [] if SHORTEST <= len(text) <= LONGEST else [f"it must have {SHORTEST} to {LONGEST} characters"]
    found += [
        f'"{quantity.said.strip()}" is no figure that you were given'
        for quantity in quantities(text)
        if not known.holds(quantity)
    ]
    if not has_heart(facts):
        found += [f'"{match.group()}": nothing is known of the heart' for match in HEART_WORDS.finditer(text)]
    if pacing != "negative_split" and "egative" in text and NEGATIVE_SPLIT.search(text):
        found.append("nothing says that the second half was the faster one")
    found += [f'"{name}" is a name that you were not given' for name in _strangers(text, named)]
    return list(dict.fromkeys(found))


class _Known:
    """The values of facts, by what may be asked of them."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = facts

    @cached_property
    def _by_unit(self) -> Mapping[str, Collection[float]]:
        found: dict[str, set[float]] = {}
        for name, fact in self._facts.items():
            if not name.endswith(DATE):
                unit = "days" if name.startswith("window_") else "count" if fact.unit == "" else fact.unit
                # a difference is said without its sign
                found.setdefault(unit, set()).add(abs(fact.value))
        return found

    @cached_property
    def _bare(self) -> Collection[float]:
        """What a number without a unit may be."""
        found = {
            value / scale
            for unit, values in self._by_unit.items()
            for scale in SCALES.get(unit, (1,))
            for value in values
        }
        return found | {fact.value for name, fact in self._facts.items() if name.endswith("_year")}

    def holds(self, quantity: Quantity) -> bool:
        return any(self._is(reading, quantity) for reading in quantity.readings)

    def _is(self, reading: Reading, quantity: Quantity) -> bool:
        match reading.unit:
            case "date":
                return self._dated(int(reading.value), quantity)
            case "zone":
                return f"time_in_zone_{reading.value:.0f}" in self._facts
            case "any":
                known = self._bare
            case unit:
                known = self._by_unit.get(unit, ())
        within = reading.within * 1.0001 + 1e-9
        return any(abs(value - reading.value) <= within for value in known)

    def _dated(self, day: int, said: Quantity) -> bool:
        facts = self._facts
        for name in facts:
            if name.endswith("_day") and facts[name].value == day:
                month, year = (facts.get(name.removesuffix("_day") + part) for part in ("_month", "_year"))
                if month and month.value == said.month and (not said.year or (year and year.value == said.year)):
                    return True
        return False


def _strangers(text: str, named: Collection[str]) -> Iterator[str]:
    """Names that nobody has told: a capital within a sentence, a day or a month anywhere."""
    known: Collection[str] | None = None
    text = "\n".join(plain(line) for line in text.split("\n"))
    for match in CAPITAL.finditer(text):
        name = bare(match.group())
        before = text[: match.start()].rstrip(QUOTES)[-1:]
        opens = before in OPENERS
        dated = CALENDAR.fullmatch(name) and not (opens and name in AMBIGUOUS)
        if dated or not opens:
            known = known or {word.lower() for told in named for word in words(told)} | NOBODY
            if not all(part.lower() in known for part in re.split(r"[-/]", name)):
                yield name
