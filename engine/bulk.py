"""Asking for one thing to be done to many jobs: a job of its own, opened together with the list of them."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from domain.bulk import KIND, BulkRequest, BulkResult
from ledger.rows import NewJob
from workflows.bulk import Bulk
from workflows.kind import Kind, digest

if TYPE_CHECKING:
    from ledger.items import JobItems, Selection
    from ledger.jobs import Jobs

FIRST = 1
# In no catalogue: its items are chosen by those who may change them, a payload alone would say nothing.
BULK = Kind(
    name=KIND,
    workflow=Bulk,
    payload=BulkRequest,
    result=BulkResult,
    title=lambda asked: f"{asked.action.capitalize()} many jobs",
    max_duration=timedelta(days=1),
)


class Bulks:
    """Which jobs are meant is settled when the bulk is opened: what comes later is not among them."""

    def __init__(self, jobs: "Jobs", items: "JobItems") -> None:
        self._jobs, self._items = jobs, items

    async def start(self, asked: BulkRequest, selection: "Selection", *, owner: str, asked_by: str) -> tuple[UUID, int]:
        """The bulk's id and how many jobs it has to do with. Raises LedgerUnavailable."""
        payload = asked.model_dump(by_alias=True, exclude_none=True)
        job = NewJob(
            id=uuid4(),
            kind=BULK.name,
            payload=payload,
            payload_hash=digest(payload),
            plan=BULK.plan(),
            title=BULK.title(asked),
            owner=owner,
            # who wants others gone should not have to wait behind them
            priority=FIRST,
            max_duration_seconds=int(BULK.max_duration.total_seconds()),
            asked_by=asked_by,
        )
        [opened] = await self._jobs.also(self._items.taking(selection)).open([job])
        return opened.id, (await self._items.counts(opened.id)).total
