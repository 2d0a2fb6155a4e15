"""The ledger behind a transaction pooler: each transaction may meet another session, and leaves it as it was."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.errors import IdempotencyConflict, LedgerUnavailable
from domain.job import Status
from ledger.database import Database
from ledger.dispatch import Dispatch
from ledger.migrate import migrate, pending
from tests.ledger.book import Book, at, new_job
from tests.support.databases import sibling
from tests.support.pgbouncer import SERVER_CONNECTIONS

JOBS = 24


@pytest.fixture
def pooled_url(pooler_url: str, database_url: str) -> str:
    """This test's own database by way of the pooler."""
    return sibling(pooler_url, database_url.rsplit("/", 1)[1])


@pytest.fixture
async def books(pooled_url: str) -> AsyncGenerator[list[Book]]:
    """Two processes' ways to the ledger, together with far more connections than the pooler has."""
    databases = [Database(pooled_url, size=10, pooled=True) for _ in range(2)]
    yield [Book(database) for database in databases]
    for database in databases:
        await database.close()


async def test_many_jobs_at_once_go_the_whole_way(books: list[Book], database: Database) -> None:
    ids = [new.id for one in books for new in await one.jobs.open([new_job() for _ in range(JOBS // 2)])]
    claimed: list[UUID] = []

    async def admit(book: Book) -> None:
        while len(claimed) < JOBS:
            turn = await Dispatch(book.database).claim(3)
            claimed.extend(row.id for row in turn.starts)
            await book.dispatch.started([row.id for row in turn.starts])

    async def work(number: int, job_id: UUID) -> None:
        book = books[number % 2]
        await book.steps.start(at(job_id))
        await book.steps.end(at(job_id), "completed", output=f'{{"n": {number}}}')
        await book.end(job_id)

    async with asyncio.timeout(30):
        await asyncio.gather(*(admit(book) for book in books))
        await asyncio.gather(*(work(number, job_id) for number, job_id in enumerate(ids)))
    assert sorted(claimed) == sorted(ids)  # nobody was admitted twice: the advisory lock holds for a transaction
    for number, job_id in enumerate(ids):
        assert (await books[0].row(job_id)).status == Status.COMPLETED
        assert (await books[1].step(job_id))["output"] == {"n": number}
        assert len(await books[0].told(job_id)) == 5
    sessions = await database.row(
        """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'longrun'"""
    )
    assert sessions is not None
    assert sessions["count"] <= SERVER_CONNECTIONS, "no pooler stood between"


async def test_the_next_one_to_use_a_session_finds_nothing_of_ours(books: list[Book], pooled_url: str) -> None:
    await asyncio.gather(*(books[number % 2].open() for number in range(20)))
    for connection in [await asyncpg.connect(pooled_url, statement_cache_size=0) for _ in range(SERVER_CONNECTIONS)]:
        async with connection.transaction():
            assert "longrun" not in await connection.fetchval("SHOW search_path")
            assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            assert await connection.fetchval(held) == 0
        await connection.close()


async def test_what_is_refused_leaves_nothing_and_the_way_open(books: list[Book]) -> None:
    [book, _] = books
    await book.open(idempotency_key="k")
    lost = uuid4()
    with pytest.raises(IdempotencyConflict):
        await book.open(id=lost, idempotency_key="k", payload={"another": 1}, payload_hash="another")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await book.database.execute("UPDATE jobs SET parent_id = $1", uuid4())
    assert await book.jobs.get(lost) is None
    assert (await book.open()).status == Status.QUEUED


async def test_a_pooler_that_was_not_announced_is_met_with_a_refusal(pooled_url: str) -> None:
    """And so the setting is what makes the difference."""
    database = Database(pooled_url)
    with pytest.raises(LedgerUnavailable):
        await Book(database).open()
    await database.close()


async def test_migrations_go_through_it_too(pooler_url: str, postgres_url: str) -> None:
    name = f"pooled_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        url = sibling(pooler_url, name)
        wanted = await pending(url, "longrun")
        applied = await asyncio.gather(*(migrate(url, "longrun") for _ in range(4)))
        assert sorted(one for names in applied for one in names) == wanted
        assert await pending(url, "longrun") == []
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
