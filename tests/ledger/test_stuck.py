"""Which jobs are silent for too long, at which step; and which are trying again."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.job import PlannedStep, Status
from ledger.database import Database
from ledger.jobs import JobFilter
from tests.ledger.book import WRONG, Book, at

QUICK = PlannedStep(name="one", max_attempts=3, max_seconds=60)
SLOW = PlannedStep(name="two", max_attempts=2, max_seconds=600)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


async def silent(book: Book, job_id: UUID, since: timedelta) -> None:
    await book.database.execute("UPDATE jobs SET updated_at = now() - $2::interval WHERE id = $1", job_id, since)


async def stuck(book: Book, job_id: UUID) -> tuple[Any, Any] | None:
    """(step, attempt) if the job says that it is stuck; the filter has to say the same."""
    row = await book.row(job_id)
    listed = {found.id for found in await book.jobs.list(JobFilter(stuck=True))}
    assert (job_id in listed) == (row.stuck is not None)
    return (row.stuck["step"], row.stuck["attempt"]) if row.stuck else None


async def test_a_step_is_stuck_after_its_own_time(book: Book) -> None:
    quick = await book.running(plan=(QUICK, SLOW))
    slow = await book.running(plan=(SLOW.model_copy(update={"name": "one"}),))
    for job_id in (quick, slow):
        await silent(book, job_id, timedelta(seconds=50))
        assert await stuck(book, job_id) is None
        await silent(book, job_id, 2 * MINUTE)
    assert await stuck(book, quick) == ("one", 1)
    assert await stuck(book, slow) is None
    row = await book.row(quick)
    assert row.stuck
    assert row.updated_at == datetime.fromisoformat(row.stuck["since"])
    await book.end(quick, Status.CANCELED)
    assert await stuck(book, quick) is None


async def test_a_stuck_job_says_on_which_attempt(book: Book) -> None:
    job_id = await book.running(plan=(QUICK, SLOW))
    await book.steps.end(at(job_id), "failure", error=WRONG)
    await silent(book, job_id, 2 * MINUTE)
    assert await stuck(book, job_id) == ("one", 2)


async def test_a_step_that_does_not_begin_is_what_the_job_is_stuck_at(book: Book) -> None:
    begun = await book.running(plan=(QUICK, SLOW))
    await book.steps.end(at(begun), "completed")
    await silent(book, begun, 2 * MINUTE)
    assert await stuck(book, begun) is None, "the next one has its own time"
    await silent(book, begun, 11 * MINUTE)
    assert await stuck(book, begun) == ("two", 0)

    fresh = (await book.open(plan=(QUICK,))).id
    await book.dispatch.started([fresh])
    await silent(book, fresh, 2 * MINUTE)
    assert await stuck(book, fresh) == ("one", 0), "nobody works"


async def test_who_waits_is_not_stuck(book: Book) -> None:
    in_line = (await book.open(plan=(QUICK,))).id
    parent, asking = await book.running(plan=(QUICK,)), await book.running(plan=(QUICK,))
    child = (await book.open(plan=(QUICK,), parent_id=parent, in_engine=True)).id
    await book.database.execute(
        """INSERT INTO waitpoints (id, job_id, activity_id, token_hash, expires_at)
        VALUES (gen_random_uuid(), $1, 'one', '', now() + interval '1 hour')""",
        asking,
    )
    for job_id in (in_line, parent, asking, child):
        await silent(book, job_id, timedelta(hours=1))
    assert [await stuck(book, job_id) for job_id in (in_line, parent, asking, child)] == [None, None, None, ("one", 0)]
    await book.jobs.cancel(child, reason=None, by="ann")
    await book.end(child, Status.CANCELED)
    assert await stuck(book, parent) == ("one", 1)


async def test_a_plan_of_before_has_a_quarter_of_an_hour(book: Book) -> None:
    job_id = await book.running()
    await book.database.execute(
        """UPDATE jobs SET plan = '[{"name": "one", "maxAttempts": 3}]' WHERE id = $1""", job_id
    )
    await silent(book, job_id, 14 * MINUTE)
    assert await stuck(book, job_id) is None
    await silent(book, job_id, 16 * MINUTE)
    assert await stuck(book, job_id) == ("one", 1)


async def test_jobs_that_try_again_are_found(book: Book) -> None:
    calm, again = await book.running(), await book.running()
    await book.steps.end(at(again), "failure", error=WRONG)
    assert [row.id for row in await book.jobs.list(JobFilter(retrying=True))] == [again]
    await book.end(again, Status.CANCELED)
    assert await book.jobs.list(JobFilter(retrying=True)) == []
    assert (await book.row(calm)).status == Status.RUNNING
