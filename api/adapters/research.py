"""The interview-prep tool's own endpoints: start a research, poll it, start many, look through past briefings."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator, ConfigDict, Field, HttpUrl

from api.dependencies import Auth, Given, IdempotencyKey, keyed, note_job, open_adapter
from api.errors import Problem
from api.grants import Caller
from api.starting import REFUSALS, open_batch
from api.wire import JOB_ID, BatchStarted, reply
from domain.errors import CallerError, JobNotFound
from domain.job import Status
from domain.model import Model
from domain.options import Options
from domain.research import Briefing, CompanyResearchRequest
from engine.submit import Submission

router = APIRouter(prefix="/api", tags=["research"])
KIND, ALIASES = "company-research", ("research",)
Someone = Annotated[Caller, Depends(open_adapter("research", KIND))]
WORDS = {Status.COMPLETED: "completed", Status.CANCELED: "canceled"}
PAYLOAD = {"company_name", "role", "deep_mode", "company_url", "refresh"}


class ResearchRequest(CompanyResearchRequest):
    """What the front end sends; fields that nobody knows are ignored. `userId` (or `owner`) owns the briefing."""

    model_config = ConfigDict(extra="ignore")
    company_url: Annotated[HttpUrl | None, BeforeValidator(lambda value: value or None)] = None
    user_id: str | None = Field(default=None, max_length=256)
    owner: str | None = Field(default=None, max_length=256)

    def submission(self, caller: Caller, key: str | None = None) -> Submission:
        """A job of the caller's; one with an owner joins the owner's open job that asks the same."""
        owner = caller.starts(KIND, ALIASES, self.user_id or self.owner or None)
        payload = self.model_dump(mode="json", by_alias=True, include=PAYLOAD, exclude_unset=True)
        options = keyed(Options(owner=owner, skip_if_active=owner is not None), key)
        return Submission(KIND, payload, options, by=caller.acting_for(owner))


class ResearchStarted(Model):
    job_id: UUID = Field(examples=[JOB_ID])
    status_url: str = Field(examples=[f"/api/research-status/{JOB_ID}"])


class ResearchStatus(Model):
    """Queued, delayed and running are `processing`; expired and timed_out are `failed`. `results` once completed."""

    status: Literal["processing", "completed", "failed", "canceled"]
    progress: str = Field(examples=["2/4"])
    is_complete: bool
    results: Briefing | None
    error: str | None = None


class ResearchBatch(Model):
    """Companies to research together; `userId` (or `owner`) owns those that name no owner of their own."""

    companies: list[ResearchRequest] = Field(min_length=1, max_length=1000)
    user_id: str | None = Field(default=None, max_length=256)
    owner: str | None = Field(default=None, max_length=256)


class PastBriefing(Model):
    job_id: UUID
    company_name: str
    role: str
    deep_mode: bool
    created_at: datetime
    briefing: Briefing


class History(Model):
    """Newest first. `nextBefore` is the `before` of the next page, null on the last."""

    briefings: list[PastBriefing]
    next_before: datetime | None


@router.post("/research-direct", status_code=202, response_model=ResearchStarted, responses=REFUSALS)
async def research_direct(
    asked: ResearchRequest, given: Given, caller: Someone, key: IdempotencyKey = None
) -> Response:
    """Research a company for a role; poll `statusUrl` for what comes of it."""
    given.charge(caller)
    [opened] = await given.submitter.submit([asked.submission(caller, key)])
    note_job(opened.id)
    url = f"/api/research-status/{opened.id}"
    return reply({"jobId": opened.id, "statusUrl": url}, 202, Location=url)


@router.get("/research-status/{job_id}", response_model=ResearchStatus)
async def research_status(job_id: str, given: Given, caller: Someone) -> Response:
    """How far a research is, and the briefing once it is completed."""
    row = await given.job(job_id, caller)
    if row.kind != KIND:
        raise JobNotFound("there is no such research")
    word = WORDS.get(row.status, "failed" if row.status.terminal else "processing")
    body: dict[str, Any] = {
        "status": word,
        "progress": row.progress.text,
        "isComplete": row.status.terminal,
        "results": row.result,
    }
    if row.error:
        body["error"] = row.error.message
    elif row.blanked_at and row.status == Status.COMPLETED:
        body["error"] = "the briefing is no longer kept: ask again"
    return reply(body)


@router.post("/research-batch", status_code=202, response_model=BatchStarted, responses=REFUSALS)
async def research_batch(asked: ResearchBatch, given: Given, caller: Someone) -> Response:
    """Research many companies: as many jobs of one batch, all or none."""
    given.charge(caller, len(asked.companies))
    owner = asked.user_id or asked.owner
    companies = [
        one if one.user_id or one.owner else one.model_copy(update={"owner": owner}) for one in asked.companies
    ]
    return await open_batch([one.submission(caller) for one in companies], given)


@router.get("/research-history", response_model=History, responses={422: {"model": Problem}})
async def research_history(
    given: Given,
    caller: Auth,
    owner: Annotated[str | None, Query(max_length=256)] = None,
    q: Annotated[str | None, Query(max_length=500, description="Words to find, as in a web search.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before: datetime | None = None,
) -> Response:
    """Past briefings of an owner, newest first."""
    if owner is None and caller.grants is None:
        raise CallerError("say whose briefings", pointer="?owner")
    rows = await given.research.history(caller.reads_of(owner), search=q or None, limit=limit + 1, before=before)
    more = rows[limit - 1]["createdAt"] if len(rows) > limit else None
    return reply({"briefings": rows[:limit], "nextBefore": more})
