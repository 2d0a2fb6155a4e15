"""The offline twin: a briefing's draft out of the evidence alone. Sentences are taken as they stand.

What it says in words of its own is advice and a list of what the code names.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.advice import advise, code_names
from domain.research import Claim, Draft, Evidence, Sections
from domain.text import content, numbers, plain, words


class Section(NamedTuple):
    """How a section's sentences are known: what each page topic is worth, cue words, how many to take.

    `spread` is what every sentence already taken from a page costs the next one.
    """

    topics: Mapping[str, float]
    cues: re.Pattern[str]
    limit: int
    spread: float = 1.0


def _cues(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.IGNORECASE)


# In the order in which they choose: a sentence serves one section.
SECTIONS = {
    "news": Section({"news": 3}, _cues(r"announc|launch|releas|today|this year|recent|new\b|award|20\d\d|we asked"), 4),
    "overview": Section(
        {"about": 3, "home": 1.5},
        _cues(
            r"is an?\b|are an?\b|team of|mission|found|start|since|headquarter|help|provid|serv|employ|fund|part of|"
            r"became|within|office|cost|customer|agenc|our name|in (?:\w+ )?(?:19|20)\d\d"
        ),
        7,
        spread=0.2,
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
        spread=0.5,
    ),
    "engineering": Section(
        {"engineering": 3, "repository": 1.5},
        _cues(
            r"software|code|open.source|infrastructure|architect|database|postgres|docker|deploy|api\b|secur|encrypt|"
            r"cloud|develop|test|agile|repositor|prototype|framework|language"
        ),
        7,
    ),
}
CALL_TO_ACTION = re.compile(
    r"^(?:learn|read|see|check|contact|e-?mail|click|download|get in touch|sign up|visit|subscribe|find out|apply|"
    r"follow|watch|view|back to|head over|special thanks|take the next)\b|\S@\S|https?://|\blink\b"
    r"|\bthis (?:guide|page|document|post|article)\b",
    re.IGNORECASE,
)
UNFIT = re.compile(r"[{}<>|\\=;]|\?[\"'”’)]*$|:$")
# These lean on the sentence before them.
LEANING = re.compile(
    r"^(?:it|they|this|these|that|those|he|she|but|and|so|if|however|instead|also|then|such|more importantly|"
    r"in addition|for example|other|of course|because|when|while|after|both)\b",
    re.IGNORECASE,
)
FIRST_PERSON = re.compile(r"^(?:we|our)\b", re.IGNORECASE)
# Blogs put the day of a post into its address.
POSTED = re.compile(r"/((?:19|20)\d\d)[/-](\d\d)(?:[/-](\d\d))?\b")
FEWEST_WORDS, MOST_WORDS = 6, 60
ENOUGH = 2.5


def draft(company: str, role: str, evidence: Sequence[Evidence]) -> Draft:
    """Rank the evidence into sections, then let the rules for the role speak about what it holds."""
    taken: set[str] = set()
    ranks = _ranks(evidence)
    found = {name: _section(name, evidence, ranks, company, taken) for name in SECTIONS}
    claims = {name: tuple(_quoted(item) for item in rows) for name, rows in found.items()}
    claims["engineering"] += code_names(evidence)
    sections = Sections(**claims)
    interview, prepare, ask_them = advise(company, role, found, evidence)
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
    name: str, evidence: Sequence[Evidence], ranks: Mapping[str, int], company: str, taken: set[str]
) -> list[Evidence]:
    """The best sentences of a section, a page's second and third counting less, none twice in other words."""
    spec = SECTIONS[name]
    score = _news if name == "news" else _score
    scores = {item.id: score(item, spec, ranks, company) for item in evidence if _fit(item) and item.id not in taken}
    chosen: list[Evidence] = []
    open_rows = [item for item in evidence if scores.get(item.id, 0) >= ENOUGH]
    pages: Counter[str] = Counter()
    while open_rows and len(chosen) < spec.limit:
        best = max(open_rows, key=lambda item: scores[item.id] - spec.spread * pages[item.url])
        open_rows.remove(best)
        if not any(_alike(best.quote, other.quote) for other in chosen):
            chosen.append(best)
            pages[best.url] += 1
    taken.update(item.id for item in chosen)
    return chosen


def _score(item: Evidence, spec: Section, ranks: Mapping[str, int], company: str) -> float:
    worth = spec.topics.get(item.topic, 0)
    hits = len({match.lower() for match in spec.cues.findall(item.quote)})
    text = plain(item.quote)
    speaks = bool(FIRST_PERSON.match(text)) or text.lower().startswith(plain(company).lower())
    # Elsewhere than on its own pages a section needs more than a chance word.
    if hits + speaks == 0 or (not worth and hits < 2):
        return 0
    leans = bool(LEANING.match(text)) or text.endswith("!")
    exact = bool(numbers(text))
    early = 1 / (1 + ranks[item.id] / 5)
    return worth + 0.8 * min(hits, 3) + early + speaks + 0.5 * exact - leans


def _news(item: Evidence, spec: Section, ranks: Mapping[str, int], company: str) -> float:
    """News is what stands first on a dated post or on a news page, the latest first."""
    posted = POSTED.search(item.url)
    if not posted and item.topic != "news":
        return 0
    score = max(ENOUGH + 0.5, _score(item, spec, ranks, company) if item.topic == "news" else 0)
    return score - ranks[item.id] / 4 + ((int(posted[1]) - 2000) / 100 if posted else 0)


def _alike(one: str, other: str) -> bool:
    a, b = content(one), content(other)
    return bool(a and b) and len(a & b) / min(len(a), len(b)) > 0.6
