"""Limits, fairness and order over real rows: who waits keeps the place, and no number of them slows a start down."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.admission import Limits
from domain.job import Status
from domain.waiting import waitpoint_of
from ledger.database import Database
from ledger.dispatch import TAKE, Dispatch
from ledger.lanes import LOCK
from ledger.queues import Queues
from ledger.waitpoints import StepWait, Waitpoints
from tests.ledger.book import EPOCH, Book, at, new_job


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


@pytest.fixture
def queues(book: Book) -> Queues:
    return Queues(book.database, in_flight=500)


async def start(book: Book, at_most: int = 20) -> list[UUID]:
    """Claim and mark as started, until nothing more is admitted."""
    found: list[UUID] = []
    while True:
        turn = await book.dispatch.claim(at_most)
        ids = [one.id for one in turn.starts]
        await book.dispatch.started(ids)
        found += ids
        if not turn.more:
            return found


async def owners(book: Book, ids: Sequence[UUID]) -> Counter[str]:
    return Counter([(await book.row(job_id)).owner for job_id in ids])


async def waiting(book: Book) -> int:
    return await book.value("SELECT count(*) FROM jobs WHERE status = 'queued' AND claimed_until IS NULL")


async def test_a_change_of_limits_waits_for_the_turn_that_is_under_way(book: Book, queues: Queues) -> None:
    """Both write a kind's lanes, each in an order of its own."""
    await queues.change("toy", Limits(per_owner=1))
    for _ in range(2):
        for owner in ("ann", "bob"):
            await book.open(owner=owner)
    await start(book)
    lanes = "SELECT array_agg(owner ORDER BY ctid) FROM lanes WHERE parked IS NOT NULL"
    first, last = await book.value(lanes)
    park = "UPDATE lanes SET parked = 'owner' WHERE owner = $1"
    async with book.in_between() as turn:
        assert await turn.fetchval(TAKE, LOCK, "60000ms")
        await turn.execute(park, last)
        change = await book.waiting(queues.change("toy", Limits(per_owner=2)))
        await turn.execute(park, first)
    await change
    assert await book.value(lanes) is None


@pytest.mark.parametrize(
    ("limits", "jobs", "admitted"),
    [
        (Limits(total=3), [{}] * 5, 3),
        (Limits(per_owner=2), [{"owner": "a"}] * 5 + [{"owner": "b"}], 3),
        (Limits(per_key=1), [{"owner": f"o{n}", "concurrency_key": "k"} for n in range(5)] + [{}], 2),
        (Limits(starts_per_minute=4), [{}] * 6, 4),
        (Limits(paused=True), [{}] * 2, 0),
        (
            Limits(total=4, per_owner=3, per_key=2),
            [{"owner": "a", "concurrency_key": "k"}] * 5 + [{"owner": "a"}] * 5 + [{"owner": "b"}] * 5,
            4,
        ),
    ],
)
async def test_over_a_limit_jobs_wait_and_start_when_it_is_lifted(
    book: Book, queues: Queues, limits: Limits, jobs: list[dict[str, Any]], admitted: int
) -> None:
    await queues.change("toy", limits)
    await book.jobs.open([new_job(**given) for given in jobs])
    assert len(await start(book)) == admitted
    assert await waiting(book) == len(jobs) - admitted
    await queues.change("toy", Limits())
    assert len(await start(book)) == len(jobs) - admitted
    assert await book.value("SELECT count(*) FROM lanes") == 0


async def test_a_free_slot_goes_to_the_first_that_waits_for_it(book: Book, queues: Queues) -> None:
    """Also where its owner's limit had put the lane away."""
    await queues.change("toy", Limits(per_owner=1))
    jobs = [new_job(owner="a", concurrency_key=str(n % 3), priority=4 - n % 2) for n in range(6)]
    for one in jobs:
        await book.jobs.open([one])
    order: list[UUID] = []
    for _ in jobs:
        [job_id] = await start(book)
        order.append(job_id)
        await book.end(job_id, Status.CANCELED)
    expected = sorted(range(6), key=lambda n: (jobs[n].priority, n))
    # the first was alone when it came
    assert order[1:] == [jobs[n].id for n in expected if jobs[n].id != order[0]]


async def test_a_backlog_delays_another_owner_by_a_slot(book: Book, queues: Queues) -> None:
    await queues.change("toy", Limits(total=1))
    await book.jobs.open([new_job(owner="many") for _ in range(700)])
    [running] = await start(book)
    await book.jobs.open([new_job(owner="few")])
    found: list[str] = []
    for _ in range(2):
        await book.end(running, Status.CANCELED)
        [running] = await start(book)
        found.append((await book.row(running)).owner)
    assert "few" in found


async def test_premium_weighs_four(book: Book, queues: Queues) -> None:
    await book.database.execute("INSERT INTO users (id, tier) VALUES ('rich', 'premium')")
    await queues.change("toy", Limits(paused=True))
    await book.jobs.open([new_job(owner=owner) for owner in ("poor", "rich") for _ in range(30)])
    await start(book)
    await queues.change("toy", Limits(total=20))
    assert await owners(book, await start(book)) == {"rich": 16, "poor": 4}


async def test_jobs_start_by_priority_however_many_came_before(book: Book, queues: Queues) -> None:
    await queues.change("toy", Limits(total=5))
    jobs = [new_job(priority=5) for _ in range(1200)]
    urgent = [new_job(priority=1) for _ in range(5)]
    await book.jobs.open([*jobs, *urgent])
    assert set(await start(book)) == {one.id for one in urgent}


async def test_a_delayed_job_starts_when_it_is_due(book: Book) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    opened = await book.open(not_before=later)
    assert opened.status == Status.DELAYED
    assert await start(book) == []
    await book.database.execute("UPDATE jobs SET not_before = now() WHERE id = $1", opened.id)
    assert await start(book) == [opened.id]


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_job_that_no_step_has_begun_in_time_expires(book: Book, queues: Queues, claimed: bool) -> None:
    await queues.change("toy", Limits(paused=not claimed))
    opened = await book.open(start_by=datetime.now(UTC) + timedelta(hours=1), idempotency_key="once")
    await start(book)
    await book.database.execute("UPDATE jobs SET start_by = now() WHERE id = $1", opened.id)
    assert await start(book) == []
    row = await book.row(opened.id)
    assert (row.status, row.error and row.error.code) == (Status.EXPIRED, "expired")
    assert (await book.told(opened.id))[-1] == ("job", "expired")
    assert (await book.open(idempotency_key="once")).why == "opened"


async def test_a_running_job_does_not_expire(book: Book) -> None:
    job_id = await book.running(start_by=datetime.now(UTC))
    await start(book)
    assert (await book.row(job_id)).status == Status.RUNNING


async def test_who_waits_is_told_the_place_and_the_limit_in_the_way(book: Book, queues: Queues) -> None:
    await queues.change("toy", Limits(per_owner=1))
    jobs = [new_job(owner="a") for _ in range(3)]
    for one in jobs:
        await book.jobs.open([one])
    await start(book)
    assert [await queues.place(await book.row(one.id)) for one in jobs] == [None, (0, "owner"), (1, "owner")]
    await queues.change("toy", Limits(paused=True))
    assert await queues.place(await book.row(jobs[1].id)) == (0, "paused")
    await queues.change("toy", Limits())
    assert await Queues(book.database, in_flight=1).place(await book.row(jobs[1].id)) == (0, "all")
    [queue] = await queues.all()
    assert (queue.waiting, queue.running, queue.delayed, queue.oldest is not None) == (2, 1, 0, True)


async def test_canceled_jobs_leave_their_lanes(book: Book, queues: Queues) -> None:
    await queues.change("toy", Limits(paused=True))
    jobs = [new_job(owner=f"o{n}") for n in range(50)]
    await book.jobs.open(jobs)
    await start(book)
    for one in jobs[:45]:
        await book.jobs.cancel(one.id, reason=None, by="alice")
    await queues.change("toy", Limits())
    assert set(await start(book)) == {one.id for one in jobs[45:]}
    assert await book.value("SELECT count(*) FROM lanes") == 0


async def test_a_job_that_waits_for_an_answer_from_outside_takes_no_place_from_others(book: Book) -> None:
    dispatch = Dispatch(book.database, in_flight=1)
    jobs = [new_job() for _ in range(2)]
    await book.jobs.open(jobs)
    [first] = [one.id for one in (await dispatch.claim(20)).starts]
    await dispatch.started([first])
    await book.steps.start(at(first))
    assert not (await dispatch.claim(20)).starts
    points, wait = Waitpoints(book.database), StepWait(first, "one", EPOCH)
    await points.open(waitpoint_of(first, "one"), token="t", about="somebody", within=timedelta(hours=1), wait=wait)
    await points.announce(waitpoint_of(first, "one"))
    assert len((await dispatch.claim(20)).starts) == 1
