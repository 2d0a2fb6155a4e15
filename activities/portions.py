"""A portion of a job's items: a few at once, each item's outcome in the ledger the moment it is there."""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import structlog
from temporalio import activity

from domain.errors import BudgetExceeded, JobClosed, LedgerUnavailable, LongrunError, RateLimited, VendorError
from domain.job import Failure
from ledger.items import Item, Settled
from ledger.patience import patiently
from ledger.together import APART, Together

if TYPE_CHECKING:
    from domain.portions import Again, Portion
    from ledger.items import JobItems

T = TypeVar("T")
log = structlog.get_logger()
# A timer of the engine's takes a second at least: shorter pauses are slept here, over so many items an activity.
# After so many seconds it reads no other batch.
SHORTEST_TIMER, ITEMS, MOST_SECONDS = 1.0, 500, 120.0
DEFAULT_WAIT, LONGEST_WAIT = 5.0, 60.0
# So many batches are read ahead: reading one may take longer than doing one.
AHEAD = 3
# of how many batches the pace is known, and of how many jobs
BATCHES, JOBS = 9, 1000
# so long an activity that is canceled waits until what came to its end is kept
LEAVING_SECONDS = 2.0

# How an item ended; or what is left to be awaited until what it made is kept, and the next batch begins meanwhile.
Do = Callable[[Item], Awaitable[Settled | Awaitable[Settled]]]
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
    """What is done with each item of a batch, and where its end goes. `ends` are on their way there."""

    do: Do
    again: "Again"
    settle: Together[Settled, None]
    gave_up: GaveUp | None
    ends: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])


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
        While a batch is done the next ones are read, and the ends of the one before are kept.
        """
        job_id = UUID(activity.info().workflow_id)
        todo = await self._items.pending(job_id, pace.items)
        batches = [todo[at : at + pace.at_once] for at in range(0, len(todo), pace.at_once)]
        read = deque(asyncio.ensure_future(prepare(batch)) for batch in batches[:AHEAD])
        ends: list[asyncio.Task[None]] = []
        until = time.monotonic() + MOST_SECONDS
        try:
            for number, batch in enumerate(batches):
                if number and pace.pause:
                    await asyncio.sleep(pace.pause)
                clock = _Clock(pace)
                do = await read.popleft()
                after = batches[number + AHEAD : number + AHEAD + 1] if time.monotonic() < until else []
                read.extend(asyncio.ensure_future(prepare(some)) for some in after)
                settle: Together[Settled, None] = Together(
                    lambda some, clock=clock: self._settle(job_id, some, clock), apart=APART
                )
                task, before = _Task(do, again, settle, gave_up), ends
                ends = task.ends
                raised = await _all(self._one(job_id, one, task) for one in batch)
                raised += await _all(before)
                if raised or not read:
                    raised += await _all(ends)
                for error in sorted(raised, key=lambda error: not isinstance(error, BudgetExceeded)):
                    raise error
                self._learn(job_id, clock.seconds_an_item)
                if not read:
                    break
        finally:
            await _leave(read, ends)
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
        ended = await self._come_of(job_id, one, task, task.do(one))
        if ended is not None:
            task.ends.append(asyncio.create_task(self._end(job_id, one, task, ended)))

    async def _end(self, job_id: UUID, one: Item, task: "_Task", ended: Settled | Awaitable[Settled]) -> None:
        settled = ended if isinstance(ended, Settled) else await self._come_of(job_id, one, task, ended)
        if settled is not None:
            await patiently(lambda: task.settle(settled), self._ledger_patience)

    async def _come_of(self, job_id: UUID, one: Item, task: "_Task", doing: Awaitable[T]) -> T | Settled | None:
        """What the doing answers, or the item's end where it failed; None when the item is put off."""
        try:
            return await doing
        except (BudgetExceeded, JobClosed, LedgerUnavailable):
            raise
        except LongrunError as error:
            return await self._failed(job_id, one, error, task)
        except Exception:
            log.exception("an item raised what no provider classed", position=one.position)
            unclassed = VendorError("something went wrong with this item", code="internal_error")
            return await self._failed(job_id, one, unclassed, task)

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


async def _all(work: Iterable[Awaitable[None]]) -> list[BaseException]:
    """Wait for all of it; answers with what was raised."""
    return [found for found in await asyncio.gather(*work, return_exceptions=True) if found is not None]


async def _leave(read: Collection[asyncio.Future[Any]], ends: Sequence[asyncio.Task[None]]) -> None:
    """Drop what was read ahead, and see to it that nothing is lost that was on its way to the ledger."""
    for reading in read:
        reading.cancel()
    await _all(read)
    if ends:
        await asyncio.wait(ends, timeout=LEAVING_SECONDS)
