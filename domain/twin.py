"""The offline twin: a briefing's draft out of the evidence alone. Sentences are taken as they stand."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from domain.research import Claim, Draft, Evidence, Interview, Sections
from domain.roles import ASK_TECHNOLOGY, ASK_THEM, COMMON, PREPARE, PREPARE_TECHNOLOGY, QUESTION_TECHNOLOGY, family
from domain.text import content, plain, words


class Section(NamedTuple):
    """How a section's sentences are known: what each page topic is worth, cue words, how many to take."""

    topics: Mapping[str, float]
    cues: re.Pattern[str]
    limit: int


def _cues(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.IGNORECASE)


SECTIONS = {
    "news": Section(
        {"news": 3}, _cues(r"announc|launch|releas|today|this year|recent|new\b|we asked|20\d\d|award|join"), 4
    ),
    "overview": Section(
        {"about": 3, "home": 1.5},
        _cues(
            r"is a\b|are a\b|team of|mission|found|start|since|headquarter|help|provid|serv|employ|fund|part of|"
            r"became|within|office|cost|customer|agenc|our name"
        ),
        7,
    ),
    "products": Section(
        {"products": 3, "home": 1},
        _cues(
            r"product|service|platform|offer|solution|tool\b|website|application|access|host|custom|build|deliver|"
            r"sign-on|plan\b|pricing|moderniz|digital"
        ),
        7,
    ),
    "culture": Section(
        {"culture": 3, "careers": 2},
        _cues(
            r"cultur|value|principle|agile|lean|together|in the open|available to the public|divers|inclus|collaborat|"
            r"learn|user|partner|trust|remote|benefit|mission|passion|empower|feedback"
        ),
        7,
    ),
    "engineering": Section(
        {"engineering": 3, "repository": 1.5},
        _cues(
            r"software|code|open.source|infrastructure|architect|database|postgres|docker|deploy|api\b|secur|encrypt|"
            r"cloud|develop|test|agile|repositor|prototype|oracle|framework|language"
        ),
        7,
    ),
}
CALL_TO_ACTION = re.compile(
    r"^(?:learn|read|see|check|contact|e-?mail|click|download|get in touch|sign up|visit|subscribe|find out|apply|"
    r"follow|watch|view|back to|head over|special thanks|take the next)\b|\S@\S|https?://|\blink\b",
    re.IGNORECASE,
)
UNFIT = re.compile(r"[{}<>|\\=;]|\?[\"'”’)]*$|:$")
DATED = re.compile(r"\b(?:19|20)\d\d\b")
FEWEST_WORDS, MOST_WORDS, EXCERPT_WORDS = 6, 60, 24
ENOUGH = 2.5
TECHNOLOGIES = 3


def draft(company: str, role: str, evidence: Sequence[Evidence]) -> Draft:
    """Rank the evidence into sections, then let the rules for the role speak about what it holds."""
    taken: set[str] = set()
    ranks = _ranks(evidence)
    found = {name: _section(spec, evidence, ranks, company, taken) for name, spec in SECTIONS.items()}
    sections = Sections(**{name: tuple(_quoted(item) for item in rows) for name, rows in found.items()})
    interview, prepare, ask_them = _advice(company, role, [row for rows in found.values() for row in rows], evidence)
    return Draft(sections=sections, interview=interview, prepare=prepare, ask_them=ask_them)


def _quoted(item: Evidence) -> Claim:
    return Claim(text=item.quote, evidence=(item.id,))


def _ranks(evidence: Sequence[Evidence]) -> dict[str, int]:
    """Each sentence's place on its page: what matters stands early."""
    seen: Counter[str] = Counter()
    ranks: dict[str, int] = {}
    for item in sorted(evidence, key=lambda item: item.offset):
        ranks[item.id] = seen[item.url]
        seen[item.url] += 1
    return ranks


def _fit(item: Evidence) -> bool:
    """Whether a sentence can stand alone: a statement of a readable length, no code, no call to action."""
    if item.technology or item.topic == "manifest" or CALL_TO_ACTION.search(item.quote) or UNFIT.search(item.quote):
        return False
    return FEWEST_WORDS <= len(words(item.quote)) <= MOST_WORDS


def _section(
    spec: Section, evidence: Sequence[Evidence], ranks: Mapping[str, int], company: str, taken: set[str]
) -> list[Evidence]:
    """The best sentences of a section, a page's second and third counting less, none twice in other words."""
    scores = {item.id: _score(item, spec, ranks, company) for item in evidence if _fit(item) and item.id not in taken}
    chosen: list[Evidence] = []
    open_rows = [item for item in evidence if scores.get(item.id, 0) >= ENOUGH]
    pages: Counter[str] = Counter()
    while open_rows and len(chosen) < spec.limit:
        best = max(open_rows, key=lambda item: scores[item.id] - 0.6 * pages[item.url])
        open_rows.remove(best)
        if not any(_alike(best.quote, other.quote) for other in chosen):
            chosen.append(best)
            pages[best.url] += 1
    taken.update(item.id for item in chosen)
    return chosen


def _score(item: Evidence, spec: Section, ranks: Mapping[str, int], company: str) -> float:
    worth = spec.topics.get(item.topic, 0)
    hits = len({match.lower() for match in spec.cues.findall(item.quote)})
    # Elsewhere than on its own pages a section needs more than a chance word.
    if not worth and (hits < 2 or "news" in spec.topics):
        return 0
    early = 1 / (1 + ranks[item.id] / 5)
    dated = 0.5 if "news" in spec.topics and DATED.search(item.quote) else 0
    named = 0.5 if plain(company).lower() in plain(item.quote).lower() else 0
    return worth + 0.8 * min(hits, 3) + early + dated + named


def _alike(one: str, other: str) -> bool:
    a, b = content(one), content(other)
    return bool(a and b) and len(a & b) / min(len(a), len(b)) > 0.6


def _advice(
    company: str, role: str, chosen: Sequence[Evidence], evidence: Sequence[Evidence]
) -> tuple[Interview, tuple[Claim, ...], tuple[Claim, ...]]:
    """Rules for the role, each on a fact of its own; a rule that finds none says nothing."""
    suited = family(role)
    topics: list[Claim] = []
    questions: list[Claim] = []
    facts: list[Evidence] = []
    for angle in (*suited.angles, *COMMON):
        cues = _cues(angle.cues)
        rest = [item for item in chosen if item not in facts and cues.search(item.quote)]
        if not rest:
            continue
        fact = max(rest, key=lambda item: len(set(cues.findall(item.quote))))
        facts.append(fact)
        topics.append(_said(f"{angle.topic}: {{fact}}", fact, company))
        questions.append(_said(angle.question, fact, company))
    prepare = [_said(text, fact, company) for text, fact in zip(_around(PREPARE), facts[:4], strict=False)]
    ask_them = [_said(text, fact, company) for text, fact in zip(_around(ASK_THEM), facts[::-1][:3], strict=False)]
    for item in _technologies(evidence) if suited.technical else []:
        questions.append(_about(QUESTION_TECHNOLOGY, item))
        prepare.append(_about(PREPARE_TECHNOLOGY, item))
        ask_them.append(_about(ASK_TECHNOLOGY, item))
    interview = Interview(topics=tuple(topics), questions=tuple(questions))
    return interview, tuple(prepare), tuple(ask_them)


def _around(templates: Sequence[str]) -> Iterator[str]:
    while True:
        yield from templates


def _said(template: str, fact: Evidence, company: str) -> Claim:
    return Claim(text=template.format(fact=f"“{_excerpt(fact.quote)}”", company=company), evidence=(fact.id,))


def _about(template: str, item: Evidence) -> Claim:
    return Claim(text=template.format(technology=item.technology), evidence=(item.id,))


def _technologies(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The first technologies that the code names; readers of code put what matters most first."""
    by_name = {item.technology: item for item in reversed(evidence) if item.technology}
    return list(by_name.values())[::-1][:TECHNOLOGIES]


def _excerpt(quote: str) -> str:
    """The beginning of a sentence, its own quotation marks made single so that it can be quoted."""
    text = plain(quote).replace('"', "'").strip("' ")
    parts = text.split()
    return text if len(parts) <= EXCERPT_WORDS else f"{' '.join(parts[:EXCERPT_WORDS]).rstrip(',;:.')} …"
