"""One thing done to many jobs: asked for by a filter or by ids, done by a job of its own."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given, Services, note_job
from api.errors import Problem
from api.grants import as_id
from api.listing import Filter
from api.wire import reply
from domain.bulk import KIND, Action, BulkRequest
from domain.errors import CallerError, JobNotFound
from domain.job import Failure, Progress, Status
from domain.model import Model, Request
from ledger.items import Item, Selection
from ledger.jobs import JobFilter

router = APIRouter(prefix="/api/jobs/bulk", tags=["jobs"])
MOST_IDS = 10_000
REFUSALS: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "The ledger does not answer"}}


class BulkAsked(Request):
    """Either a filter, with the words of `GET /api/jobs`, or ids. A filter that says nothing means all open jobs."""

    action: Action
    filter: Filter | None = None
    job_ids: list[str] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    dry_run: bool = Field(default=False, description="Only count; nothing is done and `bulkId` is null.")
    reason: str | None = Field(default=None, max_length=1000, description="Of a cancel; each job's audit keeps it.")


class BulkStarted(Model):
    """`matched` jobs were chosen; those that come later are not among them."""

    bulk_id: UUID | None
    matched: int


class BulkItem(Model):
    """What became of one job: `skipped` had ended before it could be canceled, `newJobId` is its replay."""

    job_id: UUID
    status: str = Field(examples=["pending", "done", "failed", "skipped"])
    new_job_id: UUID | None = None
    error: Failure | None = None

    @classmethod
    def of(cls, item: Item) -> "BulkItem":
        outcome = item.outcome or {}
        error = Failure.model_validate(outcome) if "code" in outcome else None
        return cls(job_id=item.item, status=item.status, new_job_id=outcome.get("jobId"), error=error)


class BulkView(Model):
    """How far it is; `items` in the order in which they are done, `nextCursor` is null on the last page."""

    bulk_id: UUID
    action: Action
    status: Status
    matched: int
    progress: Progress
    is_complete: bool
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None
    items: list[BulkItem]
    next_cursor: str | None


class PageOfItems(Request):
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: int = Field(default=0, ge=0, description="`nextCursor` of the page before.")


@router.post("", status_code=202, response_model=BulkStarted, responses=REFUSALS)
async def start_bulk(asked: BulkAsked, given: Given, caller: Auth) -> Response:
    """Cancel or replay many jobs; `dryRun` counts them.

    Which jobs are meant is settled at once, and a job of its own does it, portion by portion: it shows its progress,
    can be canceled, and goes on where it was after a crash. A cancel by filter takes open jobs alone; a replay keeps
    each job's payload and options. Bulks themselves are never among the chosen. A token reaches its own jobs alone.
    """
    owner = caller.writes_of(asked.filter.owner if asked.filter else None)
    selection = await _selection(asked, owner, given)
    if asked.dry_run:
        matched = len(selection.ids) if selection.ids is not None else await given.items.count(selection)
        return reply(BulkStarted(bulk_id=None, matched=matched), 202)
    request = BulkRequest(action=asked.action, reason=asked.reason, by=caller.name if caller.grants is None else None)
    bulk_id, matched = await given.bulks.start(
        request, selection, owner=owner if caller.grants else "", asked_by=caller.acting_for(owner)
    )
    note_job(bulk_id)
    return reply(BulkStarted(bulk_id=bulk_id, matched=matched), 202, Location=f"/api/jobs/bulk/{bulk_id}")


@router.get("/{bulk_id}", response_model=BulkView)
async def get_bulk(bulk_id: str, wanted: Annotated[PageOfItems, Query()], given: Given, caller: Auth) -> Response:
    """How far a bulk is, and what became of each job. It is a job too: `/api/jobs/{id}` and its events know it."""
    row = await given.job(bulk_id, caller)
    if row.kind != KIND:
        raise JobNotFound("there is no such bulk, or it is not yours to see")
    found = await given.items.page(row.id, wanted.cursor, wanted.limit + 1)
    items = found[: wanted.limit]
    view = BulkView(
        bulk_id=row.id,
        action=row.payload["action"],
        status=row.status,
        matched=row.items.total if row.items else 0,
        progress=row.progress,
        is_complete=row.status.terminal,
        error=row.error,
        created_at=row.created_at,
        finished_at=row.finished_at,
        items=[BulkItem.of(item) for item in items],
        next_cursor=str(items[-1].position) if len(found) > wanted.limit else None,
    )
    return reply(view)


async def _selection(asked: BulkAsked, owner: str, given: Services) -> Selection:
    """The jobs that are meant. Raises CallerError, JobNotFound for ids that are not the caller's."""
    if asked.filter is not None and asked.job_ids is None:
        return Selection(_chosen(asked.filter, asked.action, owner, given))
    if asked.filter is not None or asked.job_ids is None:
        raise CallerError("say either filter or jobIds", pointer="/jobIds")
    ids = [as_id(text) for text in asked.job_ids]
    selection = Selection(JobFilter(owner=owner or None), tuple(dict.fromkeys(found for found in ids if found)))
    known = await given.items.known(selection)
    for at, found in enumerate(ids):
        if found not in known:
            raise JobNotFound("there is no such job, or it is not yours to change", pointer=f"/jobIds/{at}")
    return selection


def _chosen(asked: Filter, action: Action, owner: str, given: Services) -> JobFilter:
    if asked.type == KIND:
        raise CallerError("a bulk of bulks is not done", pointer="/filter/type")
    if action == "replay" and not asked.model_fields_set:
        raise CallerError("say which jobs are to be replayed", pointer="/filter")
    chosen = asked.of(given, "/filter/", only_open=action == "cancel")
    return replace(chosen, owner=owner or chosen.owner)
