"""What a vendor lets us ask in a minute is kept by all together, and those who wait take turns."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4

import pytest

from ledger.buckets import Buckets
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
# A sixth of a minute's may come at once, and the rest as the bucket fills.
BURST = 10 / 60


def named() -> str:
    return f"model-{uuid4().hex[:8]}"


@asynccontextmanager
async def asking(
    buckets: Buckets, job_id: UUID, model: str, taken: list[UUID], calls: int = 10
) -> AsyncGenerator[None]:
    """A job's calls that ask again and again, and note each turn they get."""

    async def call() -> None:
        while True:
            await buckets.take(job_id, "v", model, 1)
            taken.append(job_id)

    tasks = [asyncio.create_task(call()) for _ in range(calls)]
    try:
        yield
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_without_a_limit_nobody_waits(book: Book) -> None:
    job_id, model = await book.running(), named()
    buckets = Buckets(book.database)
    async with asyncio.timeout(10):
        await asyncio.gather(*[buckets.take(job_id, "v", model, 10**6) for _ in range(50)])


async def test_requests_of_all_workers_together_stay_within_the_limit(book: Book) -> None:
    job_id, model, per_minute = await book.running(), named(), 1200
    workers = [Buckets(book.database, requests_per_minute=per_minute) for _ in range(3)]
    taken: list[UUID] = []
    began = time.monotonic()
    async with AsyncExitStack() as all_of_them:
        for one in workers:
            await all_of_them.enter_async_context(asking(one, job_id, model, taken))
        await asyncio.sleep(1.5)
        async with asyncio.timeout(30):
            while len(taken) <= per_minute * BURST:
                await asyncio.sleep(0.02)
        most = per_minute * BURST + (time.monotonic() - began) * per_minute / 60
        assert len(taken) <= most + 1


async def test_tokens_are_reserved_and_given_back(book: Book) -> None:
    job_id, model = await book.running(), named()
    buckets = Buckets(book.database, tokens_per_minute=600)
    await buckets.take(job_id, "v", model, 90)
    await buckets.give_back("v", model, 80)
    async with asyncio.timeout(5):
        await buckets.take(job_id, "v", model, 90)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await buckets.take(job_id, "v", model, 90)


async def test_a_call_larger_than_the_bucket_goes_when_that_is_full(book: Book) -> None:
    job_id, model = await book.running(), named()
    buckets = Buckets(book.database, tokens_per_minute=600)
    async with asyncio.timeout(5):
        await buckets.take(job_id, "v", model, 5000)
    assert await book.value("SELECT tokens FROM vendor_buckets WHERE model = $1", model) < -4800


class Eager(Buckets):
    """Asks again at once, however long the next turn is off."""

    async def _ask(self, job_id: UUID, vendor: str, model: str, tokens: int) -> float:
        return min(await super()._ask(job_id, vendor, model, tokens), 0.01)


async def test_owners_take_turns_and_premium_weighs_four_times(book: Book) -> None:
    """Turns are given out here, one by one: a bucket that fills while nobody is let run serves all alike."""
    model, turns = named(), 30
    paying, free, other = [await book.running(owner=uuid4().hex, tier=tier) for tier in ("premium", "free", "free")]
    buckets, taken = Eager(book.database, requests_per_minute=1), list[UUID]()
    await buckets.take(paying, "v", model, 1)
    async with asyncio.timeout(120), AsyncExitStack() as all_of_them:
        for job_id in (paying, free, other):
            await all_of_them.enter_async_context(asking(buckets, job_id, model, taken))
        for given in range(turns):
            while len(taken) < given or await asks(book, model) < 3:
                await asyncio.sleep(0.002)
            await book.database.execute("UPDATE vendor_buckets SET requests = 1 WHERE model = $1", model)
        while len(taken) < turns:
            await asyncio.sleep(0.002)
    assert taken.count(free) == pytest.approx(taken.count(other), abs=1)
    assert 2.5 < taken.count(paying) / taken.count(free) < 6, taken


async def asks(book: Book, model: str) -> int:
    """How many owners ask for a turn right now."""
    return await book.value("SELECT count(*) FROM vendor_turns WHERE model = $1 AND asks_until > now()", model)


async def test_who_has_left_holds_nobody_up(book: Book) -> None:
    """A worker that dies while it waits has its turn pass after a second."""
    model = named()
    gone, here = [await book.running(owner=uuid4().hex) for _ in range(2)]
    buckets = Buckets(book.database, requests_per_minute=60)
    async with asyncio.timeout(30):
        await buckets.take(here, "v", model, 1)
        await book.database.execute("UPDATE vendor_buckets SET requests = -2 WHERE model = $1", model)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await buckets.take(gone, "v", model, 1)
        await buckets.take(here, "v", model, 1)
        await buckets.take(here, "v", model, 1)
