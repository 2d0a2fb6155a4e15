"""What people look at reads a page, a job or some days of figures, however many jobs there are: EXPLAIN says so."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from ledger.database import Database, sql
from ledger.jobs import JobFilter, Jobs
from ledger.stats import Asked, Stats
from tests.ledger.test_plans import assert_narrow, plan, read
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")

# a year of a hundred owners, newest first: 40 run, 360 wait, of the others one in fifty failed
FILL = """
INSERT INTO jobs (id, kind, owner, status, payload, plan, error, max_duration_seconds, engine_started_at, tags,
    schedule_id, created_at, started_at, finished_at, updated_at)
SELECT gen_random_uuid(), 'toy', 'owner' || n % 100, status, '{}', '[]',
    CASE status WHEN 'failed' THEN '{}'::jsonb END, 60,
    began, CASE WHEN n % 4000 = 9 THEN '{rare}' ELSE '{}' END::text[], CASE WHEN n % 4000 = 9 THEN 'nightly' END,
    made, began, CASE WHEN n > 400 THEN began + interval '5 seconds' END, made
FROM (
    SELECT n, CASE WHEN n <= 40 THEN 'running' WHEN n <= 400 THEN 'queued' WHEN n % 50 = 1 THEN 'failed'
        ELSE 'completed' END AS status, now() - make_interval(secs => n * 1700) AS made,
        CASE WHEN n <= 40 OR n > 400 THEN now() - make_interval(secs => n * 1700) END AS began
    FROM generate_series(1, 20000) n
) numbered
"""
STEPS = """
INSERT INTO job_steps (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, finished_at)
SELECT id, 'one', 'one', CASE WHEN finished_at IS NOT NULL THEN 'completed' WHEN nth % 8 = 0 THEN 'retrying'
    ELSE 'running' END, now(), 1, 3, finished_at
FROM (SELECT id, finished_at, row_number() OVER (ORDER BY created_at DESC) AS nth FROM jobs) j
"""
PAGE = 100
TEXTS = {"blank": sql("blank"), "fold": sql("fold")}
TODAY = datetime.now(UTC).date()
MONTH = (TODAY - timedelta(days=29), TODAY)


def large(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes that read anything, but for tables that stay small: ends not added up yet, places."""
    return [node for node in found if node.get("Relation Name") not in ("job_ends", "retention") and read(node) > 0]


class Watched(Database):
    """A database that remembers what it was asked."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, query: str, *args: Any) -> Sequence[asyncpg.Record]:
        self.asked.append((query, args))
        return await super().fetch(query, *args)

    async def row(self, query: str, *args: Any) -> asyncpg.Record | None:
        self.asked.append((query, args))
        return await super().row(query, *args)

    async def narrow(self, at_most: float) -> None:
        """Hold that each statement asked so far, run again, reads no more than so many rows of any table."""
        asked, self.asked = self.asked, []
        assert asked
        for query, args in asked:
            found = large(await plan(self, query, *args))
            if any("Relation Name" in node for node in found):
                assert_narrow(found, at_most)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(postgres_url: str, template: str) -> AsyncGenerator[Watched]:
    async with cloned(postgres_url, template, fresh=True) as url:
        database = Watched(url)
        for statement in (FILL, STEPS):
            await database.execute(statement)
        await Stats(database).catch_up()
        await database.execute("VACUUM ANALYZE")
        database.asked.clear()
        yield database
        await database.close()


@pytest.mark.parametrize(
    ("chosen", "found", "at_most"),
    [
        (JobFilter(only_open=True), PAGE, 2 * PAGE),
        (JobFilter(owner="owner7"), PAGE, 2 * PAGE),
        (JobFilter(owner="owner1", status="failed"), PAGE, 4 * PAGE),
        (JobFilter(status="failed"), PAGE, 2 * PAGE),
        (JobFilter(status="running"), 40, 400),
        (JobFilter(tag="rare"), 5, 10),
        (JobFilter(owner="owner9", tag="rare"), 5, 2 * PAGE),
        (JobFilter(schedule_id="nightly"), 5, 10),
        (JobFilter(stuck=True), 40, 60),
        (JobFilter(retrying=True), 5, 60),
    ],
    ids=str,
)
async def test_a_list_reads_about_a_page(full: Watched, chosen: JobFilter, found: int, at_most: int) -> None:
    rows = await Jobs(full).list(chosen, limit=PAGE)
    assert len(rows) == found
    await full.narrow(at_most)
    last = rows[-1]
    await Jobs(full).list(chosen, limit=PAGE, before=(last.created_at, last.id))
    await full.narrow(at_most)


async def test_a_job_reads_a_job(full: Watched) -> None:
    row = await full.row("SELECT id FROM jobs WHERE status = 'running' LIMIT 1")
    assert row
    job_id: UUID = row["id"]
    full.asked.clear()
    await Jobs(full).get(job_id)
    await full.narrow(3)


@pytest.mark.parametrize("asked", [Asked(*MONTH), Asked(*MONTH, owner="owner3"), Asked(*MONTH, kind="toy")], ids=str)
async def test_figures_read_days_and_no_jobs(full: Watched, asked: Asked) -> None:
    found = await Stats(full).read(asked)
    assert found.total.jobs > 10
    statements = list(full.asked)
    await full.narrow(1500)
    tables = {node.get("Relation Name") for query, args in statements for node in await plan(full, query, *args)}
    assert "stats_counts" in tables
    assert "jobs" not in tables


@pytest.mark.parametrize("statement", ["blank", "fold"])
async def test_retention_reads_what_it_takes(full: Watched, statement: str) -> None:
    assert_narrow(large(await plan(full, TEXTS[statement], timedelta(days=30), 20)), 50)


async def test_other_programs_queries_find_open_and_failed_jobs_by_an_index(full: Watched) -> None:
    open_ = """SELECT id, type, trigger_status, started, finished, trigger_run_id FROM worker_jobs
        WHERE executor = 'temporal' AND finished IS NULL"""
    failed = (
        "SELECT id, type, result, created_at FROM worker_jobs WHERE success = false ORDER BY created_at DESC LIMIT 10"
    )
    for query in (open_, failed):
        scans = [node for node in await plan(full, query) if "Relation Name" in node]
        assert scans
        assert all(node["Node Type"] != "Seq Scan" for node in scans)
        assert sum(read(node) for node in scans) <= 500


async def test_the_guard_sees_a_list_that_reads_everything(full: Watched) -> None:
    await full.fetch("SELECT id FROM jobs j WHERE 'rare' = ANY(j.tags) ORDER BY created_at DESC LIMIT 100")
    with pytest.raises(AssertionError):
        await full.narrow(1000)
