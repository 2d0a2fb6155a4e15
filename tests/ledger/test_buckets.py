"""What a vendor lets us ask in a minute is kept by all together, and those who wait take turns."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest

from ledger.buckets import Buckets
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
# A sixth of a minute's may come at once, and the rest as the bucket fills.
BURST = 10 / 60


def named() -> str:
    return f"model-{uuid4().hex[:8]}"


async def asking(buckets: Buckets, job_id: UUID, model: str, seconds: float, *, tokens: int = 1) -> int:
    """How many turns a job gets in that time, with ten calls asking at once."""
    taken = 0

    async def call() -> None:
        nonlocal taken
        while True:
            await buckets.take(job_id, "v", model, tokens)
            taken += 1

    async with asyncio.timeout(seconds + 30):
        calls = [asyncio.create_task(call()) for _ in range(10)]
        await asyncio.sleep(seconds)
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    return taken


async def test_without_a_limit_nobody_waits(book: Book) -> None:
    job_id, model = await book.running(), named()
    buckets = Buckets(book.database)
    async with asyncio.timeout(10):
        await asyncio.gather(*[buckets.take(job_id, "v", model, 10**6) for _ in range(50)])


async def test_requests_of_all_workers_together_stay_within_the_limit(book: Book) -> None:
    job_id, model, per_minute = await book.running(), named(), 1200
    workers = [Buckets(book.database, requests_per_minute=per_minute) for _ in range(3)]
    began = time.monotonic()
    taken = sum(await asyncio.gather(*[asking(one, job_id, model, 1.5) for one in workers]))
    most = per_minute * BURST + (time.monotonic() - began) * per_minute / 60
    assert per_minute * BURST < taken <= most + 1


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


async def test_owners_take_turns_and_premium_weighs_four_times(book: Book) -> None:
    model = named()
    paying, free, other = [await book.running(owner=uuid4().hex, tier=tier) for tier in ("premium", "free", "free")]
    buckets = Buckets(book.database, requests_per_minute=1200)
    await buckets.take(paying, "v", model, 1)
    # what follows are turns
    await book.database.execute("UPDATE vendor_buckets SET requests = 0 WHERE model = $1", model)
    taken = await asyncio.gather(*[asking(buckets, job, model, 3.0) for job in (paying, free, other)])
    assert taken[1] == pytest.approx(taken[2], rel=0.35)
    assert 2.5 < taken[0] / taken[1] < 6, taken


async def test_who_has_left_holds_nobody_up(book: Book) -> None:
    """A worker that dies while it waits has its turn pass after a second."""
    model = named()
    gone, here = [await book.running(owner=uuid4().hex) for _ in range(2)]
    buckets = Buckets(book.database, requests_per_minute=60)
    async with asyncio.timeout(30):
        for _ in range(10):
            await buckets.take(here, "v", model, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await buckets.take(gone, "v", model, 1)
        await buckets.take(here, "v", model, 1)
        await buckets.take(here, "v", model, 1)
