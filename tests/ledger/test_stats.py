"""The figures count every job that ends once, whoever adds them up and however often."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from domain.job import Status
from domain.usage import Call, Spent, Usage
from ledger.database import Database
from ledger.spend import Spend
from ledger.stats import FORGET, Asked, Figures, Stats
from tests.ledger.book import Book

# and the days beside it: midnight may pass while the tests run
TODAY = Asked(datetime.now(UTC).date() - timedelta(days=1), datetime.now(UTC).date() + timedelta(days=1))


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


@pytest.fixture
def stats(database: Database) -> Stats:
    return Stats(database)


def of(kind: str | None = None, owner: str | None = None) -> Asked:
    return Asked(TODAY.first, TODAY.last, kind, owner)


async def ended(book: Book, status: Status = Status.COMPLETED, **given: object) -> UUID:
    job_id = await book.running(**given)
    await book.end(job_id, status)
    return job_id


async def pay(book: Book, job_id: UUID, usd: str) -> None:
    call = Call(job_id=job_id, step="one")
    usage = Usage(input_tokens=70, output_tokens=30)
    spent = Spent(call=call, vendor="v", model="m", usage=usage, cost_usd=Decimal(usd))
    await Spend(book.database).record(spent, prompt_hash=str(uuid4()), answer=None)


async def test_every_way_to_end_is_counted_by_kind_day_and_owner(book: Book, stats: Stats) -> None:
    for status in (Status.COMPLETED, Status.COMPLETED, Status.FAILED, Status.TIMED_OUT):
        await ended(book, status, owner="ann")
    canceled = (await book.open(kind="other", owner="bob")).id
    assert await book.jobs.cancel(canceled, reason=None, by="bob")
    await book.running(owner="ann")

    before = await stats.read(TODAY)
    assert await stats.roll() == 5
    after = await stats.read(TODAY)
    assert before == after, "added up or not, a figure is the same"

    total = after.total
    assert (total.jobs, total.completed, total.failed, total.timed_out, total.canceled) == (5, 2, 1, 1, 1)
    assert total.success_rate == 0.5
    assert {kind: found.jobs for kind, found in after.by_kind.items()} == {"other": 1, "toy": 4}
    assert {owner: found.jobs for owner, found in after.by_owner.items()} == {"ann": 4, "bob": 1}
    assert sum(found.jobs for found in after.by_day.values()) == 5
    assert (await stats.read(of(owner="ann"))).total.jobs == 4
    assert (await stats.read(of(kind="other"))).by_owner.keys() == {"bob"}
    assert (await stats.read(of(owner="nobody"))).total == Figures()


async def test_an_answer_from_the_cache_is_counted_and_has_no_duration(book: Book, stats: Stats) -> None:
    first = await book.running(cache_key="same")
    await book.end(first, result={"a": 1})
    again = await book.open(cache_key="same")
    assert again.status == Status.COMPLETED
    total = (await stats.read(TODAY)).total
    assert (total.completed, sum(jobs for _, jobs in total.durations)) == (2, 1)


async def test_money_is_counted_also_when_it_is_spent_after_the_end(book: Book, stats: Stats) -> None:
    job_id = await book.running(owner="ann")
    await pay(book, job_id, "0.25")
    assert (await stats.read(TODAY)).total.tokens == 0, "open jobs are not in the figures"
    await book.end(job_id, Status.CANCELED)
    await stats.catch_up()
    await pay(book, job_id, "0.5")
    for _ in range(2):
        found = await stats.read(TODAY)
        assert (found.total.jobs, found.total.tokens, found.total.usd) == (1, 200, Decimal("0.75"))
        assert found.by_owner["ann"].usd == Decimal("0.75")
        await stats.catch_up()


async def test_each_end_is_counted_once_while_many_add_up(book: Book, stats: Stats) -> None:
    done = asyncio.Event()

    async def roll() -> None:
        while not done.is_set():
            await stats.roll(portion=3)

    rollers = [asyncio.create_task(roll()) for _ in range(3)]
    owners = [f"owner{number % 4}" for number in range(40)]
    await asyncio.gather(*(ended(book, owner=owner) for owner in owners))
    seen = (await stats.read(TODAY)).total.jobs
    done.set()
    await asyncio.gather(*rollers)
    await stats.catch_up()
    assert seen == 40, "a read in between sees each end on one side or the other"
    found = await stats.read(TODAY)
    assert (found.total.jobs, {figures.jobs for figures in found.by_owner.values()}) == (40, {10})
    assert await book.value("SELECT count(*) FROM job_ends") == 0


async def test_what_does_not_commit_is_not_counted(book: Book, stats: Stats) -> None:
    job_id = await book.running()
    async with book.database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE jobs SET status = 'canceled', finished_at = now() WHERE id = $1", job_id)
        await transaction.rollback()
    assert (await stats.read(TODAY)).total.jobs == 0


async def test_durations_are_those_of_the_jobs_to_five_percent(book: Book, stats: Stats) -> None:
    draw = random.Random(7)
    seconds = sorted(draw.lognormvariate(2, 1) for _ in range(1000))
    await book.database.execute(
        """INSERT INTO jobs (id, kind, status, payload, plan, max_duration_seconds, started_at, finished_at)
        SELECT gen_random_uuid(), 'toy', 'completed', '{}', '[]', 60, now() - make_interval(secs => s), now()
        FROM unnest($1::double precision[]) s""",
        seconds,
    )
    total = (await stats.read(TODAY)).total
    for share in (0.5, 0.95):
        assert total.quantile(share) == pytest.approx(seconds[int(share * 1000)], rel=0.05)
    assert Figures().quantile(0.5) is None


async def test_days_out_of_the_range_are_left_out(book: Book, stats: Stats) -> None:
    await ended(book)
    long_ago = Asked(date(2020, 1, 1), date(2020, 12, 31))
    assert (await stats.read(long_ago)).total == Figures()


async def test_a_forgotten_owner_is_in_nobodys_figures_but_everyones(book: Book, stats: Stats) -> None:
    await ended(book, owner="ann")
    await stats.roll()
    await ended(book, owner="ann")
    async with book.in_between() as together:
        for statement in FORGET:
            await together.execute(statement, "ann")
    await stats.catch_up()
    found = await stats.read(TODAY)
    assert (found.total.jobs, found.by_owner) == (2, {})
    for table in ("stats_counts", "stats_durations", "stats_owners", "job_ends"):
        assert await book.value(f"SELECT count(*) FROM {table} WHERE owner = 'ann'") == 0
