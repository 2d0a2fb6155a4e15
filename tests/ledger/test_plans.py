"""The hot statements read what they need and no more, whatever else the table holds."""

import json
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from ledger.database import Database, named, sql
from tests.ledger.book import Book, new_job
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILL = """
INSERT INTO jobs (id, kind, owner, status, payload, plan, max_duration_seconds, active_key, cache_key, finished_at,
    started_at, created_at, engine_started_at, claimed_until, fair_rank, start_by, event_seq)
SELECT gen_random_uuid(), 'toy', 'owner' || n % 500, status, '{}', '[]', 60, 'a' || n, 'c' || n,
    CASE WHEN status = 'completed' THEN now() END, CASE WHEN status <> 'queued' THEN now() END,
    now() - make_interval(secs => n), CASE WHEN status <> 'queued' THEN now() END,
    CASE WHEN status <> 'queued' THEN now() END, CASE WHEN n % 1000 <> 5 THEN n END, now() + interval '1 day', 3
FROM (SELECT n, CASE WHEN n % 100 = 0 THEN 'running' WHEN n % 5 = 0 THEN 'queued' ELSE 'completed' END AS status
    FROM generate_series(1, 5000) n) numbered
"""
STEPS = """
INSERT INTO job_steps (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, finished_at)
SELECT id, step, step, 'completed', now(), 1, 3, now() FROM jobs, unnest('{one,two}'::text[]) step
"""
EVENTS = "INSERT INTO job_events (job_id, seq, type, data) SELECT id, n, 'job', '{}' FROM jobs, generate_series(1, 3) n"
KEYS = """
INSERT INTO idempotency_keys SELECT kind, owner, 'key ' || id, 'hash', id, now() + interval '1 day' FROM jobs
"""
LANES = """
INSERT INTO lanes SELECT kind, owner, concurrency_key, 3, min(fair_rank), max(fair_rank) FROM jobs
WHERE status = 'queued' AND fair_rank IS NOT NULL GROUP BY 1, 2, 3
UNION ALL SELECT 'other', 'owner' || n, '', 3, n, n FROM generate_series(1, 5000) n
"""
QUEUES = "INSERT INTO queues (kind) VALUES ('toy')"
USERS = "INSERT INTO users (id) SELECT 'owner' || n FROM generate_series(0, 1999) n"
READ_AT_MOST = 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(postgres_url: str, template: str) -> AsyncGenerator[Database]:
    """A ledger of 5,000 jobs: most are done, 950 wait, 50 run."""
    async with cloned(postgres_url, template, fresh=True) as url:
        database = Database(url)
        for statement in (FILL, STEPS, EVENTS, KEYS, LANES, QUEUES, USERS, "ANALYZE"):
            await database.execute(statement)
        yield database
        await database.close()


async def plan(database: Database, query: str, *args: Any) -> list[dict[str, Any]]:
    """The plan's nodes after running it, without keeping what it did."""
    async with database.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *args)
        await transaction.rollback()
    [answer] = rows
    found = answer[0]
    return list(nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


def read(node: dict[str, Any]) -> float:
    """Rows a scan touched, over all its loops."""
    return (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]


def assert_narrow(found: list[dict[str, Any]], at_most: float = READ_AT_MOST) -> None:
    scans = [node for node in found if "Relation Name" in node and "Scan" in node["Node Type"]]
    assert scans
    for node in scans:
        small = node["Relation Name"] in ("queues", "stops", "recent_starts", "waitpoints")
        assert small or node["Node Type"] != "Seq Scan" or node["Actual Loops"] == 0, node["Relation Name"]
        assert read(node) <= at_most, (node["Node Type"], node["Relation Name"], node.get("Index Name"), read(node))


async def some(database: Database, status: str) -> Any:
    row = await database.row("SELECT id FROM jobs WHERE status = $1 LIMIT 1", status)
    assert row is not None
    return row["id"]


async def test_a_poll_reads_one_job(full: Database) -> None:
    assert_narrow(await plan(full, sql("get_job") + "WHERE j.id = $1", await some(full, "running")), 3)


async def test_a_page_of_jobs_reads_a_page(full: Database) -> None:
    assert_narrow(await plan(full, sql("get_job") + "WHERE true ORDER BY j.created_at DESC, j.id DESC LIMIT 20"), 60)


async def test_a_claim_reads_what_it_takes_and_what_is_in_flight(full: Database) -> None:
    hold = timedelta(seconds=15)
    assert_narrow(await plan(full, sql("arrivals"), 500), 5)
    assert_narrow(await plan(full, sql("waiting"), ["toy"], 20), 400)
    assert_narrow(await plan(full, sql("admission_facts")), 60)
    assert_narrow(await plan(full, sql("reclaim"), 20, hold), 60)
    assert_narrow(await plan(full, sql("expire"), 500), 5)
    assert_narrow(await plan(full, sql("claim_starts"), [await some(full, "queued")], [1.0], [True], hold), 5)
    assert_narrow(
        await plan(full, sql("refresh_lanes"), ["toy"] * 20, [f"owner{n}" for n in range(0, 100, 5)], [""] * 20)
    )


async def test_a_claim_of_cancels_reads_the_cancels(full: Database) -> None:
    await Book(full).jobs.cancel(await some(full, "running"), reason=None, by="alice")
    assert_narrow(await plan(full, sql("claim_cancels"), 20, timedelta(seconds=15)), 5)


async def test_opening_a_job_reads_its_own_keys(full: Database) -> None:
    asked = new_job(idempotency_key="new", active_key="a7", joinable=True, cache_key="c7", owner="owner7")
    statement, (_, *fields) = named("open_job")
    assert_narrow(await plan(full, statement, timedelta(hours=1), *asked.arguments(fields)), 5)
    assert_narrow(await plan(full, sql("find_existing"), [asked.record()]), 5)


async def test_a_debounced_call_finds_the_waiting_job_by_its_key(full: Database) -> None:
    found = await plan(
        full,
        """SELECT id FROM jobs WHERE kind = 'toy' AND owner = 'owner7' AND debounce_key = 'k' AND claimed_until IS NULL
        AND engine_started_at IS NULL AND status IN ('queued', 'delayed')""",
    )
    assert "jobs_debounced" in {node.get("Index Name") for node in found}
    assert_narrow(found, 1)


async def test_writing_a_step_reads_its_job(full: Database) -> None:
    job_id = await some(full, "running")
    moment = await full.row("SELECT now() + interval '1 hour' AS now")
    assert moment is not None
    start = (job_id, "one", "one", moment["now"], 1)
    end = (job_id, "one", moment["now"], 1, "completed", "1", None, 0.0, 0.0)
    assert_narrow(await plan(full, sql("step_start"), *start), 5)
    assert_narrow(await plan(full, sql("step_end"), *end), 5)
    assert_narrow(await plan(full, sql("finish"), job_id, "completed", None, None, None, None), 5)
    assert_narrow(await plan(full, sql("cancel"), [job_id], None, "alice"), 5)


async def test_the_guard_itself_sees_a_scan_of_everything(full: Database) -> None:
    with pytest.raises(AssertionError):
        assert_narrow(await plan(full, "SELECT count(*) FROM jobs WHERE title = 'x'"))
    with pytest.raises(AssertionError):
        assert_narrow(await plan(full, "SELECT count(*) FROM jobs WHERE id <> $1", uuid4()))
