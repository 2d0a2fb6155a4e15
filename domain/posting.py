"""A job posting (on the wire: job position): what is known of it, and for each field where that comes from."""

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from domain.model import Model

# The surest first: in a conflict the earlier one stands.
Source = Literal["ats", "json-ld", "microdata", "label", "grammar", "open-graph", "model", "agent"]
Remote = Literal["onsite", "hybrid", "remote", "unknown"]
Period = Literal["hour", "day", "week", "month", "year"]


class Seniority(StrEnum):
    """From the title's words, the years asked for, or the grade."""

    INTERN = "intern"
    ENTRY = "entry"
    MID = "mid"
    SENIOR = "senior"
    LEAD = "lead"
    PRINCIPAL = "principal"
    DIRECTOR = "director"
    EXECUTIVE = "executive"


class EmploymentType(StrEnum):
    FULL_TIME = "full_time"
    PART_TIME = "part_time"
    CONTRACT = "contract"
    TEMPORARY = "temporary"
    INTERNSHIP = "internship"
    VOLUNTEER = "volunteer"


class Salary(Model):
    """As stated: amounts in the currency's units, its ISO 4217 code, for which period; what is not said is None."""

    min: float | None = None
    max: float | None = None
    currency: str | None = None
    period: Period | None = None


class Company(Model):
    name: str | None = None
    website: str | None = None
    logo_url: str | None = None
    description: str | None = None
    size: str | None = None
    industry: str | None = None


class Skills(Model):
    required: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()


class Evidence(Model):
    """Why a field says what it says. `quote` stands in the source word for word; confidence is between 0 and 1."""

    source: Source
    quote: str = ""
    confidence: float = Field(ge=0, le=1)


class Finding(Evidence):
    """One field's value with its evidence."""

    value: Any


class Conflict(Model):
    """Two sources that differ: which one stands, and what the other said."""

    field: str
    kept: Source
    dropped: Source
    said: Any


class Details(Model):
    """Everything a posting says, after all sources were heard. Absent: None or empty, never guessed."""

    title: str | None = None
    company: Company = Company()
    locations: tuple[str, ...] = ()
    remote: Remote = "unknown"
    employment_type: EmploymentType | None = None
    seniority: Seniority | None = None
    salary: Salary | None = None
    skills: Skills = Skills()
    responsibilities: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    benefits: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    posted_at: date | None = None
    expires_at: date | None = None
    closed: bool | None = None
    description: str = ""
    evidence: dict[str, Evidence] = Field(default_factory=dict[str, Evidence])
    conflicts: tuple[Conflict, ...] = ()
