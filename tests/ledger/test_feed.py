"""An owner's events across transactions: each once, none lost, whoever commits when."""

import asyncio
from uuid import UUID, uuid4

import pytest

from domain.job import Status
from ledger import feed
from ledger.feed import Feed, Position
from tests.ledger.book import Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def told(book: Book, owner: str, since: Position, limit: int = 500) -> tuple[list[tuple[UUID, int]], Position]:
    """(job, number) of everything after `since`, and the position after it."""
    await quiet(book)
    return await heard(book, owner, since, limit)


async def quiet(book: Book) -> None:
    """Wait for the server's own transactions: those of autovacuum hold a feed up for a moment."""
    async with asyncio.timeout(30):
        while await book.value("SELECT pg_snapshot_xmin(s) < pg_snapshot_xmax(s) FROM pg_current_snapshot() s"):
            await asyncio.sleep(0.01)


async def heard(book: Book, owner: str, since: Position, limit: int = 500) -> tuple[list[tuple[UUID, int]], Position]:
    found: list[tuple[UUID, int]] = []
    while True:
        portion = await Feed(book.database).after(owner, since, limit=limit)
        assert [position for position, _ in portion.events] == sorted(position for position, _ in portion.events)
        found += [(event.job_id, event.seq) for _, event in portion.events]
        since = portion.reached
        if not portion.more:
            return found, since


async def life(book: Book, owner: str) -> UUID:
    """A job from its beginning to its end: five events."""
    job_id = await book.running(owner=owner)
    await book.steps.end(at(job_id), "completed", output="{}")
    await book.end(job_id)
    return job_id


async def test_an_owners_jobs_are_told_in_order_and_nobody_elses(book: Book) -> None:
    ann, bob = uuid4().hex, uuid4().hex
    since = await Feed(book.database).now()
    first = await life(book, ann)
    await life(book, bob)
    second = await life(book, ann)
    events, reached = await told(book, ann, since)
    assert events == [(job_id, seq) for job_id in (first, second) for seq in range(1, 6)]
    assert (await told(book, ann, reached))[0] == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_a_reader_goes_on_after_any_event(book: Book, limit: int) -> None:
    ann = uuid4().hex
    since = await Feed(book.database).now()
    first, second = await life(book, ann), await life(book, ann)
    whole = [(job_id, seq) for job_id in (first, second) for seq in range(1, 6)]
    assert (await told(book, ann, since, limit))[0] == whole
    await quiet(book)
    portion = await Feed(book.database).after(ann, since)
    for number, (position, _) in enumerate(portion.events, 1):
        kept = Position.read(str(position))
        assert kept is not None
        assert kept == position
        assert (await told(book, ann, kept))[0] == whole[number:]


async def test_nothing_is_told_above_a_transaction_that_is_still_open(book: Book) -> None:
    """The slower of two transactions has the lower number: a reader that had gone past it would lose its event."""
    ann = uuid4().hex
    slow, quick = await book.running(owner=ann), await book.running(owner=ann)
    await quiet(book)
    since = await Feed(book.database).now()
    async with book.in_between() as transaction:
        await transaction.execute(
            """WITH bumped AS (UPDATE jobs SET event_seq = event_seq + 1 WHERE id = $1 RETURNING id, event_seq)
            INSERT INTO job_events (job_id, seq, type, data) SELECT id, event_seq, 'changed', '{}' FROM bumped""",
            slow,
        )
        await book.end(quick, Status.CANCELED)
        before, reached = await heard(book, ann, since)
        assert before == [], "the quick one has committed, the slow one has not"
        again, reached = await heard(book, ann, reached)
        assert again == []
    events, _ = await told(book, ann, reached)
    assert events == [(slow, 4), (quick, 4), (quick, 5)]


async def test_a_reader_that_was_long_away_goes_on_in_portions(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WINDOW", 2)
    ann = uuid4().hex
    since = await Feed(book.database).now()
    first = await life(book, ann)
    for _ in range(3):
        await life(book, uuid4().hex)
    second = await life(book, ann)
    await quiet(book)
    portion = await Feed(book.database).after(ann, since)
    assert portion.more
    assert portion.reached.tx == since.tx + 2
    events, _ = await told(book, ann, since)
    assert events == [(job_id, seq) for job_id in (first, second) for seq in range(1, 6)]


@pytest.mark.parametrize("text", ["", "7", "a-b-c", "1-2", f"1-{'0' * 32}-x", "1-2-3-4"])
async def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.read(text) is None


async def test_the_feed_reads_by_its_index_however_long_the_history(book: Book) -> None:
    async with book.in_between() as transaction:
        await transaction.execute(
            """INSERT INTO jobs (id, kind, owner, status, payload, plan, max_duration_seconds)
            SELECT gen_random_uuid(), 'toy', 'many', 'queued', '{}', '[]', 60 FROM generate_series(1, 2000);
            INSERT INTO job_events (job_id, seq, type, data, tx)
            SELECT id, n, 'job', '{"status": "queued"}', n::text::xid8 FROM jobs, generate_series(100, 110) n
            WHERE owner = 'many'"""
        )
        await transaction.execute("ANALYZE jobs; ANALYZE job_events")
        query = feed.sql("feed")
        for number, value in enumerate(("'many'", "900000", f"'{uuid4()}'", "0", "20000", "500"), 1):
            query = query.replace(f"${number}", value)
        plan = "\n".join(row[0] for row in await transaction.fetch(f"EXPLAIN {query}"))
    assert "job_events_by_tx" in plan
    assert "Seq Scan" not in plan
