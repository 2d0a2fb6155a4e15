"""Calls with one debounce key, while a job waits and when it waits no longer."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import IdempotencyConflict
from ledger.rows import Opened
from tests.ledger.book import Book, new_job

pytestmark = pytest.mark.asyncio(loop_scope="module")


def asked(key: str, seconds: float = 60, **given: Any) -> dict[str, Any]:
    start = datetime.now(UTC) + timedelta(seconds=seconds)
    return {"debounce_key": key, "debounce_seconds": seconds, "not_before": start, **given}


async def starts_after(book: Book, job_id: UUID, moment: str) -> float:
    """How long after that moment of its row, whenever that is looked at."""
    return await book.value(f"SELECT extract(epoch FROM not_before - {moment})::float8 FROM jobs WHERE id = $1", job_id)


async def starts_in(book: Book, job_id: UUID) -> float:
    return await book.value("SELECT extract(epoch FROM not_before - now())::float8 FROM jobs WHERE id = $1", job_id)


async def age(book: Book, job_id: UUID, seconds: float) -> None:
    """As if the job had been asked for so long ago."""
    back = "- make_interval(secs => $2)"
    await book.database.execute(
        f"UPDATE jobs SET created_at = created_at {back}, not_before = not_before {back}, start_by = start_by {back} "
        "WHERE id = $1",
        job_id,
        seconds,
    )


async def test_a_further_call_pushes_the_start_and_answers_the_waiting_job(book: Book) -> None:
    first = await book.open(**asked("push", start_by=datetime.now(UTC) + timedelta(seconds=100)))
    assert (first.why, first.status) == ("opened", "delayed")
    await age(book, first.id, 50)
    assert await starts_in(book, first.id) < 11

    again = await book.open(**asked("push"), payload={"a": 2})

    assert again == Opened(first.id, first.status, "waiting")
    assert await starts_after(book, first.id, "updated_at") == 60
    left = await book.value(
        "SELECT extract(epoch FROM start_by - not_before)::float8 FROM jobs WHERE id = $1", first.id
    )
    assert left == pytest.approx(40, abs=1), "the time that a start may take is kept"
    assert (await book.row(first.id)).payload == {"a": 1}, "leading keeps the first payload"


async def test_trailing_takes_the_newest_payload(book: Book) -> None:
    first = await book.open(**asked("trail"), title="first", cache_key="c1", active_key="a1")
    newest = asked("trail", debounce_trailing=True, title="newest", cache_key="c2", active_key="a2")
    await book.open(**newest, payload={"a": 2})
    row = await book.row(first.id)
    assert (row.payload, row.title) == ({"a": 2}, "newest")
    assert await book.value("SELECT (cache_key, active_key) FROM jobs WHERE id = $1", first.id) == ("c2", "a2")


async def test_a_start_is_pushed_to_ten_times_the_delay_and_never_forward(book: Book) -> None:
    first = await book.open(**asked("bound", 10))
    await age(book, first.id, 95)
    await book.open(**asked("bound", 10))
    assert await starts_after(book, first.id, "created_at") == 100

    long = await book.open(**asked("never-forward", 600))
    await book.open(**asked("never-forward", 1))
    assert await starts_after(book, long.id, "created_at") > 590


async def test_the_key_is_one_of_kind_and_owner(book: Book) -> None:
    ways = ({}, {"owner": "ann"}, {"kind": "other"}, {"debounce_key": "another"})
    opened = [await book.open(**(asked("mine") | way)) for way in ways]
    assert len({one.id for one in opened}) == 4


async def test_a_job_that_is_claimed_or_has_ended_is_left_alone(book: Book) -> None:
    for change in (
        "claimed_until = now()",
        "claimed_until = now(), engine_started_at = now()",
        "status = 'canceled', finished_at = now()",
    ):
        key = uuid4().hex
        first = await book.open(**asked(key))
        await book.database.execute(f"UPDATE jobs SET {change} WHERE id = $1", first.id)
        assert (await book.open(**asked(key))).why == "opened"


async def test_first_calls_that_race_open_one_job(book: Book) -> None:
    for keyed in (False, True):
        key = uuid4().hex
        calls = [
            book.open(
                **asked(key, debounce_trailing=True), payload={"n": n}, idempotency_key=f"{key}{n}" if keyed else None
            )
            for n in range(12)
        ]
        opened = await asyncio.gather(*calls)
        assert len({one.id for one in opened}) == 1
        assert [one.why for one in opened].count("opened") == 1
        assert await book.value("SELECT count(*) FROM jobs WHERE debounce_key = $1", key) == 1


async def test_a_call_that_loses_the_race_still_brings_its_payload(book: Book) -> None:
    key = uuid4().hex
    async with book.in_between() as transaction:
        await transaction.execute(
            """INSERT INTO jobs (id, kind, status, payload, plan, max_duration_seconds, not_before, debounce_key)
            VALUES ($1, 'toy', 'delayed', '{}', '[]', 60, now() + interval '1 minute', $2)""",
            winner := uuid4(),
            key,
        )
        losing = await book.waiting(book.open(**asked(key, debounce_trailing=True), payload={"newest": True}))
    assert (await losing).id == winner
    assert (await book.row(winner)).payload == {"newest": True}


async def test_calls_of_one_batch_meet_each_other_in_their_order(book: Book) -> None:
    key = uuid4().hex
    batch = [new_job(**asked(key, debounce_trailing=True), payload={"n": n}) for n in range(3)] + [new_job()]
    opened = await book.jobs.open(batch)
    assert [one.why for one in opened] == ["opened", "waiting", "waiting", "opened"]
    assert opened[0].id == opened[1].id == opened[2].id != opened[3].id
    assert (await book.row(opened[0].id)).payload == {"n": 2}


async def test_an_idempotency_key_of_a_joining_call_stands_for_the_waiting_job(book: Book) -> None:
    key = uuid4().hex
    first = await book.open(**asked(key))
    given = asked(key, idempotency_key=key, payload={"n": 1}, payload_hash="one")
    assert (await book.open(**given)).why == "waiting"
    await age(book, first.id, 30)
    again = await book.open(**given)
    assert (again.id, again.why) == (first.id, "key"), "the same request again pushes nothing"
    assert await starts_in(book, first.id) < 31
    with pytest.raises(IdempotencyConflict):
        await book.open(**given | {"payload_hash": "two"})
