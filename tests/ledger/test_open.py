"""Opening jobs: idempotency keys, joining, the cache, and all or nothing."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from domain.errors import IdempotencyConflict
from domain.job import Status
from domain.research import CompanyResearchRequest
from ledger.jobs import JobFilter, Jobs
from tests.ledger.book import Book, at, new_job
from workflows.catalog import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="module")


def key() -> str:
    return f"key-{uuid4()}"


async def test_a_known_key_answers_with_the_job_it_opened(book: Book) -> None:
    known = key()
    first = await book.open(idempotency_key=known)
    again = await book.open(idempotency_key=known)
    assert (first.why, again.why) == ("opened", "key")
    assert again.id == first.id


async def test_a_known_key_with_another_payload_is_refused(book: Book) -> None:
    known = key()
    await book.open(idempotency_key=known)
    refused = new_job(idempotency_key=known, payload={"a": 2})
    with pytest.raises(IdempotencyConflict):
        await book.jobs.open([refused])
    assert await book.jobs.get(refused.id) is None


@pytest.mark.parametrize("other", [{"kind": "another"}, {"owner": "bob"}])
async def test_a_key_belongs_to_a_kind_and_an_owner(book: Book, other: dict[str, Any]) -> None:
    known = key()
    first = await book.open(idempotency_key=known, owner="alice")
    second = await book.open(**({"idempotency_key": known, "owner": "alice"} | other))
    assert second.why == "opened"
    assert second.id != first.id


async def test_a_key_expires(book: Book) -> None:
    known = key()
    first = await book.open(idempotency_key=known, key_ttl_seconds=0.0)
    second = await book.open(idempotency_key=known, payload={"a": 2})
    assert (second.why, second.id != first.id) == ("opened", True)
    assert (await book.open(idempotency_key=known, payload={"a": 2})).id == second.id


@pytest.mark.parametrize(
    ("status", "ran", "freed"),
    [
        (Status.COMPLETED, True, False),
        (Status.FAILED, True, True),
        (Status.TIMED_OUT, True, True),
        (Status.EXPIRED, False, True),
        (Status.CANCELED, True, False),
        (Status.CANCELED, False, True),
    ],
)
async def test_which_ends_free_the_key(book: Book, status: Status, ran: bool, freed: bool) -> None:
    known = key()
    job_id = await book.running(idempotency_key=known) if ran else (await book.open(idempotency_key=known)).id
    await book.end(job_id, status)
    again = await book.open(idempotency_key=known)
    assert again.why == ("opened" if freed else "key")


async def test_a_cancel_before_the_start_frees_the_key(book: Book) -> None:
    known = key()
    first = await book.open(idempotency_key=known)
    assert await book.jobs.cancel(first.id, reason=None, by="alice")
    assert (await book.open(idempotency_key=known)).why == "opened"


async def test_fifty_at_once_with_one_key_are_one_job(book: Book) -> None:
    known = key()
    opened = await asyncio.gather(*(book.open(idempotency_key=known) for _ in range(50)))
    assert len({one.id for one in opened}) == 1
    assert Counter(one.why for one in opened) == {"opened": 1, "key": 49}


async def test_fifty_at_once_after_its_key_expired_are_one_job(book: Book) -> None:
    known = key()
    old = await book.open(idempotency_key=known, key_ttl_seconds=0.0)
    opened = await asyncio.gather(*(book.open(idempotency_key=known) for _ in range(50)))
    assert len({one.id for one in opened}) == 1
    assert opened[0].id != old.id


async def test_thirty_at_once_that_may_join_are_one_job(book: Book) -> None:
    active = key()
    opened = await asyncio.gather(*(book.open(active_key=active, joinable=True) for _ in range(30)))
    assert len({one.id for one in opened}) == 1
    assert Counter(one.why for one in opened) == {"opened": 1, "active": 29}


async def test_thirty_at_once_with_keys_of_their_own_still_join(book: Book) -> None:
    active = key()
    opened = await asyncio.gather(
        *(book.open(active_key=active, joinable=True, idempotency_key=key()) for _ in range(30))
    )
    assert len({one.id for one in opened}) == 1


async def test_only_who_may_join_joins_and_only_while_the_job_is_open(book: Book) -> None:
    active = key()
    first = await book.open(active_key=active)
    joined = await book.open(active_key=active, joinable=True)
    apart = await book.open(active_key=active)
    assert (joined.id, joined.why) == (first.id, "active")
    assert apart.id != first.id
    for one in (first, apart):
        await book.end(one.id, Status.CANCELED)
    assert (await book.open(active_key=active, joinable=True)).why == "opened"


async def completed(book: Book, cache_key: str, **end: Any) -> None:
    job_id = await book.running(cache_key=cache_key)
    await book.steps.end(at(job_id), "completed", output="1")
    await book.end(job_id, result={"words": 7, "cached": False}, **end)


async def test_a_fresh_result_answers_the_same_question_at_once(book: Book) -> None:
    question = key()
    await completed(book, question, answered_by="anthropic")
    hit = await book.open(cache_key=question)
    row = await book.row(hit.id)
    assert (hit.status, hit.why) == (Status.COMPLETED, "opened")
    assert row.result == {"words": 7, "cached": True}
    assert [step.status for step in row.steps] == ["skipped", "skipped"]
    assert row.progress.text == "2/2"
    assert await book.told(hit.id) == [("job", "completed")]


async def test_neither_an_old_result_nor_a_refreshed_question_is_answered_from_the_cache(book: Book) -> None:
    question = key()
    await completed(book, question)
    assert (await book.open(cache_key=question, fresh=True)).status == Status.QUEUED
    forgetful = Jobs(book.database, cache_for=timedelta(0))
    [opened] = await forgetful.open([new_job(cache_key=question)])
    assert opened.status == Status.QUEUED


async def test_a_hit_does_not_make_its_answer_live_longer(book: Book) -> None:
    question = key()
    await completed(book, question)
    hit = await book.open(cache_key=question)
    await book.database.execute(
        "UPDATE jobs SET finished_at = finished_at - interval '2 days' WHERE cache_key = $1", question
    )
    assert hit.status == Status.COMPLETED
    assert (await book.open(cache_key=question)).status == Status.QUEUED


async def test_a_lesser_result_is_never_kept_for_others(book: Book) -> None:
    offline, isolated, failed = key(), key(), key()
    await completed(book, offline, answered_by="offline")
    job_id = await book.running(cache_key=isolated)
    await book.steps.end(at(job_id), "fatal", error=None)
    await book.end(job_id, result={"words": 7})
    await book.end(await book.running(cache_key=failed), Status.FAILED)
    for question in (offline, isolated, failed):
        assert (await book.open(cache_key=question)).status == Status.QUEUED


async def test_owners_share_no_answers() -> None:
    [research] = [kind for kind in KINDS if kind.name == "company-research"]
    asked = CompanyResearchRequest(company_name="Stripe", role="Engineer")
    keys = {research.cache_key(asked, owner) for owner in ("", "alice", "bob")}
    assert len(keys) == 3
    assert research.cache_key(CompanyResearchRequest(company_name=" stripe ", role="ENGINEER"), "bob") in keys


async def test_a_thousand_are_opened_in_the_order_asked(book: Book) -> None:
    batch = uuid4()
    asked = [new_job(batch_id=batch, payload={"n": n}) for n in range(1000)]
    opened = await book.jobs.open(asked)
    assert [one.id for one in opened] == [one.id for one in asked]
    assert await book.value("SELECT count(DISTINCT xmin::text) FROM jobs WHERE batch_id = $1", batch) == 1
    assert len(await book.jobs.list(JobFilter(batch_id=batch), limit=2000)) == 1000


async def test_a_thousand_with_one_that_cannot_be_are_none(book: Book) -> None:
    batch, known = uuid4(), key()
    await book.open(idempotency_key=known)
    asked = [new_job(batch_id=batch) for _ in range(999)]
    with pytest.raises(asyncpg.CheckViolationError):
        await book.jobs.open([*asked, new_job(batch_id=batch, max_duration_seconds=-1)])
    assert await book.jobs.list(JobFilter(batch_id=batch)) == []


async def test_a_batch_that_meets_a_conflict_opens_nothing(book: Book) -> None:
    batch, known = uuid4(), key()
    await book.open(idempotency_key=known)
    conflict = new_job(batch_id=batch, idempotency_key=known, payload={"a": 2})
    with pytest.raises(IdempotencyConflict):
        await book.jobs.open([new_job(batch_id=batch), conflict])
    assert await book.jobs.list(JobFilter(batch_id=batch)) == []


async def test_one_key_twice_in_a_batch_is_one_job(book: Book) -> None:
    known = key()
    first, second = await book.jobs.open([new_job(idempotency_key=known), new_job(idempotency_key=known)])
    assert first.id == second.id
    assert sorted([first.why, second.why]) == ["key", "opened"]


async def test_one_key_twice_in_a_batch_with_two_payloads_is_refused(book: Book) -> None:
    known, batch = key(), uuid4()
    asked = [new_job(idempotency_key=known, batch_id=batch, payload={"n": n}) for n in range(2)]
    with pytest.raises(IdempotencyConflict):
        await book.jobs.open(asked)
    assert await book.jobs.list(JobFilter(batch_id=batch)) == []


async def test_twins_in_a_batch_that_may_join_are_one_job(book: Book) -> None:
    active = key()
    first, second = await book.jobs.open(
        [new_job(active_key=active, joinable=True, idempotency_key=key()) for _ in range(2)]
    )
    assert first.id == second.id


async def test_a_commit_repeated_with_its_id_is_the_same_job(book: Book) -> None:
    asked = [new_job(idempotency_key=key(), active_key=key(), joinable=True), new_job()]
    first = await book.jobs.open(asked)
    again = await book.jobs.open(asked)
    assert [(one.id, one.why) for one in again] == [(one.id, "opened") for one in first]
    assert [await book.told(one.id) for one in first] == [[("job", "queued")]] * 2
