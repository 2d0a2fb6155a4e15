"""A portion of a job's items: a few at once, each item's outcome in the ledger the moment it is there."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
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
# of how many batches the pace is known, and of how many jobs
BATCHES, JOBS = 9, 1000

Do = Callable[[Item], Awaitable[Settled]]
# Reads what a batch needs in one go, and says how each item of it is done.
Prepare = Callable[[Sequence[Item]], Awaitable[Do]]
# Told of an item that will not be offered again.
GaveUp = Callable[[Item, Failure], Awaitable[None]]


@dataclass(frozen=True)
class Pace:
    """So many items at once, and seconds of pause after each such batch."""

    at_once: int
    pause: float

    @property
    def items(self) -> int:
        """How many one activity does: one batch, or several where the pause is too short for the engine."""
        return self.at_once if self.pause >= SHORTEST_TIMER else self.at_once * math.ceil(ITEMS / self.at_once)


class _Clock:
    """Measures a batch, its pause included."""

    def __init__(self, pace: Pace) -> None:
        self._pace, self._began = pace, time.monotonic()

    @property
    def seconds_an_item(self) -> float:
        """So far; a batch that is under way has taken no less."""
        return (time.monotonic() - self._began + self._pace.pause) / self._pace.at_once


@dataclass(frozen=True)
class _Task:
    """What is done with each item of a batch, and where its end goes."""

    do: Do
    again: "Again"
    settle: Together[Settled, None]
    gave_up: GaveUp | None


class Portions:
    """What activities do that go through their job's items. Times in seconds: how long a ledger that is down is waited
    for in place, and for how long an item may be put off by rate limits before that counts as failures."""

    def __init__(self, items: "JobItems", *, ledger_patience: float = 60.0, rate_limit_patience: float = 120.0) -> None:
        self._items = items
        self._paces: OrderedDict[UUID, deque[float]] = OrderedDict()
        self._ledger_patience, self._rate_limit_patience = ledger_patience, rate_limit_patience

    async def do(self, pace: Pace, again: "Again", prepare: Prepare, gave_up: GaveUp | None = None) -> "Portion":
        """Do the next items of this activity's job, those that are done already left out.

        What is wrong with an item is its own failure: the vendor's are tried again as `again` says. An exceeded
        budget, a closed job and a ledger that is down are raised, once the items beside it have come to their end.
        """
        job_id = UUID(activity.info().workflow_id)
        todo = await self._items.pending(job_id, pace.items)
        for at in range(0, len(todo), pace.at_once):
            if at and pace.pause:
                await asyncio.sleep(pace.pause)
            batch = todo[at : at + pace.at_once]
            clock = _Clock(pace)
            do = await prepare(batch)
            settle: Together[Settled, None] = Together(lambda ended, clock=clock: self._settle(job_id, ended, clock))
            work = [self._one(job_id, one, _Task(do, again, settle, gave_up)) for one in batch]
            raised = [found for found in await asyncio.gather(*work, return_exceptions=True) if found is not None]
            for error in sorted(raised, key=lambda error: not isinstance(error, BudgetExceeded)):
                raise error
            self._learn(job_id, clock.seconds_an_item)
        portion = await self._items.portion(job_id)
        return portion.model_copy(update={"wait_seconds": max(portion.wait_seconds, pace.pause)})

    async def _settle(self, job_id: UUID, ended: Sequence[Settled], clock: "_Clock") -> Sequence[None]:
        await self._items.settle(job_id, ended, pace=self._pace(job_id) or clock.seconds_an_item)
        return [None] * len(ended)

    def _pace(self, job_id: UUID) -> float | None:
        """Seconds an item in the last batches; the middle one, for the first pays for what is made once."""
        last = self._paces.get(job_id)
        return median(last) if last else None

    def _learn(self, job_id: UUID, seconds: float) -> None:
        self._paces.setdefault(job_id, deque(maxlen=BATCHES)).append(seconds)
        self._paces.move_to_end(job_id)
        while len(self._paces) > JOBS:
            self._paces.popitem(last=False)

    async def _one(self, job_id: UUID, one: Item, task: "_Task") -> None:
        try:
            ended = await task.do(one)
        except (BudgetExceeded, JobClosed, LedgerUnavailable):
            raise
        except LongrunError as error:
            ended = await self._failed(job_id, one, error, task)
        except Exception:
            log.exception("an item raised what no provider classed", position=one.position)
            unclassed = VendorError("something went wrong with this item", code="internal_error")
            ended = await self._failed(job_id, one, unclassed, task)
        if ended is not None:
            settled = ended
            await patiently(lambda: task.settle(settled), self._ledger_patience)

    async def _failed(self, job_id: UUID, one: Item, error: LongrunError, task: "_Task") -> Settled | None:
        """The item's end; None when it is put off and will be offered again."""
        passing = isinstance(error, VendorError) and error.again
        failure = Failure(code=error.code, message=error.message, retryable=passing)
        asked = error.retry_after if isinstance(error, VendorError) else None
        wait = min(DEFAULT_WAIT if asked is None else asked, LONGEST_WAIT)
        attempts = one.attempts + 1
        if isinstance(error, RateLimited) and one.waited_seconds + wait <= self._rate_limit_patience:
            later = replace(one, waited_seconds=one.waited_seconds + wait)
        elif passing and attempts < task.again.attempts:
            later = replace(one, attempts=attempts)
            wait = task.again.wait(attempts) if asked is None else wait
        else:
            if task.gave_up:
                await task.gave_up(one, failure)
            return Settled(one.position, "failed", failure.model_dump(by_alias=True))
        await patiently(lambda: self._items.put_off(job_id, later, failure, wait), self._ledger_patience)
        return None
