"""Whether a text about runs says only what its facts say: every number, every unit, every name, and no heart unheard.

Pure, deterministic, no model asked. What is wrong is said in words, so that a writer can be told.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from domain.running.contents import Pattern
from domain.running.figures import Fact
from domain.running.quantities import HOUR, MILE, Quantity, Reading, quantities
from domain.text import MONTHS, bare, plain, words

SHORTEST, LONGEST = 40, 6_000
# Facts that give a date have these after their common beginning.
DATE = ("_year", "_month", "_day")
ZONE = "time_in_zone_"
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


def faults(text: str, known: "Known") -> list[str]:
    """What is wrong with a text, each once, in words; nothing if it stands."""
    found = [] if SHORTEST <= len(text) <= LONGEST else [f"it must have {SHORTEST} to {LONGEST} characters"]
    found += [
        f'"{quantity.said.strip()}" is no figure that you were given'
        for quantity in quantities(text)
        if not known.holds(quantity)
    ]
    if "bpm" not in known.by_unit:
        found += [f'"{match.group()}": nothing is known of the heart' for match in HEART_WORDS.finditer(text)]
    if known.pacing != "negative_split" and "egative" in text and NEGATIVE_SPLIT.search(text):
        found.append("nothing says that the second half was the faster one")
    found += [f'"{name}" is a name that you were not given' for name in _strangers(text, known.named)]
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Known:
    """What a text may say: the values of facts by their unit; the heart-rate zones that have a time; days with their
    months and years, where those are known; all years; names, in `named` text; and how the run's halves compare."""

    by_unit: Mapping[str, Collection[float]]
    zones: Collection[str]
    dates: Collection[tuple[float, float | None, float | None]]
    years: Collection[float]
    named: Collection[str]
    pacing: Pattern | None

    @classmethod
    def of(cls, facts: Mapping[str, Fact], named: Collection[str] = (), pacing: Pattern | None = None) -> "Known":
        by_unit: dict[str, set[float]] = {}
        for name, fact in facts.items():
            if not name.endswith(DATE):
                unit = "days" if name.startswith("window_") else "count" if fact.unit == "" else fact.unit
                # a difference is said without its sign
                by_unit.setdefault(unit, set()).add(abs(fact.value))
        values = {name: fact.value for name, fact in facts.items() if name.endswith(DATE)}
        days = [name.removesuffix("_day") for name in values if name.endswith("_day")]
        return cls(
            by_unit,
            zones=[name.removeprefix(ZONE) for name in facts if name.startswith(ZONE)],
            dates=[(values[f"{day}_day"], values.get(f"{day}_month"), values.get(f"{day}_year")) for day in days],
            years=[value for name, value in values.items() if name.endswith("_year")],
            named=named,
            pacing=pacing,
        )

    @cached_property
    def _bare(self) -> Collection[float]:
        """What a number without a unit may be."""
        found = {
            value / scale
            for unit, values in self.by_unit.items()
            for scale in SCALES.get(unit, (1,))
            for value in values
        }
        return found.union(self.years)

    def holds(self, quantity: Quantity) -> bool:
        return any(self._is(reading, quantity) for reading in quantity.readings)

    def _is(self, reading: Reading, quantity: Quantity) -> bool:
        match reading.unit:
            case "date":
                return self._dated(int(reading.value), quantity)
            case "zone":
                return f"{reading.value:.0f}" in self.zones
            case "any":
                known = self._bare
            case unit:
                known = self.by_unit.get(unit, ())
        within = reading.within * 1.0001 + 1e-9
        return any(abs(value - reading.value) <= within for value in known)

    def _dated(self, day: int, said: Quantity) -> bool:
        return any(
            known == day and month == said.month and (not said.year or year == said.year)
            for known, month, year in self.dates
        )


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
