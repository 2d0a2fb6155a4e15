"""PostgreSQL goes away in the middle of a statement: what was committed stands, once, and its caller learns of it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from domain.errors import LedgerUnavailable
from domain.job import Status
from ledger.database import Database
from ledger.jobs import Jobs
from tests.ledger.book import Book, at, new_job
from tests.support.proxy import TcpProxy


@pytest.fixture
async def proxy(database_url: str) -> AsyncGenerator[TcpProxy]:
    async with TcpProxy.to(database_url) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: TcpProxy, database_url: str) -> AsyncGenerator[Book]:
    """The ledger by way of the proxy."""
    database = Database(proxy.url(database_url))
    yield Book(database)
    await database.close()


@pytest.fixture
def near(database: Database) -> Book:
    return Book(database)


async def test_a_commit_whose_answer_was_lost_is_found_again(proxy: TcpProxy, far: Book, near: Book) -> None:
    await far.open()
    asked = new_job(idempotency_key="once", title="the answer is lost")
    lost = proxy.drop_next_answer_after(asked.title.encode())
    [opened] = await far.jobs.open([asked])
    assert lost.is_set()
    assert (opened.id, opened.why) == (asked.id, "opened")
    assert await near.value("SELECT count(*) FROM jobs WHERE idempotency_key = 'once'") == 1


async def test_a_batch_whose_commit_was_lost_is_found_again(proxy: TcpProxy, far: Book, near: Book) -> None:
    asked = [new_job() for _ in range(20)]
    await far.open()
    lost = proxy.drop_next_answer_after(b"COMMIT")
    opened = await far.jobs.open(asked)
    assert lost.is_set()
    assert [one.id for one in opened] == [one.id for one in asked]
    assert await near.value("SELECT count(*) FROM jobs") == 21


async def test_who_cannot_find_out_is_told_the_id_that_may_exist(proxy: TcpProxy, far: Book, near: Book) -> None:
    await far.open()
    asked = new_job(title="the answer is lost")
    lost = proxy.drop_next_answer_after(asked.title.encode())
    fetch = far.database.acquire
    calls = 0

    def acquire() -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            proxy.refuse()
        return fetch()

    far.database.acquire = acquire  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(LedgerUnavailable) as raised:
        await far.jobs.open([asked])
    assert lost.is_set()
    assert raised.value.job_id == str(asked.id)
    assert (await near.row(asked.id)).status == Status.QUEUED


async def test_nothing_exists_when_no_connection_could_be_had(proxy: TcpProxy, far: Book, near: Book) -> None:
    proxy.refuse()
    asked = new_job()
    with pytest.raises(LedgerUnavailable) as raised:
        await far.jobs.open([asked])
    assert (raised.value.in_doubt, raised.value.job_id) == (False, None)
    assert await near.jobs.get(asked.id) is None
    await proxy.release()
    assert (await far.jobs.open([asked]))[0].why == "opened"


async def test_an_end_whose_answer_was_lost_stands_and_is_not_written_twice(
    proxy: TcpProxy, far: Book, near: Book
) -> None:
    job_id = await far.running()
    lost = proxy.drop_next_answer_after(b'"the only result"')
    with pytest.raises(LedgerUnavailable) as raised:
        await far.steps.end(at(job_id), "completed", output='"the only result"')
    assert lost.is_set()
    assert raised.value.in_doubt
    again = await far.steps.end(at(job_id), "completed", output='"another"')
    assert (again.landed, again.status) == (False, "completed")
    assert (await near.step(job_id))["output"] == "the only result"
    assert (await near.told(job_id)).count(("one", "completed")) == 1


async def test_a_pool_outlives_its_server(proxy: TcpProxy, far: Book) -> None:
    opened = await far.open()
    proxy.refuse()
    with pytest.raises(LedgerUnavailable):
        await far.jobs.get(opened.id)
    await proxy.release()
    assert (await far.row(opened.id)).status == Status.QUEUED


async def test_a_first_burst_shares_one_pool(database: Database, near: Book) -> None:
    fresh = Database(database.dsn, size=3)
    await asyncio.gather(*(Jobs(fresh).open([new_job()]) for _ in range(30)))
    sessions = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'"""
    assert await near.value(sessions) <= 3 + 2
    await fresh.close()
