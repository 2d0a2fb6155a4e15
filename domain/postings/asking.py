"""What a model is asked of a posting, and what of its answer stands: nothing that its own quote does not say."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import Field, field_validator

from domain.model import Model
from domain.posting import Details, EmploymentType, Evidence, Finding, Remote, Salary, Seniority
from domain.postings.enriching import AnsweredBy, Reading, typed
from domain.postings.wording import date_in
from domain.text import numbers, plain

# Some 15 000 tokens of a page; what stands below that is rarely the posting.
MOST_SHOWN = 50_000
# Some 2 500: who waits at the door waits for each of them.
MOST_GLANCED_AT = 8_000
CONFIDENCE = 0.6
FLAT = re.compile(r"[\W_]+")


class Word(Model):
    """A value as the posting says it, and the words that say it, copied letter by letter."""

    value: str
    quote: str


class RemoteSaid(Model):
    value: Remote
    quote: str


class EmploymentSaid(Model):
    value: EmploymentType
    quote: str


class SenioritySaid(Model):
    value: Seniority
    quote: str


class SalarySaid(Model):
    value: Salary
    quote: str


class DateSaid(Model):
    value: date
    quote: str


class Answer(Model):
    """A model's reading. What the posting does not say is null or empty. Items of lists are words of the posting."""

    is_job_posting: bool
    title: Word | None = None
    company_name: Word | None = None
    company_website: Word | None = None
    company_description: Word | None = None
    company_size: Word | None = None
    company_industry: Word | None = None
    locations: list[Word] = Field(default_factory=list[Word])
    remote: RemoteSaid | None = None
    employment_type: EmploymentSaid | None = None
    seniority: SenioritySaid | None = None
    salary: SalarySaid | None = None
    skills_required: list[Word] = Field(default_factory=list[Word])
    skills_preferred: list[Word] = Field(default_factory=list[Word])
    responsibilities: list[str] = Field(default_factory=list[str])
    requirements: list[str] = Field(default_factory=list[str])
    benefits: list[str] = Field(default_factory=list[str])
    languages: list[Word] = Field(default_factory=list[Word])
    posted_at: DateSaid | None = None
    expires_at: DateSaid | None = None


class Heading(Model):
    """What a quick reading asks for: whose job it is, what it is called, where it is."""

    title: Word | None = None
    company_name: Word | None = None
    locations: list[Word] = Field(default_factory=list[Word])


class Said(Model):
    """What of a model's answer stands, and who gave it."""

    is_posting: bool
    findings: dict[str, Finding]
    answered_by: AnsweredBy
    model: str

    @field_validator("findings")
    @classmethod
    def _typed(cls, findings: dict[str, Finding]) -> dict[str, Finding]:
        return typed(findings)


# Fields whose value is the posting's own words: it stands in its quote.
WORDS = {
    "title": "title",
    "company_name": "company.name",
    "company_website": "company.website",
    "company_description": "company.description",
    "company_size": "company.size",
    "company_industry": "company.industry",
}
LISTS = {
    "locations": "locations",
    "skills_required": "skills.required",
    "skills_preferred": "skills.preferred",
    "languages": "languages",
}
PARTS = ("responsibilities", "requirements", "benefits")
# Judged by the quote: the value is a word of ours for it, or the figures are the quote's.
JUDGED: Mapping[str, Callable[[Any, str], bool]] = {
    "remote": lambda value, _: value != "unknown",
    "employment_type": lambda _, __: True,
    "seniority": lambda _, __: True,
    "salary": lambda value, quote: _paid(value, quote),
    "posted_at": lambda value, quote: date_in(quote) == value,
    "expires_at": lambda value, quote: date_in(quote) == value,
}


def heading_prompt(reading: Reading) -> str:
    """How the posting begins: there it says what it is."""
    text = "\n".join([*reading.headings, reading.text or reading.shown])[:MOST_GLANCED_AT]
    return f"<posting>\n{inert(text)}\n</posting>"


def prompt(reading: Reading, known: Details) -> str:
    """What the model sees: what is known already with its sources, and the posting's text."""
    found = known.model_dump(mode="json", by_alias=True, exclude={"evidence", "conflicts", "description"})
    sources = {name: one.source for name, one in known.evidence.items()}
    text = "\n".join([*reading.headings, reading.text or reading.shown])[:MOST_SHOWN]
    told = json.dumps({"found": found, "sources": sources}, ensure_ascii=False)
    return f"<known>\n{inert(told)}\n</known>\n\n<posting>\n{inert(text)}\n</posting>"


def findings_of(answer: Answer | Heading, reading: Reading) -> dict[str, Finding]:
    """What of an answer stands: each quote is in what was read, each value in its quote."""
    if isinstance(answer, Heading):
        answer = Answer(is_job_posting=True, **dict(answer))
    said = flat(reading.said)
    return {name: Finding(value=value, **vars(proof)) for name, value, proof in _standing(answer, said)}


def _standing(answer: Answer, said: str) -> Iterator[tuple[str, Any, Evidence]]:
    for field, name in WORDS.items():
        one: Word | None = getattr(answer, field)
        if one and _stands(one, said):
            yield name, one.value.strip(), _proof(one.quote)
    for field, name in LISTS.items():
        some: list[Word] = [one for one in getattr(answer, field) if _stands(one, said)]
        if some:
            yield name, tuple(dict.fromkeys(one.value.strip() for one in some)), _proof(some[0].quote)
    for name in PARTS:
        lines: list[str] = [line.strip() for line in getattr(answer, name) if flat(line).strip() and flat(line) in said]
        if lines:
            yield name, tuple(dict.fromkeys(lines)), _proof(lines[0])
    for name, holds in JUDGED.items():
        judged = getattr(answer, name)
        if judged and flat(judged.quote).strip() and flat(judged.quote) in said and holds(judged.value, judged.quote):
            yield name, judged.value, _proof(judged.quote)


def _stands(one: Word, said: str) -> bool:
    return bool(flat(one.value).strip()) and flat(one.value) in flat(one.quote) and flat(one.quote) in said


def _paid(salary: Salary, quote: str) -> bool:
    """Whether the quote has each of the amounts."""
    there = {float(number.value) for number in numbers(quote)}
    amounts = [amount for amount in (salary.min, salary.max) if amount is not None]
    return bool(amounts) and all(amount in there for amount in amounts)


def _proof(quote: str) -> Evidence:
    return Evidence(source="model", quote=" ".join(quote.split()), confidence=CONFIDENCE)


def flat(text: str) -> str:
    """Words alone, a space apart and at both ends: one text stands in another if its flat form does."""
    return f" {FLAT.sub(' ', plain(text).lower()).strip()} "


def inert(text: str) -> str:
    """Text cannot close the block that it stands in."""
    return text.replace("<", "‹").replace(">", "›")
