"""The interview tool's job positions: an address or a pasted text in, a row at once, its fields as they are found."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import ConfigDict, Field, HttpUrl, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from api.dependencies import Auth, Given, note_job
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.listing import OfUser
from api.wire import JOB_ID, reply
from domain.errors import CallerError
from domain.job import Failure
from domain.model import Model
from domain.posting import Company, Conflict, EmploymentType, Evidence, Remote, Salary, Seniority, Skills
from domain.postings.enriching import AnsweredBy
from ledger.postings import PostingRow, ProcessingStatus

if TYPE_CHECKING:
    from api.dependencies import Services

router = APIRouter(prefix="/api/job-positions", tags=["job positions"])
POSITION_ID = "5f0c7d1e-8a43-4b0e-9d65-2f1b6a7c8d90"
MOST_CHARACTERS, LONGEST_URL = 100_000, 2_000
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_CHARACTERS)]


class PositionGiven(Model):
    """A job position: the address of its page, or its text; one of both."""

    model_config = ConfigDict(extra="ignore")
    url: HttpUrl | None = Field(default=None, examples=["https://boards.greenhouse.io/acme/jobs/4711"])
    description: Text | None = None
    user_id: str | None = Field(default=None, max_length=256, description="a token of one user need not say it")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.url is None) == (self.description is None):
            raise ValueError("say url or description, one of both")
        if self.url and (self.url.username or self.url.password or len(str(self.url)) > LONGEST_URL):
            raise ValueError(f"an address names no user, and has at most {LONGEST_URL} characters")
        return self


class Position(Model):
    """A job position. What its words do not say is null or empty. `evidence` says of each field that is known where it
    comes from, in the posting's own words; `conflicts` what other sources say. `answeredBy` is null until it is
    completed, `reason` says why no model has read it."""

    id: UUID = Field(examples=[POSITION_ID])
    user_id: str
    url: str | None
    description: str
    title: str | None
    company: Company
    locations: tuple[str, ...]
    remote: Remote
    employment_type: EmploymentType | None
    seniority: Seniority | None
    salary: Salary | None
    skills: Skills
    responsibilities: tuple[str, ...]
    requirements: tuple[str, ...]
    benefits: tuple[str, ...]
    languages: tuple[str, ...]
    posted_at: date | None
    expires_at: date | None
    closed: bool | None
    processing_status: ProcessingStatus
    error: Failure | None
    job_id: UUID | None = Field(examples=[JOB_ID])
    evidence: dict[str, Evidence]
    conflicts: tuple[Conflict, ...]
    answered_by: AnsweredBy | None
    reason: str | None
    model: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: PostingRow) -> Self:
        found = row.details
        values: dict[str, Any] = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        values |= {name: getattr(found, name) for name in cls.model_fields if hasattr(found, name)}
        return cls.model_validate(
            values
            | {
                "description": found.description or row.given or "",
                "evidence": {_wire(name): one for name, one in found.evidence.items()},
                "conflicts": [one.model_copy(update={"field": _wire(one.field)}) for one in found.conflicts],
            }
        )


class PositionPage(Model):
    """Newest first; `nextCursor` is null on the last page."""

    job_positions: list[Position]
    next_cursor: str | None = None


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Position, "description": "The user has given this address before"}
}


@router.post("", status_code=201, response_model=Position, responses=ANSWERS)
async def post_position(asked: PositionGiven, given: Given, caller: Auth) -> Response:
    """Give a job position by `url` or `description`; answered within seconds with what can be read at once.

    A job of the kind `enrich-job-position` reads the rest: poll the row while its `processingStatus` is `pending` or
    `processing`. A page that does not answer at once is left to the job, and a job that cannot be started is started
    later. An address that the user has given before is answered as it stands, and read again if that had failed.
    """
    user_id = caller.writes_of(asked.user_id)
    if not user_id:
        raise CallerError("say whose job position it is", pointer="/userId")
    row, is_new = await given.posting_intake.given(
        user_id,
        url=str(asked.url) if asked.url else None,
        text=asked.description,
        by=caller.acting_for(user_id),
    )
    if row.job_id:
        note_job(row.job_id)
    location = f"/api/job-positions/{row.id}"
    return reply(Position.of(row), 201, Location=location) if is_new else reply(Position.of(row))


@router.get("", response_model=PositionPage, responses={422: {"model": Problem}})
async def list_positions(given: Given, caller: Auth, wanted: Annotated[OfUser, Depends()]) -> Response:
    """A user's job positions, newest first."""
    rows = await given.postings.page(wanted.of(caller), limit=wanted.limit + 1, before=wanted.before)
    more = wanted.more(rows, lambda row: (row.created_at, row.id))
    return reply(PositionPage(job_positions=[Position.of(row) for row in rows[: wanted.limit]], next_cursor=more))


@router.get("/{position_id}", response_model=Position)
async def get_position(position_id: str, given: Given, caller: Auth) -> Response:
    """A job position as it stands. `failed` says why: `gone`, `login_required`, `needs_javascript`, `blocked`,
    `not_a_job`, or what its job's error says."""
    row = await _find(position_id, given, caller)
    return reply(Position.of(await given.posting_intake.current(row)))


async def _find(position_id: str, given: "Services", caller: Caller) -> PostingRow:
    found = as_id(position_id)
    row = await given.postings.get(found) if found else None
    if row is None:
        raise NotFound
    caller.reads_of(row.user_id)
    return row


def _wire(field: str) -> str:
    """`company.logo_url` as the wire spells it."""
    return ".".join(map(to_camel, field.split(".")))
