"""Cancels of many at once, those that are overdue, and what looking for them costs."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from domain.job import Outcome, Status
from ledger.cancels import ABANDONED, AT_MOST, INSIDE, MOMENT, OVERDUE, Cancels
from ledger.database import Database, sql
from ledger.items import TAKE, JobItems, Selection
from ledger.jobs import JobFilter
from tests.ledger.book import Book
from tests.ledger.test_plans import FILL, KEYS, assert_narrow, plan
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")
GRACE = timedelta(seconds=30)


async def test_many_are_canceled_at_once_each_as_it_stands(book: Book) -> None:
    waiting = [(await book.open(owner="ann")).id for _ in range(3)]
    running, ended = await book.running(owner="bob"), await book.running()
    await book.end(ended)
    asked = [*waiting, running, ended, uuid4()]
    assert await book.jobs.cancel_many(asked, reason="enough", by=None) == {*waiting, running}
    for job_id in waiting:
        assert await book.told(job_id) == [("job", "queued"), ("cancel_requested", ""), ("job", "canceled")]
        assert (await book.row(job_id)).cancel_requested_by == "owner:ann"
    row = await book.row(running)
    assert (row.status, row.cancel_requested_by) == (Status.RUNNING, "owner:bob")
    assert await book.jobs.cancel_many(asked, reason=None, by="bob") == {running}
    assert (await book.row(running)).cancel_requested_by == "owner:bob"
    assert await book.jobs.cancel_many([], reason=None, by="bob") == set()


async def test_who_locks_in_another_order_is_not_met_half_way(book: Book) -> None:
    """One transaction holds the last and wants the first; a statement that locks both would end one of them."""
    first, last = sorted([(await book.open()).id for _ in range(2)])
    async with book.in_between() as other:
        await other.execute("UPDATE jobs SET title = 'held' WHERE id = $1", last)
        canceling = await book.waiting(book.jobs.cancel_many([first, last], reason=None, by="alice"))
        assert (await book.row(first)).status == Status.CANCELED
        await other.execute("UPDATE jobs SET title = 'held' WHERE id = $1", first)
    assert await canceling == {first, last}


async def test_at_once_by_many_each_job_is_canceled_once(book: Book) -> None:
    ids = [(await book.open()).id for _ in range(20)]
    answers = await asyncio.gather(
        *(book.jobs.cancel_many(some, reason=None, by="alice") for some in (ids, ids[::-1], ids[5:], ids[:15]))
    )
    assert sorted(job_id for answer in answers for job_id in answer) == sorted(ids)


async def overdue(book: Book) -> dict[object, tuple[bool, bool]]:
    return {due.id: (due.over, due.open_parent) for due in await Cancels(book.database).overdue(GRACE)}


async def test_who_is_overdue(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.cancels.MOMENT", timedelta(seconds=10))
    told, patient, looked_at, untold, claimed, parent = [await book.running() for _ in range(6)]
    child = (await book.open(parent_id=parent, in_engine=True)).id
    ago = {told: 31, patient: 5, looked_at: 21}
    asked = [told, patient, looked_at, untold, child]
    await book.jobs.cancel_many([*asked, claimed], reason=None, by="alice")
    await book.database.execute(
        "UPDATE jobs SET cancel_requested_at = now() - interval '1 minute' WHERE id = ANY($1)", asked
    )
    for job_id, seconds in ago.items():
        await book.database.execute(
            "UPDATE jobs SET cancel_sent_at = now() - make_interval(secs => $2) WHERE id = $1", job_id, float(seconds)
        )
    found = {job_id: how for job_id, how in (await overdue(book)).items() if job_id in (*asked, claimed)}
    assert found == {told: (True, False), looked_at: (False, False), untold: (False, False), child: (False, True)}
    await book.jobs.finish(Outcome(job_id=told, status=Status.CANCELED))
    assert told not in await overdue(book)


async def test_whose_parent_has_ended(book: Book) -> None:
    parent = await book.running()
    child = (await book.open(parent_id=parent, in_engine=True)).id
    grandchild = (await book.open(parent_id=child, in_engine=True)).id
    cancels = Cancels(book.database)
    assert set(await cancels.inside(parent)) == {child, grandchild}
    assert child not in await cancels.abandoned()
    await book.end(parent, Status.CANCELED)
    await book.database.execute("UPDATE jobs SET finished_at = now() - interval '1 minute' WHERE id = $1", parent)
    found = await cancels.abandoned()
    assert child in found
    assert grandchild not in found
    await book.jobs.cancel(child, reason=None, by="longrun")
    assert child not in await cancels.abandoned()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(postgres_url: str, template: str) -> AsyncGenerator[Database]:
    """A ledger of 5,000 jobs; ten are being canceled, ten have an open job inside them, 400 items wait."""
    async with cloned(postgres_url, template, fresh=True) as url:
        database = Database(url)
        await database.execute(FILL)
        await database.execute(KEYS)
        await database.execute(
            """UPDATE jobs SET cancel_requested_at = now() - interval '1 minute', cancel_requested_by = 'alice',
                cancel_sent_at = now() - interval '1 minute'
            WHERE id IN (SELECT id FROM jobs WHERE status = 'running' LIMIT 10)"""
        )
        await database.execute(
            """UPDATE jobs SET parent_id = (SELECT id FROM jobs WHERE status = 'completed' LIMIT 1)
            WHERE id IN (SELECT id FROM jobs WHERE status = 'running' AND cancel_requested_at IS NULL LIMIT 10)"""
        )
        await database.execute(
            """INSERT INTO job_items (job_id, position, item, status, finished_at)
            SELECT few.id, n, '1', CASE WHEN n <= 900 THEN 'done' ELSE 'pending' END, CASE WHEN n <= 900 THEN now() END
            FROM (SELECT id FROM jobs WHERE status = 'running' LIMIT 4) few, generate_series(1, 1000) n"""
        )
        await database.execute("ANALYZE")
        yield database
        await database.close()


async def test_looking_for_the_overdue_reads_what_is_being_canceled(full: Database) -> None:
    assert_narrow(await plan(full, OVERDUE, GRACE, MOMENT, AT_MOST), 10)
    assert_narrow(await plan(full, ABANDONED, MOMENT, AT_MOST), 10)
    row = await full.row("SELECT id FROM jobs WHERE parent_id IS NOT NULL LIMIT 1")
    assert row
    assert_narrow(await plan(full, INSIDE, row["id"]), 1)


async def test_a_portion_reads_its_own_items(full: Database) -> None:
    row = await full.row("SELECT job_id FROM job_items LIMIT 1")
    assert row
    pending = "SELECT * FROM job_items WHERE job_id = $1 AND status = 'pending' ORDER BY position LIMIT $2"
    assert_narrow(await plan(full, pending, row["job_id"], 20), 20)
    ended = [{"position": n, "status": "done", "outcome": None} for n in range(901, 905)]
    assert_narrow(await plan(full, sql("settle_items"), row["job_id"], ended, [901, 902, 903, 904], None), 10)


async def test_a_cancel_of_many_reads_those(full: Database) -> None:
    rows = await full.fetch("SELECT id FROM jobs WHERE status = 'queued' LIMIT 5")
    assert_narrow(await plan(full, sql("cancel"), [row["id"] for row in rows], None, "alice"), 5)


async def test_choosing_reads_what_the_filter_names(full: Database) -> None:
    row = await full.row("SELECT id FROM jobs WHERE status = 'running' AND items IS NULL LIMIT 1")
    assert row
    args = [row["id"]]
    condition = Selection(JobFilter(owner="owner7")).condition(args)
    # twelve of them, and what the plan reads again to write
    assert_narrow(await plan(full, TAKE + condition, *args), 20)
    assert await JobItems(full).count(Selection(JobFilter(owner="owner7"))) == 10
