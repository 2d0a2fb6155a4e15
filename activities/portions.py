"""A portion of a job's items: a few at once, each item's outcome in the ledger the moment it is there."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from temporalio import activity

from domain.errors import BudgetExceeded, JobClosed, LedgerUnavailable, LongrunError, RateLimited, VendorError
from domain.job import Failure
from ledger.items import Item, Settled
from ledger.patience import patiently
from ledger.together import Together

if TYPE_CHECKING:
    from domain.portions import Again, Portion
    from ledger.items import JobItems

log = structlog.get_logger()
# A timer of the engine's takes a second at least: shorter pauses are slept here, over so many items an activity.
SHORTEST_TIMER, ITEMS = 1.0, 100
DEFAULT_WAIT, LONGEST_WAIT = 5.0, 60.0

Do = Callable[[Item], Awaitable[Settled]]
# Reads what a batch needs in one go, and says how each item of it is done.
Prepare = Callable[[Sequence[Item]], Awaitable[Do]]


@dataclass(frozen=True)
class Pace:
    """So many items at once, and seconds of pause after each such batch."""

    at_once: int
    pause: float

    @property
    def items(self) -> int:
        """How many one activity does: one batch, or several where the pause is too short for the engine."""
        return self.at_once if self.pause >= SHORTEST_TIMER else self.at_once * math.ceil(ITEMS / self.at_once)


class Portions:
    """What activities do that go through their job's items. Times in seconds: how long a ledger that is down is waited
    for in place, and for how long an item may be put off by rate limits before that counts as failures."""

    def __init__(self, items: "JobItems", *, ledger_patience: float = 60.0, rate_limit_patience: float = 120.0) -> None:
        self._items = items
        self._ledger_patience, self._rate_limit_patience = ledger_patience, rate_limit_patience

    async def do(self, pace: Pace, again: "Again", prepare: Prepare) -> "Portion":
        """Do the next items of this activity's job, those that are done already left out.

        What is wrong with an item is its own failure: the vendor's are tried again as `again` says. An exceeded
        budget, a closed job and a ledger that is down are raised, once the items beside it have come to their end.
        """
        job_id = UUID(activity.info().workflow_id)
        settle: Together[Settled, None] = Together(lambda ended: self._settle(job_id, ended))
        todo = await self._items.pending(job_id, pace.items)
        for at in range(0, len(todo), pace.at_once):
            if at and pace.pause:
                await asyncio.sleep(pace.pause)
            batch = todo[at : at + pace.at_once]
            do = await prepare(batch)
            work = [self._one(job_id, one, do, again, settle) for one in batch]
            raised = [found for found in await asyncio.gather(*work, return_exceptions=True) if found is not None]
            for error in sorted(raised, key=lambda error: not isinstance(error, BudgetExceeded)):
                raise error
        portion = await self._items.portion(job_id)
        return portion.model_copy(update={"wait_seconds": max(portion.wait_seconds, pace.pause)})

    async def _settle(self, job_id: UUID, ended: Sequence[Settled]) -> Sequence[None]:
        await self._items.settle(job_id, ended)
        return [None] * len(ended)

    async def _one(self, job_id: UUID, one: Item, do: Do, again: "Again", settle: Together[Settled, None]) -> None:
        try:
            ended = await do(one)
        except (BudgetExceeded, JobClosed, LedgerUnavailable):
            raise
        except LongrunError as error:
            found = self._failed(one, error, again)
        except Exception:
            log.exception("an item raised what no provider classed", position=one.position)
            found = self._failed(one, VendorError("something went wrong with this item", code="internal_error"), again)
        else:
            found = ended
        if isinstance(found, Settled):
            await patiently(lambda: settle(found), self._ledger_patience)
        else:
            later, failure, wait = found
            await patiently(lambda: self._items.put_off(job_id, later, failure, wait), self._ledger_patience)

    def _failed(self, one: Item, error: LongrunError, again: "Again") -> Settled | tuple[Item, Failure, float]:
        """The item's end; or the item as it is from now on, why, and for how long it rests."""
        passing = isinstance(error, VendorError) and error.again
        failure = Failure(code=error.code, message=error.message, retryable=passing)
        asked = error.retry_after if isinstance(error, VendorError) else None
        wait = min(DEFAULT_WAIT if asked is None else asked, LONGEST_WAIT)
        if isinstance(error, RateLimited) and one.waited_seconds + wait <= self._rate_limit_patience:
            return replace(one, waited_seconds=one.waited_seconds + wait), failure, wait
        attempts = one.attempts + 1
        if not passing or attempts >= again.attempts:
            return Settled(one.position, "failed", failure.model_dump(by_alias=True))
        return replace(one, attempts=attempts), failure, again.wait(attempts) if asked is None else wait
