"""Admission: never twice, never too many, in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.errors import LedgerUnavailable
from domain.job import Outcome, Status
from ledger.database import Database
from ledger.dispatch import Dispatch
from ledger.jobs import Jobs
from tests.ledger.book import Book, new_job


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


async def claimed(dispatch: Dispatch, at_most: int = 20) -> list[UUID]:
    return [one.id for one in (await dispatch.claim(at_most)).starts]


async def test_eight_claimers_never_take_a_job_twice_nor_more_than_may_be_in_flight(book: Book) -> None:
    await book.jobs.open([new_job() for _ in range(60)])
    databases = [Database(book.database.dsn, size=1) for _ in range(8)]
    taken: list[UUID] = []
    most = 0

    async def claim(dispatch: Dispatch) -> None:
        nonlocal most
        while len(taken) < 10:
            taken.extend(await claimed(dispatch, 3))
            most = max(most, await book.value("SELECT count(*) FROM jobs WHERE claimed_until IS NOT NULL"))

    async with asyncio.timeout(30):
        await asyncio.gather(*(claim(Dispatch(database, in_flight=10)) for database in databases))
    assert await claimed(Dispatch(book.database, in_flight=10)) == []
    for database in databases:
        await database.close()
    assert len(taken) == len(set(taken)) == 10
    assert most == 10


class Frozen(Dispatch):
    """Of a process that is stopped in the middle of a turn, the lock in its hands."""

    def __init__(self, database: Database, *, frozen: timedelta) -> None:
        super().__init__(database, frozen=frozen)
        self.reached = asyncio.Event()

    async def _admit(self, connection: Any, at_most: int) -> Any:
        self.reached.set()
        await asyncio.Event().wait()


async def test_a_turn_that_is_frozen_does_not_keep_others_from_theirs(book: Book) -> None:
    [job] = await book.jobs.open([new_job()])
    async with freezing(book, timedelta(minutes=1)):
        assert await claimed(book.dispatch) == [], "only one at a time admits"
    async with freezing(book, timedelta(milliseconds=300)), asyncio.timeout(30):
        while (found := await claimed(book.dispatch)) == []:
            await asyncio.sleep(0.02)
    assert found == [job.id]


@asynccontextmanager
async def freezing(book: Book, frozen: timedelta) -> AsyncGenerator[None]:
    """A turn that has come to a stop, and of which PostgreSQL waits so long to hear."""
    stopped = Frozen(book.database, frozen=frozen)
    turn = asyncio.create_task(stopped.claim(1))
    try:
        await stopped.reached.wait()
        yield
    finally:
        turn.cancel()
        with pytest.raises((asyncio.CancelledError, LedgerUnavailable)):
            await turn


async def test_what_is_claimed_is_not_claimed_again(book: Book) -> None:
    await book.jobs.open([new_job() for _ in range(5)])
    assert [len(await claimed(book.dispatch, 3)) for _ in range(3)] == [3, 2, 0]


async def test_what_is_claimed_takes_a_place_until_it_ends(book: Book) -> None:
    dispatch = Dispatch(book.database, in_flight=3)
    await book.jobs.open([new_job() for _ in range(6)])
    first = await claimed(dispatch)
    assert len(first) == 3
    assert await claimed(dispatch) == []
    await dispatch.started(first)
    assert await claimed(dispatch) == []
    await Jobs(book.database).finish(Outcome(job_id=first[0], status=Status.CANCELED))
    assert len(await claimed(dispatch)) == 1


async def test_a_claim_that_ran_out_is_taken_again_and_takes_no_place_from_itself(book: Book) -> None:
    dispatch = Dispatch(book.database, in_flight=2)
    await book.jobs.open([new_job() for _ in range(2)])
    first = await claimed(dispatch)
    await dispatch.later(first, -1.0)
    assert sorted(await claimed(dispatch)) == sorted(first)


async def test_a_child_runs_in_its_parents_place(book: Book) -> None:
    dispatch = Dispatch(book.database, in_flight=2)
    await book.jobs.open([new_job() for _ in range(3)])
    [parent, _] = first = await claimed(dispatch)
    await dispatch.started(first)
    children = [new_job(parent_id=parent, in_engine=True) for _ in range(2)]
    await book.jobs.open(children)
    await dispatch.started([child.id for child in children])
    assert await claimed(dispatch) == []
    await book.end(first[1], Status.CANCELED)
    assert len(await claimed(dispatch)) == 1


async def test_jobs_go_by_priority_then_by_age(book: Book) -> None:
    late, early = new_job(priority=3), new_job(priority=3)
    urgent = new_job(priority=1)
    for one in (early, late, urgent):
        await book.jobs.open([one])
    order = [await claimed(book.dispatch, 1) for _ in range(4)]
    assert order == [[urgent.id], [early.id], [late.id], []]


async def test_one_claimer_at_a_time_admits(book: Book) -> None:
    await book.jobs.open([new_job()])
    async with book.in_between() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))", 0x104E6773)
        assert await claimed(book.dispatch) == []
    assert len(await claimed(book.dispatch)) == 1
