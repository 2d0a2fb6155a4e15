"""What the reconciler reads and writes: as much as there is to compare, however large the ledger."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from domain.job import Status
from ledger.database import Database, sql
from ledger.reports import SETTLED, DoneStep, Reports
from tests.ledger.book import EPOCH, Book, at
from tests.ledger.test_plans import assert_narrow, plan
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")
# of 10,000 jobs 6,000 are over, 3,800 wait, 180 are in the engine, and 20 in the hands of somebody who died
FILL = """
INSERT INTO jobs (id, kind, status, payload, plan, max_duration_seconds, finished_at, created_at, engine_started_at,
    claimed_until, fair_rank)
SELECT gen_random_uuid(), 'toy', CASE WHEN n % 10 < 6 THEN 'completed' ELSE 'queued' END, '{}', '[]', 60,
    CASE WHEN n % 10 < 6 THEN now() - interval '1 day' END, now() - make_interval(secs => n),
    CASE WHEN n % 50 = 9 AND n % 500 <> 9 THEN now() - interval '1 hour' END,
    CASE WHEN n % 50 = 9 THEN now() - interval '1 hour' END, n
FROM generate_series(1, 10000) n
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(postgres_url: str, template: str) -> AsyncGenerator[Database]:
    async with cloned(postgres_url, template, fresh=True) as url:
        database = Database(url)
        for statement in (FILL, "VACUUM ANALYZE jobs"):
            await database.execute(statement)
        yield database
        await database.close()


@pytest.fixture
def book(full: Database) -> Book:
    return Book(full)


async def test_every_job_in_the_engine_is_read_once_by_the_page(
    full: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.reports.PAGE", 100)
    pages = [page async for page in Reports(full).in_engine()]
    assert [len(page) for page in pages] == [100, 80, 20]
    rows = [row for page in pages for row in page]
    assert len({row.id for row in rows}) == 200
    assert [row.marked for row in rows] == [True] * 180 + [False] * 20


@pytest.mark.parametrize("settled", SETTLED)
async def test_neither_who_waits_nor_what_is_over_is_read(full: Database, settled: str) -> None:
    found = await plan(full, sql("in_engine").format(settled=settled), 2.0, None, None, 100)
    assert_narrow([node for node in found if node.get("Relation Name") == "jobs"], 200)


async def test_only_what_has_lately_ended_is_searched_for_open_steps(full: Database) -> None:
    assert_narrow(await plan(full, sql("close_steps"), datetime.now(UTC) - timedelta(minutes=5)), 5)


def done(activity_id: str, *, after: int, delivery: int = 1, output: str | None = None) -> DoneStep:
    began = EPOCH + timedelta(seconds=after)
    return DoneStep(activity_id, began, delivery, began, began + timedelta(seconds=1), output)


async def steps_of(book: Book, job_id: UUID) -> dict[str, str]:
    return {step.name: step.status for step in (await book.row(job_id)).steps}


async def test_steps_that_the_engine_did_are_taken_over_once(book: Book) -> None:
    job_id = await book.running()
    steps = [done("one", after=0, output="said one"), done("two", after=2), done("two#2", after=4)]
    for _ in range(2):
        await Reports(book.database).take_over(job_id, steps)
        assert await steps_of(book, job_id) == {"one": "completed", "two": "completed"}
    assert await book.told(job_id) == [
        *[("job", "queued"), ("job", "running"), ("one", "running")],
        *[("one", "completed"), ("two", "completed"), ("two", "completed")],
    ]
    assert (await book.step(job_id))["output"] == "said one"


async def test_what_the_ledger_knows_better_stands(book: Book) -> None:
    job_id = await book.running()
    await book.steps.end(at(job_id), "completed", output='"known here"')
    later = await book.running()
    await book.steps.start(at(later, reset=9))
    reports = Reports(book.database)
    for one in (job_id, later):
        await reports.take_over(one, [done("one", after=0, output="said there")])
    assert (await book.step(job_id))["output"] == "known here"
    assert (await book.step(later))["status"] == "running"  # it was scheduled anew since


async def test_a_job_that_has_ended_takes_nothing_over(book: Book) -> None:
    job_id = await book.running()
    await book.end(job_id, Status.CANCELED)
    await Reports(book.database).take_over(job_id, [done("one", after=0)])
    await Reports(book.database).take_over(uuid4(), [done("one", after=0)])
    assert (await book.step(job_id))["status"] == "failed"


async def test_an_output_too_large_to_be_kept_is_left_out(book: Book) -> None:
    job_id = await book.running()
    await Reports(book.database).take_over(job_id, [done("one", after=0, output="x" * 100_001)])
    step = await book.step(job_id)
    assert (step["status"], step["output"]) == ("completed", None)
