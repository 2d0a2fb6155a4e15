"""The twin's advice: rules for the role, each spoken only with a sentence or a technology that is cited."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle

from domain.research import Claim, Evidence, Interview
from domain.roles import (
    ASK_TECHNOLOGY,
    ASK_THEM,
    COMMON,
    PREPARE,
    PREPARE_TECHNOLOGY,
    QUESTION_TECHNOLOGY,
    Angle,
    family,
)

EXCERPT_WORDS = 24
TECHNOLOGIES, CODE_NAMES = 3, 6


def advise(
    company: str, role: str, found: Mapping[str, Sequence[Evidence]], evidence: Sequence[Evidence]
) -> tuple[Interview, tuple[Claim, ...], tuple[Claim, ...]]:
    """Rules for the role, each on a fact of its own; a rule that finds none says nothing."""
    suited = family(role)
    topics: list[Claim] = []
    questions: list[Claim] = []
    facts: list[Evidence] = []
    for angle in (*suited.angles, *COMMON):
        fact = _fact(angle, found, facts)
        if fact is None:
            continue
        facts.append(fact)
        topics.append(_said(f"{angle.topic}: {{fact}}", fact, company))
        questions.append(_said(angle.question, fact, company))
    prepare = [_said(text, fact, company) for text, fact in zip(cycle(PREPARE), facts[:4], strict=False)]
    ask_them = [_said(text, fact, company) for text, fact in zip(cycle(ASK_THEM), facts[::-1][:3], strict=False)]
    for item in _technologies(evidence)[:TECHNOLOGIES] if suited.technical else []:
        questions.append(_about(QUESTION_TECHNOLOGY, item))
        prepare.append(_about(PREPARE_TECHNOLOGY, item))
        ask_them.append(_about(ASK_TECHNOLOGY, item))
    interview = Interview(topics=tuple(topics), questions=tuple(questions))
    return interview, tuple(prepare), tuple(ask_them)


def _fact(angle: Angle, found: Mapping[str, Sequence[Evidence]], spoken: Sequence[Evidence]) -> Evidence | None:
    """The sentence that speaks most of an angle, one of its own sections before others, none twice."""
    cues = re.compile(rf"\b(?:{angle.cues})", re.IGNORECASE)
    weights: list[tuple[int, Evidence]] = []
    for name, rows in found.items():
        for row in rows:
            hits = len(set(cues.findall(row.quote)))
            if hits and row not in spoken:
                weights.append((hits + (2 if name in angle.sections else 0), row))
    return max(weights, key=lambda weight: weight[0])[1] if weights else None


def _said(template: str, fact: Evidence, company: str) -> Claim:
    return Claim(text=template.format(fact=f"“{_excerpt(fact.quote)}”", company=company), evidence=(fact.id,))


def _about(template: str, item: Evidence) -> Claim:
    return Claim(text=template.format(technology=item.technology), evidence=(item.id,))


def code_names(evidence: Sequence[Evidence]) -> tuple[Claim, ...]:
    """The chief technologies of the code in one claim, if there are any."""
    rows = _technologies(evidence)[:CODE_NAMES]
    named = ", ".join(item.technology or "" for item in rows)
    return (Claim(text=f"The code names {named}.", evidence=tuple(item.id for item in rows)),) if rows else ()


def _technologies(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The technologies the code names: well-known ones first (they go by another name than the manifest's), and of
    every file the first ones first, since readers of code put what matters most at the top."""
    by_name = {item.technology: item for item in reversed(evidence) if item.technology}
    files: Counter[str] = Counter()
    weights: list[tuple[bool, int, Evidence]] = []
    for item in list(by_name.values())[::-1]:
        weights.append(((item.technology or "") in item.quote, files[item.url], item))
        files[item.url] += 1
    return [item for *_, item in sorted(weights, key=lambda weight: weight[:2])]


def _excerpt(quote: str) -> str:
    """The beginning of a sentence, its own quotation marks made single so that it can be quoted."""
    parts = re.sub(r"[\"“”„«»]", "'", quote).strip("' ").split()
    if len(parts) <= EXCERPT_WORDS:
        return " ".join(parts)
    return f"{' '.join(parts[:EXCERPT_WORDS]).rstrip(',;:.')} …"
