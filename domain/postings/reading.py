"""What a posting's text says by itself: labelled lines first, then headings and grammar. Nothing without its words."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from domain.posting import Finding, Source
from domain.postings.naming import hiring, is_title, named
from domain.postings.salary import salary_in
from domain.postings.sections import LABEL, Label, Part, labels_in, parts_of, sections_of
from domain.postings.wording import (
    date_in,
    employment_in,
    is_closed,
    languages_in,
    locations_in,
    remote_in,
    remote_stated,
    seniority_by_grade,
    seniority_by_years,
    seniority_of,
)

# By field: `company.name`, `locations`, `salary` …
Findings = Mapping[str, Finding]
LABELS: Mapping[str, str] = {
    "title": r"job title|title|position(?: title)?|role",
    "company.name": r"company(?: name)?|organi[sz]ation|employer|agency|hiring organi[sz]ation|firma|unternehmen",
    "locations": r"(?:job |duty |office |work )?locations?|place of work|city|(?:arbeits|dienst)?(?:ort|standort)",
    "salary": r"(?:base |annual )?(?:salary|pay|compensation)(?: range)?|rate|gehalt|salary ?/ ?pay",
    "employment_type": r"(?:employment|job|contract|position|appointment)[- ]type|work schedule|schedule|anstellung\w*",
    "remote": r"work(?:place)?[- ]?(?:type|model|mode|arrangement)?|remote(?: work| policy| status)?",
    "posted_at": r"(?:date )?posted(?: on| at)?|opens?|open(?:ing)? date|published(?: on)?|posting date",
    "expires_at": r"closes?|clos(?:e|ing) date|(?:application )?deadline|apply by|valid through|expires(?: on)?",
}
PARTS: Mapping[str, Part] = {
    "responsibilities": "responsibilities",
    "requirements": "requirements",
    "benefits": "benefits",
    "skills.required": "skills",
    "skills.preferred": "preferred",
}
SURE, LIKELY, READ = 0.95, 0.85, 0.7
FEW_LINES = 3


def read_text(text: str, *, headings: Sequence[str] = ()) -> Findings:
    """What the Markdown of a posting says; `headings` are the page's own title lines, the surest first."""
    text = _lined(text)
    labels = list(labels_in(text))
    found: dict[str, Finding] = {}
    _labelled(labels, found)
    _names(text, [*headings, *_first_lines(text)], labels, found)
    _worded(text, found)
    parts = parts_of(sections_of(text))
    for name, part in PARTS.items():
        if parts.get(part):
            found[name] = _finding(parts[part], "grammar", parts[part][0], READ)
    return found


def _labelled(labels: Iterable[Label], found: dict[str, Finding]) -> None:
    readers: Mapping[str, Callable[[str], Any]] = {
        "company.name": lambda value: value if len(value.split()) <= 8 else None,
        "locations": locations_in,
        "salary": lambda value: (stated := salary_in(value, labelled=True)) and stated.salary,
        "employment_type": employment_in,
        "remote": lambda value: remote_in(value) if remote_in(value) != "unknown" else None,
        "posted_at": date_in,
        "expires_at": date_in,
    }
    for label in labels:
        for name, read in readers.items():
            if name not in found and re.fullmatch(LABELS[name], label.name) and (value := read(label.value)):
                found[name] = _finding(value, "label", label.quote, SURE)
        of_place = "remote" not in found and re.fullmatch(LABELS["locations"], label.name)
        if of_place and (remote := remote_in(label.value)) != "unknown":
            found["remote"] = _finding(remote, "label", label.quote, SURE)


def _names(text: str, lines: Sequence[str], labels: Iterable[Label], found: dict[str, Finding]) -> None:
    """Title and company. A heading says what this page is about; a label may repeat an official name."""
    said = [label.value for label in labels if re.fullmatch(LABELS["title"], label.name)]
    sources: Sequence[tuple[Source, float, Sequence[str]]] = (("grammar", LIKELY, lines), ("label", SURE, said))
    for source, sure, candidates in sources:
        for line in filter(is_title, candidates):
            both = named(line, text)
            if both.title:
                found.setdefault("title", _finding(both.title, source, line, sure))
            if both.company:
                found.setdefault("company.name", _finding(both.company, source, line, sure))
    if "company.name" not in found and (who := hiring(text)):
        found["company.name"] = _finding(who[0], "grammar", who[1], READ)
    if "title" in found and "company.name" in found:
        title, company = found["title"], found["company.name"].value
        bare = title.value.removeprefix(company).lstrip(" -–—:|,")
        found["title"] = title.model_copy(update={"value": bare or title.value})


def _worded(text: str, found: dict[str, Finding]) -> None:
    """What grammar reads where no label has said it."""
    if "salary" not in found and (stated := salary_in(text)):
        found["salary"] = _finding(stated.salary, "grammar", stated.quote, LIKELY)
    if "remote" not in found:
        remote, quote = remote_stated(text)
        if quote:
            found["remote"] = _finding(remote, "grammar", quote, READ)
    title = found["title"].value if "title" in found else ""
    if level := seniority_of(title):
        found["seniority"] = _finding(level, "grammar", title, LIKELY)
    elif by := seniority_by_grade(text) or seniority_by_years(text):
        found["seniority"] = _finding(by[0], "grammar", by[1], READ)
    if languages := languages_in(text):
        found["languages"] = _finding(languages, "grammar", languages[0], READ)
    if closed := is_closed(text):
        found["closed"] = _finding(True, "grammar", closed, SURE)


def _lined(text: str) -> str:
    """A text that was pasted without its line breaks has a line for each of its sentences."""
    lines = [line for line in text.splitlines() if line.strip()]
    return re.sub(r"(?<=[.!?])\s+(?=[A-Z])", "\n", text) if len(lines) <= FEW_LINES else text


def _first_lines(text: str) -> list[str]:
    lines = (line.strip().rstrip(".") for line in text.splitlines())
    return [line for line in lines if line and not LABEL.match(line)][:5]


def _finding(value: Any, source: Source, quote: str, confidence: float) -> Finding:
    return Finding(value=value, source=source, quote=" ".join(quote.split()), confidence=confidence)
