"""The kind `enrich-job-position`: what it is asked, what is read on the way, what comes of it."""

import hashlib
import re
from functools import cache
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from pydantic import TypeAdapter, field_validator

from domain.model import Model, Request
from domain.posting import Company, Details, Finding, Skills
from domain.postings.merging import merged

KIND = "enrich-job-position"
AnsweredBy = Literal["anthropic", "openai", "offline"]
# Parameters that say from where somebody came, on any site and on boards.
TRACKING = re.compile(
    r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|gh_src|lever-source.*|ref|referrer|src|source|trk|trackingid", re.I
)
APPLY = re.compile(
    r"\b(?:apply (?:now|today|here|for|by|at)|how to apply|applications?|candidates?|bewerb\w+)\b", re.IGNORECASE
)
PORTS = {"http": 80, "https": 443}
# A posting has a few thousand characters; of a page that goes on for ever no more is read.
MOST_CHARACTERS = 100_000


class EnrichRequest(Request):
    """Which row."""

    job_position_id: UUID


class AgentReport(Model):
    """What looking up with tools came to: turns of the model, calls of tools, the fields found, and why it ended:
    `done`, `failed`, or the limit's name; `reason` says more."""

    turns: int
    calls: int
    found: tuple[str, ...]
    stopped: str
    reason: str | None = None


class EnrichResult(Model):
    """`fields`: of how many fields something is known; the row has them. `reason`: why no model answered. `agent`: None
    where nothing was looked up."""

    job_position_id: UUID
    answered_by: AnsweredBy
    reason: str | None = None
    fields: int = 0
    conflicts: int = 0
    agent: AgentReport | None = None


class Reading(Model):
    """What was read of a posting: its text as Markdown, the page's own titles, all that the page shows, and what each
    source found. Findings that were stored are of their fields' types again."""

    text: str
    headings: tuple[str, ...] = ()
    shown: str = ""
    tiers: tuple[dict[str, Finding], ...] = ()

    @field_validator("tiers")
    @classmethod
    def _typed(cls, tiers: tuple[dict[str, Finding], ...]) -> tuple[dict[str, Finding], ...]:
        return tuple(map(typed, tiers))

    @property
    def said(self) -> str:
        """All that quotes may stand in."""
        return "\n".join([*self.headings, self.text, self.shown])

    @property
    def structured(self) -> bool:
        """Whether a board or the page's own data says that this is a posting."""
        return any(one.source in ("ats", "json-ld", "microdata") for tier in self.tiers for one in tier.values())

    def details(self, *more: dict[str, Finding], heard: str = "") -> Details:
        """What all sources say together; a quote that is nowhere in what was read, or heard from tools, is refused."""
        return merged([*self.tiers, *more], self.said, description=self.text, heard=heard)


def is_posting(reading: Reading, found: Details) -> bool:
    """Whether the words are those of a job posting: it has a title, and says two things more that postings say."""
    if reading.structured:
        return True
    says = (
        *(found.salary, found.employment_type, found.expires_at, found.locations, found.responsibilities),
        *(found.requirements, found.benefits, found.skills.required, found.skills.preferred, found.closed),
        APPLY.search(reading.text),
    )
    return found.title is not None and sum(map(bool, says)) >= 2


def url_key(url: str) -> str:
    """One name for all spellings of an address: case of the host, order of parameters, tracking, fragment, slashes."""
    parts = urlsplit(url.strip())
    host, port = (parts.hostname or "").rstrip("."), parts.port
    place = host if port in (None, PORTS.get(parts.scheme.lower())) else f"{host}:{port}"
    query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.fullmatch(pair[0]))
    # behind these a page's own script finds its way
    fragment = parts.fragment if parts.fragment.startswith(("/", "!")) else ""
    whole = f"{place}{parts.path.rstrip('/')}?{urlencode(query)}#{fragment}"
    return hashlib.sha256(whole.encode()).hexdigest()


def typed(findings: dict[str, Finding]) -> dict[str, Finding]:
    """Findings that came as JSON, their values of the fields' types again."""
    return {
        name: one.model_copy(update={"value": _type_of(name).validate_python(one.value)})
        for name, one in findings.items()
    }


@cache
def _type_of(name: str) -> TypeAdapter[Any]:
    group, _, field = name.rpartition(".")
    shape: type[Model] = {"company": Company, "skills": Skills}.get(group, Details)
    return TypeAdapter[Any](shape.model_fields[field].annotation or Any)
