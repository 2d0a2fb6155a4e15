"""Waitpoints are left once, whoever comes at the same time, and are told until somebody has heard."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from domain.errors import JobClosed
from domain.job import Failure, Status
from domain.keyring import digest
from domain.waiting import Look, waitpoint_of
from ledger.waitpoints import StepWait, Waitpoint, Waitpoints
from tests.ledger.book import EPOCH, Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = timedelta(hours=1)
NO = Failure(code="task_failed", message="no")


@pytest_asyncio.fixture(loop_scope="module")
async def points(book: Book) -> Waitpoints:
    """Nobody waits yet."""
    await book.database.execute("DELETE FROM waitpoints")
    return Waitpoints(book.database)


async def opened(points: Waitpoints, job_id: UUID, *, reset: int = 0, within: timedelta = HOUR) -> Waitpoint:
    """The wait of the job's step `one`; `reset` counts how often its activity was scheduled anew."""
    wait = StepWait(job_id, "one", EPOCH + timedelta(seconds=reset))
    return await points.open(waitpoint_of(job_id, "one"), token="t", about="somebody", within=within, wait=wait)


async def events(book: Book, job_id: UUID) -> list[tuple[int, str, str | None]]:
    return [(event.seq, event.type, event.data.get("status")) for event in await book.events.after(job_id)]


async def test_one_of_many_answers_counts(book: Book, points: Waitpoints) -> None:
    job_id = await book.running()
    point = await opened(points, job_id)
    landed = await asyncio.gather(
        *(points.resolve(point.id, "completed", output=n, by=f"caller {n}") for n in range(10)),
        points.settle(Look(waitpoint=point.id, overdue=False)),
    )
    *resolved, _ = landed
    assert resolved.count(True) == 1
    stands = await points.get(point.id)
    assert stands is not None
    assert (stands.status, stands.output, stands.resolved_by) == (
        "completed",
        resolved.index(True),
        f"caller {resolved.index(True)}",
    )
    assert [event for event in await events(book, job_id) if event[1] == "resolved"] == [(4, "resolved", "completed")]


async def test_an_answer_and_the_deadline_agree_on_what_stands(book: Book, points: Waitpoints) -> None:
    for _ in range(30):
        job_id = await book.running()
        point = await opened(points, job_id)
        landed, settled = await asyncio.gather(
            points.resolve(point.id, "completed", output="yes", by="somebody"),
            points.settle(Look(waitpoint=point.id, overdue=True)),
        )
        stands = await points.get(point.id)
        assert stands is not None
        assert stands.status == settled.status == ("completed" if landed else "timed_out")


async def test_the_step_ends_with_what_stands_and_its_output_is_kept(book: Book, points: Waitpoints) -> None:
    job_id = await book.running()
    point = await opened(points, job_id)
    await points.announce(point.id)
    await points.announce(point.id)
    assert (await points.settle(Look(waitpoint=point.id))).status == "waiting"
    await points.resolve(point.id, "completed", output={"rows": [1, None]}, by="somebody")
    for _ in range(2):
        settled = await points.settle(Look(waitpoint=point.id))
        assert (settled.status, settled.output) == ("completed", {"rows": [1, None]})
    assert await events(book, job_id) == [
        (1, "job", "queued"),
        (2, "job", "running"),
        (3, "step", "running"),
        (4, "waiting", None),
        (5, "resolved", "completed"),
        (6, "step", "completed"),
    ]
    again = await book.steps.start(at(job_id, reset=1))
    assert (again.stored, again.output) == (True, {"output": {"rows": [1, None]}})
    assert not await points.to_tell(10), "who has settled has heard"


async def test_a_failed_wait_is_a_failed_attempt(book: Book, points: Waitpoints) -> None:
    job_id = await book.running()
    point = await opened(points, job_id)
    await points.resolve(point.id, "failed", error=NO, by="somebody")
    settled = await points.settle(Look(waitpoint=point.id))
    assert (settled.status, settled.error) == ("failed", NO)
    row = await book.jobs.get(job_id)
    assert row is not None
    assert (row.steps[0].status, row.steps[0].attempt) == ("failed", 1)
    assert row.steps[0].error == NO.model_copy(update={"step": "one"})


async def test_nobody_waits_in_a_job_that_has_ended(book: Book, points: Waitpoints) -> None:
    job_id = await book.running()
    point = await opened(points, job_id)
    await book.end(job_id, Status.CANCELED)
    assert not await points.resolve(point.id, "completed", output=1, by="somebody")
    stands = await points.get(point.id)
    assert stands is not None
    assert stands.status == "canceled"
    await points.settle(Look(waitpoint=point.id, overdue=True))
    row = await book.jobs.get(job_id)
    assert row is not None
    assert row.steps[0].error is not None
    assert row.steps[0].error.code == "canceled"


async def test_attempts_share_a_waitpoint_and_a_step_scheduled_anew_waits_anew(book: Book, points: Waitpoints) -> None:
    job_id = await book.running()
    first = await opened(points, job_id)
    assert await opened(points, job_id, within=2 * HOUR) == first
    await points.resolve(first.id, "failed", error=NO, by="somebody")
    assert (await opened(points, job_id)).status == "failed", "the same attempt's failure stays"
    anew = await opened(points, job_id, reset=1)
    assert (anew.id, anew.status, anew.error, anew.resolved_by) == (first.id, "waiting", None, None)
    assert not await points.to_tell(10), "the old failure is not told any more"
    await points.resolve(first.id, "completed", output=1, by="somebody")
    assert (await opened(points, job_id, reset=2)).status == "completed", "an answer is kept"


async def test_a_wait_needs_its_job(points: Waitpoints) -> None:
    with pytest.raises(JobClosed):
        await opened(points, uuid4())


async def test_a_wait_that_was_not_needed_is_forgotten_but_not_its_answer(book: Book, points: Waitpoints) -> None:
    point = await opened(points, await book.running())
    await points.forget(point.id)
    assert await points.get(point.id) is None
    point = await opened(points, await book.running())
    await points.resolve(point.id, "completed", output=1, by="somebody")
    await points.forget(point.id)
    assert await points.get(point.id) is not None


async def test_one_that_stands_alone_times_out_by_itself(points: Waitpoints, book: Book) -> None:
    point = await points.open(uuid4(), token="t", about="", within=HOUR)
    assert point.token_hash == digest("t")
    await book.database.execute("UPDATE waitpoints SET expires_at = now() WHERE id = $1", point.id)
    assert not await points.resolve(point.id, "completed", output=1, by="somebody")
    stands = await points.get(point.id)
    assert stands is not None
    assert stands.status == "timed_out"


async def test_what_is_claimed_to_be_told_is_told_by_one(book: Book, points: Waitpoints) -> None:
    jobs = [await book.running() for _ in range(6)]
    for job_id in jobs:
        await points.resolve((await opened(points, job_id)).id, "completed", output=1, by="somebody")
    claims = await asyncio.gather(*(points.to_tell(2) for _ in range(6)))
    told = [job_id for claim in claims for _, job_id in claim]
    assert sorted(told) == sorted(jobs)
    ids = [waitpoint for claim in claims for waitpoint, _ in claim]
    await points.told(ids[:1])
    await book.end(told[1])
    await points.tell_later(ids, 0)
    assert {job_id for _, job_id in await points.to_tell(10)} == set(told[2:])


async def test_looking_for_what_to_tell_costs_nothing_in_a_full_table(book: Book, points: Waitpoints) -> None:
    await book.database.execute(
        """INSERT INTO waitpoints (id, token_hash, status, resolved_at, expires_at)
        SELECT gen_random_uuid(), '', 'completed', now(), now() FROM generate_series(1, 5000)"""
    )
    await book.database.execute("ANALYZE waitpoints")
    query = "SELECT id FROM waitpoints WHERE tell_after <= now() ORDER BY tell_after LIMIT 20 FOR UPDATE SKIP LOCKED"
    [row] = await book.database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
    found: Any = row[0]
    plan = json.dumps(json.loads(found) if isinstance(found, str) else found)
    assert "waitpoints_to_tell" in plan
    assert "Seq Scan" not in plan
