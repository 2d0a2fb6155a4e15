"""A ledger of a million jobs: what people look at stays quick.

The rows are made by SQL, through the same triggers as any; the calls go over HTTP, one at a time, each of them another
job, owner or page. The service's own schedules are paused: they would find that no engine knows these jobs.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from random import Random
from statistics import median
from typing import Any

import asyncpg

from bench.figures import Figure, ms, p95
from bench.ground import Ground, Program
from bench.load import Ask
from engine.schedules import OWN
from local.live import say

JOBS, OWNERS, OPEN, RUNNING = 1_000_000, 1_000, 2_000, 400
P95_MS = 20.0
CALLS = 100
PAGE = 50
LONGER = ("open jobs", "an owner's jobs", "failed jobs", "stuck jobs")
PORTION = 100_000
FILL_SECONDS = 600

# thirty days of three kinds: of a hundred jobs two failed, one was canceled; the newest are open, some of them silent;
# the moduli differ, so that each owner has jobs of every kind, end and duration
JOBS_SQL = """
INSERT INTO jobs (id, kind, owner, status, title, payload, plan, result, error, spent_tokens, spent_usd, tags,
    max_duration_seconds, engine_started_at, claimed_until, created_at, started_at, finished_at, updated_at, event_seq)
SELECT gen_random_uuid(), (ARRAY['company-research', 'toy', 'letter'])[1 + n % 3],
    'owner' || n::bigint * 7919 % $4, status, 'Research Harbour ' || n,
    jsonb_build_object('companyName', 'Harbour ' || n, 'role', 'Backend Engineer'), $5,
    CASE status WHEN 'completed' THEN jsonb_build_object('overview', repeat('A claim with its source. ', 20)) END,
    CASE status WHEN 'failed' THEN '{"code": "vendor_error", "message": "no answer"}'::jsonb END,
    CASE status WHEN 'queued' THEN 0 ELSE n % 5000 END, CASE status WHEN 'queued' THEN 0 ELSE n % 100 / 1000.0 END,
    CASE WHEN n % 50000 = 7 THEN '{rare}' WHEN n % 3 = 0 THEN '{often,seldom}' ELSE '{}' END::text[], 1800,
    began, began, made, began, CASE WHEN status NOT IN ('queued', 'running') THEN began + took END,
    CASE status WHEN 'running' THEN now() ELSE coalesce(began + took, made) END, 6
FROM (
    SELECT n, CASE WHEN n <= $6 THEN 'running' WHEN n <= $3 THEN 'queued' WHEN n % 101 IN (1, 2) THEN 'failed'
            WHEN n % 101 = 3 THEN 'canceled' ELSE 'completed' END AS status,
        now() - make_interval(secs => n * 2.6) AS made,
        CASE WHEN n <= $6 OR n > $3 THEN now() - make_interval(secs => n * 2.6 - 1) END AS began,
        make_interval(secs => exp(2 + n::bigint * 7919 % 997 / 300.0)) AS took
    FROM generate_series($1::integer, $2) n
) numbered
"""
STEPS_SQL = """
INSERT INTO job_steps (job_id, activity_id, name, status, scheduled_at, delivery, max_attempts, started_at, finished_at)
SELECT id, step, step, CASE WHEN finished_at IS NULL THEN CASE WHEN random() < 0.1 THEN 'retrying' ELSE 'running' END
    ELSE 'completed' END, started_at, 1, 3, started_at, finished_at
FROM jobs,
    unnest(CASE WHEN finished_at IS NULL THEN '{scrape_website}' ELSE '{scrape_website,analyze}' END::text[]) step
WHERE started_at IS NOT NULL
"""
SPEND_SQL = """
INSERT INTO spend (id, job_id, step, vendor, model, input_tokens, output_tokens, cost_usd, prompt_hash)
SELECT gen_random_uuid(), id, 'analyze', 'vendor', 'model', spent_tokens / 2, spent_tokens / 2, spent_usd, ''
FROM jobs WHERE spent_tokens > 0
"""
# the filling took longer than their steps may be silent
RUNNING_SQL = """
UPDATE jobs SET updated_at = now() - make_interval(secs => nth % 20 * 20)
FROM (SELECT id, row_number() OVER () AS nth FROM jobs WHERE status = 'running') r WHERE jobs.id = r.id
"""
PLAN = [{"name": name, "maxAttempts": 3, "maxSeconds": 315} for name in ("scrape_website", "analyze", "store")]


async def measure(ground: Ground) -> list[Figure]:
    """Each call's p50 and p95 over HTTP; the bar is on the p95."""
    async with ground.longrun(await ground.plot("million", LONGRUN_IN_FLIGHT="0")) as program, program.sql() as ledger:
        for schedule in OWN:
            await program.client.get_schedule_handle(schedule).pause()
        await _fill(ledger)
        # adds up a million ends, as tidying does all along; then what autovacuum does within a minute
        await asyncio.to_thread(ground.fire, program, 1, [Ask(method="GET", path="/api/stats")])
        await ledger.execute("VACUUM ANALYZE", timeout=FILL_SECONDS)
        await ledger.execute(RUNNING_SQL)
        ids = [row["id"] for row in await ledger.fetch("SELECT id FROM jobs TABLESAMPLE system (0.1)")]
        draw = Random(7)
        owner = lambda: f"owner{draw.randrange(OWNERS)}"  # noqa: E731
        pages = await _pages(ground, program)
        asked: dict[str, Callable[[], str]] = {
            "a job": lambda: f"/api/jobs/{draw.choice(ids)}",
            "open jobs": lambda: draw.choice(pages),
            "an owner's jobs": lambda: f"/api/jobs?owner={owner()}",
            "an owner's failed jobs": lambda: f"/api/jobs?owner={owner()}&status=failed",
            "jobs with a rare tag": lambda: "/api/jobs?tag=rare",
            "failed jobs": lambda: "/api/jobs?status=failed",
            "stuck jobs": lambda: "/api/jobs?stuck=true",
            "retrying jobs": lambda: "/api/jobs?retrying=true",
            "stats of 30 days": lambda: "/api/stats",
            "stats of a kind": lambda: "/api/stats?type=company-research",
            "stats of an owner": lambda: f"/api/stats?owner={owner()}",
        }
        bare = await ledger.fetchval("INSERT INTO bench_rows VALUES (gen_random_uuid(), '{}') RETURNING id")
        figures = [await _figure(ground, program, "a bare row, for comparison", lambda: f"/bench/select/{bare}", None)]
        for what, path in asked.items():
            figures.append(await _figure(ground, program, what, path, P95_MS))
            if what in LONGER:
                figures.append(await _figure(ground, program, "  100 a page", lambda path=path: _longer(path()), None))
        return figures


async def _fill(ledger: asyncpg.Connection) -> None:
    await ledger.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    for first in range(1, JOBS + 1, PORTION):
        say(f"  {first - 1:,} jobs …")
        args = (first, min(JOBS, first + PORTION - 1), OPEN, OWNERS, PLAN, RUNNING)
        await ledger.execute(JOBS_SQL, *args, timeout=FILL_SECONDS)
    say("  their steps and what they cost …")
    await ledger.execute("SET session_replication_role = replica")  # a foreign key a row takes longer than the rows
    await ledger.execute(STEPS_SQL, timeout=FILL_SECONDS)
    await ledger.execute(SPEND_SQL, timeout=FILL_SECONDS)
    await ledger.execute("RESET session_replication_role")


async def _pages(ground: Ground, program: Program) -> list[str]:
    """The list of open jobs, page by page."""
    pages, path = [], "/api/jobs"
    while path:
        landing = await asyncio.to_thread(ground.fire, program, 1, [Ask(method="GET", path=path)])
        answer: dict[str, Any] = json.loads(landing.bodies[0])
        assert answer["jobs"], "no page is empty"
        pages.append(path)
        path = f"/api/jobs?cursor={answer['nextCursor']}" if answer["nextCursor"] else ""
    assert len(pages) == OPEN // PAGE, "every open job is on a page"
    return pages


def _longer(path: str) -> str:
    """The same list in the longest pages that there are."""
    return f"{path}{'&' if '?' in path else '?'}limit=100"


async def _figure(ground: Ground, program: Program, what: str, path: Callable[[], str], bar_ms: float | None) -> Figure:
    def asks(calls: int) -> Sequence[Ask]:
        return [Ask(method="GET", path=path()) for _ in range(calls)]

    await asyncio.to_thread(ground.fire, program, 1, asks(10))  # plans, caches, and ends not added up yet
    seconds = (await asyncio.to_thread(ground.fire, program, 1, asks(CALLS))).seconds
    return Figure(what, ms(p95(seconds)), f"p50 {ms(median(seconds))}", p95(seconds) * 1000, bar_ms, "ms")
