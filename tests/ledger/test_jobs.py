"""How jobs end: once, for good, whoever comes late; and who may still cancel what."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.job import Failure, Outcome, Status
from tests.ledger.book import OPEN, WRONG, Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")

TERMINAL = [status for status in Status if status.terminal]
GONE = Failure(code="engine_lost", message="nobody knows it any more")


@pytest.mark.parametrize("status", TERMINAL)
async def test_an_end_stands_and_answers_every_later_one(book: Book, status: Status) -> None:
    job_id = await book.running()
    first = await book.end(job_id, status)
    before = await book.row(job_id)
    for other in TERMINAL:
        standing = await book.end(job_id, other, result={"late": True})
        assert standing == first
    assert first.status == status
    assert await book.row(job_id) == before
    assert (await book.told(job_id))[-1] == ("job", status)


async def test_many_ends_at_once_are_one(book: Book) -> None:
    job_id = await book.running()
    standing = await asyncio.gather(*(book.end(job_id, status) for status in TERMINAL * 3))
    assert len({one.status for one in standing}) == 1
    assert (await book.row(job_id)).status == standing[0].status
    assert [status for who, status in await book.told(job_id) if who == "job" and Status(status).terminal] == [
        standing[0].status
    ]


async def test_an_unknown_job_has_no_end(book: Book) -> None:
    assert await book.jobs.finish(Outcome(job_id=uuid4(), status=Status.COMPLETED)) is None


@pytest.mark.parametrize("status", TERMINAL)
async def test_a_terminal_status_cannot_be_left_even_by_hand(book: Book, status: Status) -> None:
    job_id = await book.running()
    await book.end(job_id, status)
    for other in Status:
        if other == status:
            continue
        with pytest.raises(asyncpg.CheckViolationError):
            await book.database.execute(
                "UPDATE jobs SET status = $2, finished_at = NULL, error = NULL WHERE id = $1", job_id, other
            )
        with pytest.raises(asyncpg.CheckViolationError):
            await book.database.execute("UPDATE jobs SET status = $2 WHERE id = $1", job_id, other)
    assert (await book.row(job_id)).status == status


async def test_a_terminal_status_keeps_its_moment(book: Book) -> None:
    job_id = await book.running()
    await book.end(job_id)
    with pytest.raises(asyncpg.CheckViolationError):
        await book.database.execute("UPDATE jobs SET finished_at = NULL WHERE id = $1", job_id)
    with pytest.raises(asyncpg.CheckViolationError):
        await book.database.execute("UPDATE jobs SET finished_at = now() WHERE id = $1", (await book.open()).id)


async def test_the_end_closes_steps_that_were_open(book: Book) -> None:
    job_id = await book.running()
    await book.steps.start(at(job_id, activity_id="two"))
    await book.steps.end(at(job_id, activity_id="two"), "failure", error=WRONG)
    await book.end(job_id, Status.FAILED, error=GONE)
    row = await book.row(job_id)
    assert [(step.status, step.error and step.error.code) for step in row.steps] == [("failed", "engine_lost")] * 2


async def cancel(book: Book, job_id: UUID) -> bool:
    return await book.jobs.cancel(job_id, reason="enough", by="alice")


async def test_a_cancel_of_what_nobody_took_ends_it_at_once(book: Book) -> None:
    opened = await book.open()
    assert await cancel(book, opened.id)
    row = await book.row(opened.id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice")
    assert await book.told(opened.id) == [("job", "queued"), ("cancel_requested", ""), ("job", "canceled")]
    assert not await cancel(book, opened.id)


@pytest.mark.parametrize("taken", ["claimed", "claim ran out", "started", "running"])
async def test_a_cancel_of_what_the_engine_may_know_is_carried_there(book: Book, taken: str) -> None:
    job_id = await book.running() if taken == "running" else (await book.open()).id
    if taken == "started":
        await book.dispatch.started([job_id])
    elif taken != "running":
        hold = "15 s" if taken == "claimed" else "-1 s"
        claim = f"UPDATE jobs SET fair_rank = 1, claimed_until = now() + interval '{hold}' WHERE id = $1"
        await book.database.execute(claim, job_id)
    assert await cancel(book, job_id)
    row = await book.row(job_id)
    assert row.status in OPEN
    assert row.cancel_requested_at is not None
    assert await cancel(book, job_id)
    assert (await book.told(job_id)).count(("cancel_requested", "")) == 1
    turn = await book.dispatch.claim(100)
    starts = [one.id for one in turn.starts if one.cancel_requested]
    expected = {"claimed": ([], []), "claim ran out": ([job_id], [])}.get(taken, ([], [job_id]))
    assert (starts, list(turn.cancels)) == expected
    await book.end(job_id, Status.CANCELED)


async def test_the_first_to_cancel_is_remembered(book: Book) -> None:
    job_id = await book.running()
    assert await cancel(book, job_id)
    assert await book.jobs.cancel(job_id, reason="me too", by="bob")
    await book.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED), canceled_by="temporal-cli")
    assert (await book.row(job_id)).cancel_requested_by == "alice"


async def test_who_canceled_in_the_engine_is_told_when_nobody_asked_here(book: Book) -> None:
    job_id = await book.running()
    await book.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED), canceled_by="temporal-cli")
    assert (await book.row(job_id)).cancel_requested_by == "temporal-cli"
    assert (await book.told(job_id))[-2:] == [("cancel_requested", ""), ("job", "canceled")]


async def test_a_start_hears_of_a_cancel_that_came_meanwhile(book: Book) -> None:
    quiet, canceled = (await book.open()).id, (await book.open()).id
    await book.database.execute("UPDATE jobs SET claimed_until = now() WHERE id = $1", canceled)
    assert await cancel(book, canceled)
    assert await book.dispatch.started([quiet, canceled]) == [canceled]
    await book.dispatch.cancel_sent(canceled)
    assert await book.dispatch.started([quiet, canceled]) == []


@pytest.mark.parametrize("first", ["cancel", "claim"])
async def test_cancel_and_claim_at_once_leave_no_job_that_nobody_ends(book: Book, first: str) -> None:
    """Either the cancel ends the row and nobody claims it, or it is carried: never canceled here and started there."""
    jobs = [(await book.open()).id for _ in range(30)]
    claimed: set[UUID] = set()

    async def claim() -> None:
        claimed.update(one.id for one in (await book.dispatch.claim(10)).starts)

    async def end(job_id: UUID) -> None:
        await cancel(book, job_id)

    cancels, claims = [end(job_id) for job_id in jobs], [claim() for _ in range(4)]
    await asyncio.gather(*(cancels + claims if first == "cancel" else claims + cancels))
    for job_id in jobs:
        assert ((await book.row(job_id)).status == Status.CANCELED) == (job_id not in claimed)
        await book.end(job_id, Status.CANCELED)
