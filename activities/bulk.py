"""A portion of a bulk's items, each with its outcome in the ledger before the next portion begins."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from temporalio import activity

from domain.bulk import BulkRequest
from domain.errors import CallerError
from domain.portions import Portion
from ledger.items import Item, Settled

if TYPE_CHECKING:
    from domain.protocols import Replayer
    from ledger.items import JobItems
    from ledger.jobs import Jobs

SIZE = 100
AT_ONCE = 5


class BulkWork:
    """A portion that is tried again finds what it has done already: nothing is canceled or replayed twice."""

    def __init__(self, items: "JobItems", jobs: "Jobs", replays: "Replayer") -> None:
        self._items, self._jobs, self._replays = items, jobs, replays

    @activity.defn(name="apply_bulk")
    async def apply(self, asked: BulkRequest) -> Portion:
        """Do it to the next items. Raises LedgerUnavailable; what is refused for one item is that item's failure."""
        bulk_id = UUID(activity.info().workflow_id)
        todo = await self._items.pending(bulk_id, SIZE)
        if asked.action == "cancel":
            await self._cancel(bulk_id, asked, todo)
        else:
            for at in range(0, len(todo), AT_ONCE):
                some = [self._replay(bulk_id, one, asked.by) for one in todo[at : at + AT_ONCE]]
                await self._items.settle(bulk_id, await asyncio.gather(*some))
        return await self._items.portion(bulk_id)

    async def _cancel(self, bulk_id: UUID, asked: BulkRequest, todo: Sequence[Item]) -> None:
        ids = [UUID(one.item) for one in todo]
        await self._jobs.cancel_many(ids, reason=asked.reason, by=asked.by)
        # what stands is asked, not what this attempt did: the one before it may have got as far
        canceled = await self._items.canceled_since(bulk_id, ids)
        await self._items.settle(
            bulk_id, [Settled(one.position, "done" if UUID(one.item) in canceled else "skipped") for one in todo]
        )

    async def _replay(self, bulk_id: UUID, one: Item, by: str | None) -> Settled:
        old_id = UUID(one.item)
        try:
            new_id = await self._replays.again(old_id, uuid5(bulk_id, old_id.hex), by)
        except CallerError as error:
            return Settled(one.position, "failed", {"code": error.code, "message": error.message})
        return Settled(one.position, "done", {"jobId": str(new_id)})
