"""The claim check: what a claim says must stand in the sentences it cites. Pure, deterministic, no model asked.

A claim is dropped when it cites nothing or something unknown, when a quotation, a number or a name of it is not in the
cited sentences, when it turns a denial around, or when its words have too little to do with them.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from domain.model import Model
from domain.names import TRADE, unknown_name
from domain.research import Claim, Draft, Evidence, Interview, Sections
from domain.text import content, dated, folded, numbers, plain, quotations, stem, unquoted, versions, words

# Share of a claim's meaningful words that the cited sentences must hold, tuned in tests/unit/test_claims.py.
FACT_SUPPORT = 0.5
ADVICE_SUPPORT = 0.1
ADVICE = frozenset({"interview.topics", "interview.questions", "prepare", "askThem"})
# What a manifest's line says without words.
USES = "(The software project lists {0}, its code uses, names, requires, depends on and is built with {0}.)"
DENIAL = re.compile(r"\b(?:not(?! only)|no|never|without|neither|nor|cannot|\w+n't)\b", re.IGNORECASE)
# How far a denial reaches: to the next stop or turn of its sentence.
REACH = re.compile(r".*?(?=[,;:.!?]|\b(?:and|but|just)\b|$)")


class Dropped(Model):
    """A claim that was taken out, and why, in words."""

    section: str
    text: str
    reason: str


class Checked(NamedTuple):
    """What is left of a draft, what was dropped, and how many claims the draft had."""

    draft: Draft
    dropped: tuple[Dropped, ...]
    total: int

    @property
    def kept(self) -> int:
        return self.total - len(self.dropped)


class Checker:
    """Checks claims against `evidence`. `known` is text whose words need no source: the company's name, the role."""

    def __init__(self, evidence: Sequence[Evidence], known: Iterable[str]) -> None:
        self._evidence: Mapping[str, Evidence] = {item.id: item for item in evidence}
        self._known = {word.lower() for text in known for word in words(text)}
        self._ordinary = _ordinary(evidence)

    def draft(self, draft: Draft) -> Checked:
        """Check every claim of a draft."""
        dropped: list[Dropped] = []
        total = 0

        def kept(section: str, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
            nonlocal total
            total += len(claims)
            reasons = [(claim, self.fault(claim, advice=section in ADVICE)) for claim in claims]
            dropped.extend(Dropped(section=section, text=claim.text, reason=why) for claim, why in reasons if why)
            return tuple(claim for claim, why in reasons if not why)

        sections = Sections(**{name: kept(name, getattr(draft.sections, name)) for name in Sections.model_fields})
        interview = Interview(
            topics=kept("interview.topics", draft.interview.topics),
            questions=kept("interview.questions", draft.interview.questions),
        )
        prepare, ask_them = kept("prepare", draft.prepare), kept("askThem", draft.ask_them)
        checked = Draft(sections=sections, interview=interview, prepare=prepare, ask_them=ask_them)
        return Checked(checked, tuple(dropped), total)

    def fault(self, claim: Claim, *, advice: bool = False) -> str | None:
        """Why a claim cannot stand, or None. Advice may say more than its source, but no other facts."""
        if not claim.evidence:
            return "it cites nothing"
        if unknown := [name for name in claim.evidence if name not in self._evidence]:
            return f"it cites {unknown[0]}, which does not exist"
        quotes = [_source(self._evidence[name]) for name in claim.evidence]
        known = self._known | TRADE if advice else self._known
        said = unquoted(claim.text)
        if (quote := _unknown_quotation(claim.text, quotes)) is not None:
            return f"the cited sentences do not say “{quote}”"
        if number := _unknown_number(said, quotes):
            return f"the number {number} is not in the cited sentences"
        if name := unknown_name(said, quotes, known, self._ordinary):
            return f"the name {name} is not in the cited sentences"
        return _unsupported(claim.text, quotes, known, advice=advice)


def _source(evidence: Evidence) -> str:
    """What a row of evidence says: its quote, dates in words too; of code also where it stands and what is used."""
    said = dated(evidence.quote)
    if evidence.kind == "repository":
        said += f" ({evidence.title})"
    return f"{said} {USES.format(evidence.technology)}" if evidence.technology else said


def _ordinary(evidence: Sequence[Evidence]) -> frozenset[str]:
    """Stems that the evidence also writes in lower case, and so no names by themselves."""
    return frozenset(stem(word) for item in evidence for word in words(item.quote) if word.islower())


def _unknown_quotation(text: str, quotes: Sequence[str]) -> str | None:
    sources = [folded(quote) for quote in quotes]
    return next((said for said in quotations(text) if not any(folded(said) in source for source in sources)), None)


def _unknown_number(text: str, quotes: Sequence[str]) -> str | None:
    """An amount or version of `text` that no quote has. A unit that is given must be the source's, too."""
    found = {number for quote in quotes for number in numbers(quote)}
    values = {number.value for number in found}
    for number in numbers(text):
        if number not in found if number.unit else number.value not in values:
            return f"{number.value:f}{number.unit}"
    numbered = {version for quote in quotes for version in versions(quote)}
    return next((version for version in versions(text) if version not in numbered), None)


def _unsupported(text: str, quotes: Sequence[str], known: Collection[str], *, advice: bool) -> str | None:
    meant = content(text) - {stem(word) for word in known}
    sourced = frozenset[str]().union(*(content(quote) for quote in quotes))
    shared = meant & sourced
    if not meant:
        return None if advice else "it says nothing"
    if not shared or len(shared) / len(meant) < (ADVICE_SUPPORT if advice else FACT_SUPPORT):
        return "the cited sentences do not speak of it"
    if advice:
        return None
    if DENIAL.search(plain(text)):
        return None if any(DENIAL.search(plain(quote)) for quote in quotes) else "the cited sentences deny nothing"
    affirmed = frozenset[str]().union(*(content(_affirmed(quote)) for quote in quotes))
    return "the cited sentences deny it" if len(shared & affirmed) < len(shared) / 2 else None


def _affirmed(quote: str) -> str:
    """`quote` without what its denials reach."""
    quote = plain(quote)
    while match := DENIAL.search(quote):
        reach = REACH.match(quote, match.end())
        quote = f"{quote[: match.start()]} {quote[reach.end() if reach else match.end() :]}"
    return quote
