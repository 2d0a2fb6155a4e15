"""What is told of a job is committed with its status: to whom, once, and by whom it is carried."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from domain.job import Failure, Status
from domain.telling import EVENTS, new_secret
from ledger.database import Database, sql
from ledger.deliveries import Attempt, Claim, Deliveries
from ledger.webhooks import Webhook, Webhooks
from tests.ledger.book import Book, at
from tests.ledger.test_plans import assert_narrow, plan
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADDRESS = "https://app.example.com/hook"
Told = list[tuple[str, str, str]]


async def endpoint(book: Book, owner: str, *events: str) -> Webhook:
    return await Webhooks(book.database).create(owner, ADDRESS, events or EVENTS, new_secret())


async def told(book: Book, job_id: UUID) -> Told:
    """(event, channel, status) of what is to be told of a job."""
    found = await Deliveries(book.database).of_job(job_id)
    assert all(one.event_id == f"evt_{job_id.hex}_{one.event.removeprefix('job.')}" for one in found)
    return sorted((one.event, one.channel, one.status) for one in found)


def events(found: Told) -> list[str]:
    return [event for event, _, _ in found]


async def claimed(book: Book, job_id: UUID) -> list[Claim]:
    """The claims on a job's deliveries; those of other tests' jobs are taken on the way."""
    return [claim for claim in await Deliveries(book.database).claim(1000) if claim.receiver == job_id]


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.COMPLETED, "job.completed"),
        (Status.FAILED, "job.failed"),
        (Status.TIMED_OUT, "job.failed"),
        (Status.CANCELED, "job.canceled"),
    ],
)
async def test_beginning_and_end_are_told_once(book: Book, status: Status, event: str) -> None:
    owner = uuid4().hex
    await endpoint(book, owner)
    job_id = await book.running(owner=owner)
    await book.steps.start(at(job_id, 2))
    await book.steps.start(at(job_id, activity_id="two"))
    assert events(await told(book, job_id)) == ["job.started"]
    await book.end(job_id, status)
    await book.end(job_id, Status.FAILED)
    assert events(await told(book, job_id)) == sorted(["job.started", event])


async def test_a_job_that_nobody_began_tells_its_end_alone(book: Book) -> None:
    owner = uuid4().hex
    await endpoint(book, owner)
    canceled, expired = await book.open(owner=owner), await book.open(owner=owner)
    assert await book.jobs.cancel(canceled.id, reason=None, by="ann")
    await book.end(expired.id, Status.EXPIRED, error=Failure(code="expired", message="too late"))
    assert events(await told(book, canceled.id)) == ["job.canceled"]
    assert events(await told(book, expired.id)) == ["job.expired"]


async def test_a_cancel_on_its_way_is_no_end(book: Book) -> None:
    owner = uuid4().hex
    await endpoint(book, owner)
    job_id = await book.running(owner=owner)
    assert await book.jobs.cancel(job_id, reason=None, by="ann")
    assert events(await told(book, job_id)) == ["job.started"]


async def test_a_cached_answer_is_told_too(book: Book) -> None:
    owner, key = uuid4().hex, uuid4().hex
    await endpoint(book, owner)
    first = await book.running(owner=owner, cache_key=key)
    await book.end(first, result={"said": "yes"})
    hit = await book.open(owner=owner, cache_key=key)
    assert hit.status == Status.COMPLETED
    assert events(await told(book, hit.id)) == ["job.completed"]


async def test_each_endpoint_hears_of_its_own(book: Book) -> None:
    owner, other = uuid4().hex, uuid4().hex
    for whose, wanted in ((owner, EVENTS), (owner, ("job.failed",)), (other, EVENTS)):
        await endpoint(book, whose, *wanted)
    disabled = await endpoint(book, owner)
    await Webhooks(book.database).change(disabled.id, active=False)
    job_id = await book.running(owner=owner)
    await book.end(job_id)
    assert events(await told(book, job_id)) == ["job.completed", "job.started"]
    everybodys = await endpoint(book, "", "job.canceled")
    for job in (await book.open(), await book.open(owner=owner)):
        await book.jobs.cancel(job.id, reason=None, by="ann")
    heard = await Deliveries(book.database).list(everybodys.id, limit=9)
    assert len(heard) == 2
    await Webhooks(book.database).delete(everybodys.id)
    assert len(await Deliveries(book.database).list(everybodys.id, limit=9)) == 2, "what was told stays told"


async def test_a_jobs_own_addresses_are_told(book: Book) -> None:
    job_id = await book.running(webhook=ADDRESS, email="ann@example.com")
    await book.end(job_id)
    pending = "pending"
    assert await told(book, job_id) == [
        ("job.completed", "email", pending),
        ("job.completed", "webhook", pending),
        ("job.started", "webhook", pending),
    ]
    quiet = await book.running(email="ann@example.com")
    await book.end(quiet, Status.CANCELED)
    assert await told(book, quiet) == []


async def test_nothing_is_told_of_what_was_rolled_back(book: Book) -> None:
    job_id = await book.running(webhook=ADDRESS)
    async with book.database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.fetch(sql("finish"), job_id, "completed", None, None, None, None)
        assert await connection.fetchval("SELECT count(*) FROM deliveries WHERE job_id = $1", job_id) == 2
        await transaction.rollback()
    assert events(await told(book, job_id)) == ["job.started"]
    assert (await book.row(job_id)).status == Status.RUNNING


async def test_claims_are_skipped_by_others_and_run_out(book: Book) -> None:
    job_id = await book.running(webhook=ADDRESS)
    takes = await asyncio.gather(*(claimed(book, job_id) for _ in range(5)))
    [claim] = [claim for take in takes for claim in take]
    assert claim.event == "job.started"
    assert await claimed(book, job_id) == []
    await book.database.execute("UPDATE deliveries SET look_at = now() WHERE id = $1", claim.id)
    [again] = await claimed(book, job_id)
    assert again.id == claim.id


async def test_what_was_handed_over_is_looked_at_only_when_it_is_overdue(book: Book) -> None:
    deliveries = Deliveries(book.database)
    job_id = await book.running(webhook=ADDRESS)
    [claim] = await claimed(book, job_id)
    await deliveries.handed([claim])
    assert 560 < await overdue(book, claim.id) < 610
    due = await deliveries.due(claim.id)
    assert due is not None
    await deliveries.record(due, Attempt(500, "http_500", 3, None, wait=1000))
    assert 1560 < await overdue(book, claim.id) < 1610


async def overdue(book: Book, delivery_id: UUID) -> float:
    row = await book.database.row(
        "SELECT extract(epoch FROM look_at - now())::float8 AS s FROM deliveries WHERE id = $1", delivery_id
    )
    assert row is not None
    return row["s"]


async def test_a_resend_during_a_hand_over_is_not_forgotten(book: Book) -> None:
    deliveries, owner = Deliveries(book.database), uuid4().hex
    made = await endpoint(book, owner, "job.started")
    await book.running(owner=owner)
    [claim] = [claim for claim in await deliveries.claim(1000) if claim.receiver == made.id]
    assert await deliveries.resend(made.id, claim.id)
    await deliveries.handed([claim])
    assert [one.id for one in await deliveries.claim(1000) if one.receiver == made.id] == [claim.id]


async def test_an_attempt_is_recorded_once(book: Book) -> None:
    deliveries = Deliveries(book.database)
    job_id = await book.running(webhook=ADDRESS)
    [claim] = await claimed(book, job_id)
    due = await deliveries.due(claim.id)
    assert due is not None
    attempt = Attempt(500, "http_500", 3, None, wait=500)
    await deliveries.record(due, attempt)
    await deliveries.record(due, attempt)
    await deliveries.record(due, Attempt(200, None, 3, "delivered"))
    [delivery] = await deliveries.of_job(job_id)
    assert (delivery.status, [made["number"] for made in delivery.log]) == ("pending", [1])
    later = await deliveries.due(claim.id)
    assert later is not None
    assert (later.attempts, later.tries) == (1, 1)
    assert 460 < later.wait <= 500


async def test_gone_disables_only_the_address_that_said_so(book: Book) -> None:
    deliveries, webhooks, owner = Deliveries(book.database), Webhooks(book.database), uuid4().hex
    made = await endpoint(book, owner, "job.started")
    await book.running(owner=owner)
    [delivery] = await deliveries.list(made.id, limit=2)
    due = await deliveries.due(delivery.id)
    assert due is not None
    await webhooks.change(made.id, url=f"{ADDRESS}/moved")
    await deliveries.record(due, Attempt(410, "http_410", 3, "failed", gone="gone"))
    moved = await webhooks.get(made.id)
    assert moved is not None
    assert moved.status == "active"


@pytest_asyncio.fixture(loop_scope="module")
async def busy(postgres_url: str, template: str) -> AsyncGenerator[Database]:
    """10,000 deliveries of 5,000 jobs to 500 endpoints, of which 20 are pending."""
    fill = """
    INSERT INTO webhooks (id, owner, url, events, secret)
    SELECT gen_random_uuid(), 'owner' || n, 'https://app.example.com/', '{job.started,job.completed}', 's'
    FROM generate_series(1, 500) n;
    INSERT INTO jobs (id, kind, owner, status, payload, plan, max_duration_seconds, finished_at, started_at)
    SELECT gen_random_uuid(), 'toy', 'owner' || n % 500, 'completed', '{}', '[]', 60, now(), now()
    FROM generate_series(1, 5000) n;
    INSERT INTO deliveries (event_id, event, job_id, channel, webhook_id, status, finished_at, look_at)
    SELECT 'evt_' || j.id || e, e, j.id, 'webhook', w.id, 'delivered', now(), now()
    FROM jobs j JOIN webhooks w ON w.owner = j.owner, unnest('{job.started,job.completed}'::text[]) e;
    INSERT INTO delivery_attempts (delivery_id, number, status_code, duration_ms) SELECT id, 1, 200, 5 FROM deliveries;
    UPDATE deliveries SET status = 'pending', finished_at = NULL WHERE id IN (SELECT id FROM deliveries LIMIT 20);
    ANALYZE"""
    async with cloned(postgres_url, template, fresh=True) as url:
        database = Database(url)
        async with database.acquire() as connection:
            await connection.execute(fill)
        yield database
        await database.close()


async def test_the_outbox_and_the_lists_read_what_they_need(busy: Database) -> None:
    claim = """UPDATE deliveries SET look_at = now() WHERE id IN (SELECT id FROM deliveries
        WHERE status = 'pending' AND look_at <= now() ORDER BY look_at LIMIT 10 FOR UPDATE SKIP LOCKED)"""
    assert_narrow(await plan(busy, claim), 40)
    row = await busy.row("SELECT job_id, webhook_id FROM deliveries LIMIT 1")
    assert row is not None
    listed = sql("list_deliveries")
    newest = listed + "WHERE d.webhook_id = $1 ORDER BY d.created_at DESC, d.id DESC LIMIT 5"
    assert_narrow(await plan(busy, newest, row["webhook_id"]), 30)
    assert_narrow(await plan(busy, listed + "WHERE d.job_id = $1", row["job_id"]), 5)
    receivers = (
        "SELECT id FROM webhooks w WHERE status = 'active' AND owner IN ('', $1) AND 'job.started' = ANY (events)"
    )
    assert_narrow(await plan(busy, receivers, "owner7"), 5)
