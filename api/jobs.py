"""Jobs as they stand: from the ledger, also while no worker or engine is up."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given
from api.errors import NotFound, Problem
from api.events import history
from api.listing import Wanted, page
from api.telling import with_deliveries
from api.wire import Audit, JobView, Page, ProgressView, reply
from domain.errors import JobNotFound, NotCancelable
from domain.model import Request
from engine.query import live_progress
from ledger.views import Place, shown

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


class Reason(Request):
    """Why the job is no longer wanted; the audit keeps it."""

    reason: str | None = Field(default=None, max_length=1000)


@router.get("", response_model=Page | JobView)
async def list_jobs(wanted: Annotated[Wanted, Query()], given: Given, caller: Auth) -> Response:
    """List jobs, newest first. Without a query: all that are still open. With `jobId`: that job alone, not a page."""
    if wanted.job_id is not None:
        row = await given.job(wanted.job_id, caller)
        if wanted.type is not None and given.catalog[wanted.type].name != row.kind:
            raise JobNotFound("there is no such job of that type")
        return reply(shown(row))
    rows, cursor = await page(wanted, given, caller)
    return reply({"jobs": [shown(row) for row in rows], "nextCursor": cursor})


@router.get("/{job_id}", response_model=JobView)
async def get_job(job_id: str, given: Given, caller: Auth) -> Response:
    """One job, with its steps, result, error and usage."""
    row = await given.job(job_id, caller)
    place = await given.queues.place(row)
    waiting = Place(ahead=place[0], reason=place[1]) if place else None
    return reply({**shown(row), "waiting": waiting})


@router.get("/{job_id}/progress", response_model=ProgressView, responses={503: {"model": Problem}})
async def get_progress(job_id: str, given: Given, caller: Auth) -> Response:
    """The running workflow's own answer, by a Temporal Query; 503 `engine_unavailable` after 2 s of silence."""
    row = await given.job(job_id, caller)
    return reply(await live_progress(given.engine, row.id))


@router.get("/{job_id}/audit", response_model=Audit)
async def get_audit(job_id: str, given: Given, caller: Auth) -> Response:
    """Every transition, attempt, retry, cancel request and delivery, in order."""
    row = await given.job(job_id, caller)
    events, told = await history(given.events, row.id), await given.deliveries.of_job(row.id)
    return reply({"events": with_deliveries(events, told)})


@router.post("/{job_id}/cancel", status_code=202, response_model=JobView, responses={409: {"model": Problem}})
async def cancel(job_id: str, given: Given, caller: Auth, asked: Reason | None = None) -> Response:
    """Cancel a job: before it starts, while it retries, or in the middle of a step. Asking again changes nothing.

    A job that nobody has begun ends at once; else the engine is told, and the job ends within about a second.
    """
    row = await given.job(job_id, caller)
    if not caller.changes(row):
        raise NotFound
    reason = asked.reason if asked else None
    if not await given.jobs.cancel(row.id, reason=reason, by=caller.acting_for(row.owner)):
        raise NotCancelable("the job has ended already")
    return reply(shown(await given.job(job_id, caller)), 202)
