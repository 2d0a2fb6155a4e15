"""Company research: what is asked, what was found, and the briefing. Evidence first: a claim names sentences by id."""

from typing import Literal, Self

from pydantic import Field, HttpUrl

from domain.job import Failure
from domain.model import Model, Request

Topic = Literal[
    "home", "about", "products", "culture", "careers", "engineering", "news", "repository", "manifest", "other"
]


class CompanyResearchRequest(Request):
    """Payload of `company-research`. `company_url` spares the search for the site; `refresh` bypasses the cache."""

    company_name: str = Field(min_length=1, max_length=200, pattern=r"\S", examples=["Stripe"])
    role: str = Field(min_length=1, max_length=200, pattern=r"\S", examples=["Backend Engineer"])
    deep_mode: bool = False
    company_url: HttpUrl | None = None
    refresh: bool = False


class Evidence(Model):
    """A sentence of a page (`offset` into its extracted text) or a line of a repository (with its `technology`)."""

    id: str
    kind: Literal["page", "repository"]
    url: str
    title: str
    quote: str
    topic: Topic = "other"
    offset: int = 0
    technology: str | None = None


class SiteFound(Model):
    """What `scrape_website` found; the sentences are in the ledger."""

    website: str | None = None
    pages: int = 0
    sentences: int = 0
    failure: Failure | None = None

    @classmethod
    def unreachable(cls, failure: Failure) -> Self:
        return cls(failure=failure)


class CodeFound(Model):
    """What `search_github` found; the lines are in the ledger."""

    github: str | None = None
    repositories: int = 0
    lines: int = 0
    failure: Failure | None = None

    @classmethod
    def unknown(cls, failure: Failure) -> Self:
        return cls(failure=failure)


class Sources(Model):
    """The argument of `analyze`: ids and reasons travel. `reason` tells the twin why `analyze` failed."""

    request: CompanyResearchRequest
    site: SiteFound
    code: CodeFound
    reason: str | None = None


class Claim(Model):
    """A statement and the ids of the evidence it stands on."""

    text: str
    evidence: tuple[str, ...]


class Technology(Model):
    """A piece of the stack and the manifest lines or languages that show it."""

    name: str
    evidence: tuple[str, ...]


class Sections(Model):
    overview: tuple[Claim, ...] = ()
    products: tuple[Claim, ...] = ()
    culture: tuple[Claim, ...] = ()
    engineering: tuple[Claim, ...] = ()
    news: tuple[Claim, ...] = ()


class Interview(Model):
    topics: tuple[Claim, ...] = ()
    questions: tuple[Claim, ...] = ()


class Draft(Model):
    """What an analyst (model or offline twin) writes; checked against the evidence before it becomes a Briefing."""

    sections: Sections
    interview: Interview
    prepare: tuple[Claim, ...] = ()
    ask_them: tuple[Claim, ...] = ()


class CompanyFacts(Model):
    name: str
    website: str | None = None
    github: str | None = None


class Citation(Model):
    """Evidence as the briefing shows it."""

    id: str
    kind: Literal["page", "repository"]
    url: str
    title: str
    quote: str


class Briefing(Model):
    """The result of `company-research`. `not_found`: sections without evidence; `reason`: why the twin answered."""

    company: CompanyFacts
    sections: Sections
    stack: tuple[Technology, ...]
    interview: Interview
    prepare: tuple[Claim, ...]
    ask_them: tuple[Claim, ...]
    evidence: tuple[Citation, ...]
    not_found: tuple[str, ...]
    answered_by: Literal["anthropic", "openai", "offline"]
    reason: str | None = None
    cached: bool = False
