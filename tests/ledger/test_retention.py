"""What is past its days loses its contents and keeps its row, in portions that wait for nobody."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.job import Status
from ledger.database import Database
from ledger.research import Research
from ledger.retention import Keep, Retention
from ledger.stats import Stats
from tests.ledger.book import Book, at
from tests.ledger.test_stats import TODAY, pay

MONTH = timedelta(days=30)
ALL = Keep(contents=MONTH, events=MONTH)


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


async def old(book: Book, days: int = 40, **given: Any) -> UUID:
    """A completed job with an output, a result and a paid answer, that ended so many days ago."""
    job_id = await book.running(title="Research Acme", email="ann@example.org", webhook="https://a.example/", **given)
    await book.steps.end(at(job_id), "completed", output='{"found": "Acme"}')
    await pay(book, job_id, "0.1")
    await book.database.execute('UPDATE spend SET answer = \'{"said": "Acme"}\' WHERE job_id = $1', job_id)
    await book.end(job_id, result={"about": "Acme"})
    await book.database.execute(
        "UPDATE jobs SET finished_at = now() - make_interval(days => $2) WHERE id = $1", job_id, days
    )
    return job_id


async def mentions(book: Book, word: str) -> int:
    """Rows of any table of the ledger in which the word stands."""
    tables = [row["table_name"] for row in await book.database.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'longrun' AND table_type = 'BASE TABLE'"
    )]  # fmt: skip
    return sum(
        [await book.value(f"SELECT count(*) FROM {name} t WHERE t::text LIKE $1", f"%{word}%") for name in tables]
    )


async def test_contents_go_and_the_row_stays(book: Book) -> None:
    job_id = await old(book, payload={"companyName": "Acme"}, tags=("kept",), owner="ann")
    await book.database.execute(
        "INSERT INTO research_evidence VALUES ($1, 'e1', 'one', 1, 'page', 'u', 't', 'Acme builds', 'about')", job_id
    )
    assert await mentions(book, "Acme") > 0

    assert (await Retention(book.database, ALL).run(60))["blanked"] == 1

    row = await book.row(job_id)
    assert (row.status, row.payload, row.result, row.title) == (Status.COMPLETED, {}, None, "")
    assert row.blanked_at is not None
    assert (row.tags, row.owner, row.usage["outputTokens"]) == (("kept",), "ann", 30)
    assert [step.status for step in row.steps] == ["completed", "skipped"]
    assert await mentions(book, "Acme") == 0
    assert await mentions(book, "example") == 0, "neither the address nor the URL that the job brought"
    assert await Research(book.database).read(job_id) == []


async def test_what_is_young_or_open_is_left_alone(book: Book) -> None:
    young, running = await old(book, days=29), await book.running(payload={"a": 1})
    await book.database.execute("UPDATE jobs SET created_at = now() - interval '1 year' WHERE id = $1", running)
    assert await Retention(book.database, ALL).run(60) == {"blanked": 0, "folded": 0, "keys": 0, "exports": 0}
    assert (await book.row(young)).result == {"about": "Acme"}
    assert (await book.row(running)).payload == {"a": 1}


async def test_for_ever_is_for_ever(book: Book) -> None:
    job_id = await old(book, days=4000)
    assert Keep.days(0, 0) == Keep()
    await Retention(book.database, Keep()).run(60)
    assert (await book.row(job_id)).result == {"about": "Acme"}


async def test_a_history_keeps_its_transitions_and_what_somebody_did(book: Book) -> None:
    job_id = await book.running()
    await book.steps.end(at(job_id), "completed")
    await book.jobs.cancel(job_id, reason=None, by="owner:ann")
    await book.end(job_id, Status.CANCELED)
    await book.database.execute("UPDATE jobs SET finished_at = now() - interval '40 days' WHERE id = $1", job_id)
    before = await book.events.after(job_id)

    for done in (1, 0):
        assert (await Retention(book.database, Keep(events=MONTH)).run(60))["folded"] == done
    after = await book.events.after(job_id)
    [fold] = [event for event in after if event.type == "folded"]
    steps = [event for event in before if event.type == "step"]
    assert (fold.seq, fold.at, fold.data["events"]) == (steps[0].seq, steps[0].at, len(steps))
    assert [event for event in after if event.type != "folded"] == [e for e in before if e.type != "step"]
    assert [event.data["by"] for event in after if event.type == "cancel_requested"] == ["owner:ann"]


async def test_portions_go_on_where_the_last_one_came_to_and_wait_for_nobody(book: Book) -> None:
    jobs = [await old(book, days=60 - number) for number in range(6)]
    retention = Retention(book.database, Keep(contents=MONTH), portion=2)
    async with book.in_between() as elsewhere:
        await elsewhere.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", jobs[2])
        assert (await retention.run(60))["blanked"] >= 2, "what is held is skipped, not waited for"
        assert (await book.row(jobs[2])).blanked_at is None
    assert (await retention.run(0))["blanked"] == 0, "no time, no work"
    await Retention(book.database, Keep(contents=MONTH), portion=2).run(60)
    assert all([(await book.row(job_id)).blanked_at for job_id in jobs])


async def test_a_blanked_result_answers_nobody_from_the_cache(book: Book) -> None:
    job_id = await old(book, cache_key="same", days=0)
    again = await book.open(cache_key="same")
    assert again.status == Status.COMPLETED, "still young"
    await book.database.execute("UPDATE jobs SET finished_at = now() - interval '1 hour' WHERE id = $1", job_id)
    await Retention(book.database, Keep(contents=timedelta(minutes=1))).run(60)
    assert (await book.open(cache_key="same")).status == Status.QUEUED


async def test_expired_keys_are_forgotten_and_figures_stay(book: Book) -> None:
    expired = await book.open(idempotency_key="a", key_ttl_seconds=0.0)
    await book.open(idempotency_key="b")
    await old(book)
    before = await Stats(book.database).read(TODAY)
    assert (await Retention(book.database, ALL).run(60))["keys"] == 1
    assert await book.value("SELECT array_agg(key) FROM idempotency_keys") == ["b"]
    assert (await book.row(expired.id)).idempotency_key == "a"
    assert await Stats(book.database).read(TODAY) == before
