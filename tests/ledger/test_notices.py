"""Notices: of a job only while somebody follows it, of work only for the first that waits."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from ledger.database import Database
from ledger.events import wait
from tests.ledger.book import Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def hearing(database: Database) -> AsyncGenerator[list[str]]:
    """What is noticed inside the block, complete once it is left."""
    connection = await asyncpg.connect(database.dsn)
    heard: list[str] = []
    try:
        await connection.add_listener(database.schema, lambda *told: heard.append(str(told[-1])))
        yield heard
        # notices that were committed before come before this answer
        await connection.execute("SELECT 1")
    finally:
        await connection.close()


async def test_the_steps_and_the_end_of_a_job_are_noticed_while_it_is_watched(book: Book) -> None:
    job_id = await book.running()
    async with hearing(book.database) as heard:
        await book.steps.end(at(job_id), "completed", output="1")
        await book.steps.start(at(job_id, activity_id="two"))
    assert heard == []
    await book.events.watch(job_id)
    async with hearing(book.database) as heard:
        await book.steps.end(at(job_id, activity_id="two"), "completed", output="2")
        await book.steps.start(at(job_id, activity_id="three"))
        await book.end(job_id)
    assert heard == [str(job_id)] * 3


async def test_a_job_that_finds_another_one_waiting_wakes_nobody(book: Book) -> None:
    async with hearing(book.database) as heard:
        await book.open()
        await book.open()
    assert heard == [""]
    assert len((await book.dispatch.claim(1000)).starts) == 2
    async with hearing(book.database) as heard:
        await book.open()
    assert heard == [""]


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancel_soon_after_a_notice_is_obeyed(turns: int) -> None:
    event = asyncio.Event()

    async def again_and_again() -> None:
        while True:
            await wait(event, 60)

    waiting = asyncio.create_task(again_and_again())
    await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    try:
        await asyncio.wait([waiting], timeout=5)
        assert waiting.cancelled()
    finally:
        waiting.cancel()
