"""A briefing out of a checked draft and the evidence; the stack is read off the evidence, never asked of anybody."""

from collections.abc import Iterable, Sequence
from typing import Literal

from domain import twin
from domain.claims import Checker
from domain.research import (
    Briefing,
    Citation,
    Claim,
    CompanyFacts,
    Draft,
    Evidence,
    Interview,
    Sections,
    Sources,
    Technology,
)

# A briefing travels through Temporal and must stay far below 100 KB.
MOST_CLAIMS, MOST_TECHNOLOGIES, MOST_SHOWN = 12, 100, 2


def checker(sources: Sources, evidence: Sequence[Evidence]) -> Checker:
    """The claim check for this request: the company's name and the role need no source."""
    return Checker(evidence, (sources.request.company_name, sources.request.role))


def extract(sources: Sources, evidence: Sequence[Evidence], reason: str) -> Briefing:
    """The offline twin's briefing. `reason` says in words why no model answered."""
    draft = twin.draft(sources.request.company_name, sources.request.role, evidence)
    return assemble(sources, checker(sources, evidence).draft(draft).draft, evidence, "offline", reason)


def assemble(
    sources: Sources,
    draft: Draft,
    evidence: Sequence[Evidence],
    answered_by: Literal["anthropic", "openai", "offline"],
    reason: str | None = None,
) -> Briefing:
    """The briefing of a checked draft: `evidence` in it is what is cited, `not_found` the sections without a claim."""
    sections = Sections(**{name: getattr(draft.sections, name)[:MOST_CLAIMS] for name in Sections.model_fields})
    topics, questions = draft.interview.topics[:MOST_CLAIMS], draft.interview.questions[:MOST_CLAIMS]
    prepare, ask_them = draft.prepare[:MOST_CLAIMS], draft.ask_them[:MOST_CLAIMS]
    found: dict[str, tuple[Claim, ...]] = {name: getattr(sections, name) for name in Sections.model_fields}
    stack = technologies(evidence)
    claims = [*(claim for part in found.values() for claim in part), *topics, *questions, *prepare, *ask_them]
    return Briefing(
        company=CompanyFacts(
            name=sources.request.company_name, website=sources.site.website, github=sources.code.github
        ),
        sections=sections,
        stack=stack,
        interview=Interview(topics=topics, questions=questions),
        prepare=prepare,
        ask_them=ask_them,
        evidence=_citations(evidence, (*claims, *stack)),
        not_found=tuple(name for name, part in {**found, "stack": stack}.items() if not part),
        answered_by=answered_by,
        reason=reason,
    )


def technologies(evidence: Iterable[Evidence]) -> tuple[Technology, ...]:
    """The stack: every technology that a row of evidence names, in the order found, with the rows that show it."""
    rows: dict[str, list[str]] = {}
    for item in evidence:
        if item.technology:
            rows.setdefault(item.technology, []).append(item.id)
    found = (Technology(name=name, evidence=tuple(ids[:MOST_SHOWN])) for name, ids in rows.items())
    return tuple(found)[:MOST_TECHNOLOGIES]


def _citations(evidence: Iterable[Evidence], citing: Iterable[Claim | Technology]) -> tuple[Citation, ...]:
    cited = {name for item in citing for name in item.evidence}
    return tuple(
        Citation(id=item.id, kind=item.kind, url=item.url, title=item.title, quote=item.quote)
        for item in evidence
        if item.id in cited
    )
