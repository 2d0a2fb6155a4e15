"""Many sources into one posting: structure wins over words, words over a model; a conflict is kept, a guess is not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, get_args

from domain.posting import Company, Conflict, Details, Evidence, Finding, Salary, Skills, Source
from domain.postings.reading import Findings

ORDER: Sequence[Source] = get_args(Source)
# Of these the quote must stand in the text that was read, the agent's in what its tools have said.
QUOTED: frozenset[Source] = frozenset({"label", "grammar", "model", "agent"})
FIELDS = (
    *("title", "company.name", "company.website", "company.logo_url", "company.description", "company.size"),
    *("company.industry", "locations", "remote", "employment_type", "seniority", "salary", "skills.required"),
    *("skills.preferred", "responsibilities", "requirements", "benefits", "languages", "posted_at", "expires_at"),
    "closed",
)


def merged(tiers: Iterable[Findings], text: str, *, description: str = "", heard: str = "") -> Details:
    """One posting of what all sources found; `text` is everything that was read, for the quotes, and `heard` all that
    tools have said.

    Of each field the surest source stands. What other sources say otherwise is a conflict, if it is of their own word.
    """
    sources, said, told = list(tiers), _flat(text), _flat(heard)
    values: dict[str, Any] = {}
    evidence: dict[str, Evidence] = {}
    conflicts: list[Conflict] = []
    for name in FIELDS:
        findings = [one for tier in sources if (one := tier.get(name))]
        found = [one for one in findings if _holds(one, told if one.source == "agent" else said)]
        found.sort(key=lambda one: ORDER.index(one.source))
        if not found:
            continue
        first = found[0]
        values[name] = first.value
        evidence[name] = Evidence(source=first.source, quote=first.quote, confidence=first.confidence)
        conflicts += [
            Conflict(field=name, kept=first.source, dropped=other.source, said=other.value)
            for other in found[1:]
            if not same(first.value, other.value)
        ]
    return _details(values, evidence, conflicts, description)


def open_fields(details: Details) -> list[str]:
    """Fields that nothing has been found for, or that sources differ in."""
    doubted = {one.field for one in details.conflicts}
    return [name for name in FIELDS if name not in details.evidence or name in doubted]


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: case, order and marks aside; a range and what it leaves open agree."""
    if isinstance(one, Salary) and isinstance(other, Salary):
        pairs = zip(one.model_dump().values(), other.model_dump().values(), strict=True)
        return all(a == b or a is None or b is None for a, b in pairs)
    if isinstance(one, str) and isinstance(other, str):
        return _flat(one) == _flat(other)
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return {_flat(str(a)) for a in one} == {_flat(str(b)) for b in other}
    if isinstance(one, date) or isinstance(other, date):
        return str(one) == str(other)
    return one == other


def _holds(one: Finding, said: str) -> bool:
    return one.source not in QUOTED or (bool(one.quote) and _flat(one.quote) in said)


def _flat(text: str) -> str:
    """Words alone, so that a quote is found across line breaks, marks of Markdown and kinds of spaces."""
    return " ".join("".join(sign if sign.isalnum() or sign in "$€£.,%" else " " for sign in text.lower()).split())


def _details(
    values: Mapping[str, Any], evidence: dict[str, Evidence], conflicts: Sequence[Conflict], description: str
) -> Details:
    plain = {name: value for name, value in values.items() if "." not in name}
    inner = {
        group: {name.split(".")[1]: value for name, value in values.items() if name.startswith(f"{group}.")}
        for group in ("company", "skills")
    }
    return Details(
        **plain,
        company=Company(**inner["company"]),
        skills=Skills(**inner["skills"]),
        description=description,
        evidence=evidence,
        conflicts=tuple(conflicts),
    )
