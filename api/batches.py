"""Batches: jobs that were started together. A batch has no row of its own; it is counted from its jobs."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from api.dependencies import Auth, Given, Services
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.jobs import Reason
from api.wire import BatchView, reply
from domain.errors import NotCancelable
from ledger.jobs import JobFilter

if TYPE_CHECKING:
    from ledger.rows import JobRow

router = APIRouter(prefix="/api/batches", tags=["batches"])
MOST = 1000


@router.get("/{batch_id}", response_model=BatchView)
async def get_batch(batch_id: str, given: Given, caller: Auth) -> Response:
    """Status, progress and members of a batch; a token counts those of its own jobs."""
    return _view(await _members(batch_id, given, caller))


@router.post("/{batch_id}/cancel", status_code=202, response_model=BatchView, responses={409: {"model": Problem}})
async def cancel_batch(batch_id: str, given: Given, caller: Auth, asked: Reason | None = None) -> Response:
    """Cancel all of a batch that is still open, a token its own jobs alone. Asking again changes nothing.

    Jobs that nobody has begun end at once, together; of the others the engine is told. 409 when all have ended.
    """
    own = [row for row in await _members(batch_id, given, caller) if caller.changes(row)]
    if not own:
        raise NotFound
    ids = [row.id for row in own if not row.status.terminal]
    reason, by = asked.reason if asked else None, caller.name if caller.grants is None else None
    if not ids or not await given.jobs.cancel_many(ids, reason=reason, by=by):
        raise NotCancelable("all jobs of this batch have ended already")
    return _view(await _members(batch_id, given, caller), 202)


async def _members(batch_id: str, given: Services, caller: Caller) -> "list[JobRow]":
    """Those that the caller sees; raises NotFound if there are none."""
    found = as_id(batch_id)
    rows = await given.jobs.list(JobFilter(batch_id=found), limit=MOST) if found else []
    if seen := [row for row in rows if caller.sees(row)]:
        return seen[::-1]
    raise NotFound


def _view(rows: "list[JobRow]", status: int = 200) -> Response:
    return reply(BatchView.of(rows[0].batch_id or rows[0].id, rows), status)
