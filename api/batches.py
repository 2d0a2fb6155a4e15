"""Batches: jobs that were started together. A batch has no row of its own; it is counted from its jobs."""

from fastapi import APIRouter, Response

from api.dependencies import Auth, Given
from api.errors import NotFound
from api.grants import as_id
from api.wire import BatchView, reply
from ledger.jobs import JobFilter

router = APIRouter(prefix="/api/batches", tags=["batches"])
MOST = 1000


@router.get("/{batch_id}", response_model=BatchView)
async def get_batch(batch_id: str, given: Given, caller: Auth) -> Response:
    """Status, progress and members of a batch; a token counts those of its own jobs."""
    found = as_id(batch_id)
    rows = await given.jobs.list(JobFilter(batch_id=found), limit=MOST) if found else []
    if seen := [row for row in rows if caller.sees(row)]:
        return reply(BatchView.of(seen[0].batch_id or seen[0].id, seen[::-1]))
    raise NotFound
