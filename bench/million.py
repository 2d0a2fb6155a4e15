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
PORTION = 100_000
FILL_SECONDS = 600

# thirty days of three kinds: of a hundred jobs two failed, one was canceled; the newest are open, some of them silent
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
    CASE status WHEN 'running' THEN now() - make_interval(secs => n % 20 * 20) ELSE coalesce(began + took, made) END, 6
FROM (
    SELECT n, CASE WHEN n <= $6 THEN 'running' WHEN n <= $3 THEN 'queued' WHEN n % 100 IN (1, 2) THEN 'failed'
            WHEN n % 100 = 3 THEN 'canceled' ELSE 'completed' END AS status,
        now() - make_interval(secs => n * 2.6) AS made,
        CASE WHEN n <= $6 OR n > $3 THEN now() - make_interval(secs => n * 2.6 - 1) END AS began,
        make_interval(secs => exp(2 + n::bigint * 7919 % 1000 / 300.0)) AS took
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
        ids = [row["id"] for row in await ledger.fetch("SELECT id FROM jobs TABLESAMPLE system (0.1)")]
        draw = Random(7)
        owner = lambda: f"owner{draw.randrange(OWNERS)}"  # noqa: E731
        pages = await _pages(ground, program)
        asked: dict[str, Callable[[], str]] = {
            "a job": lambda: f"/api/jobs/{draw.choice(ids)}",
            "open jobs, 100 a page": lambda: draw.choice(pages),
            "an owner's jobs, 100 a page": lambda: f"/api/jobs?owner={owner()}",
            "an owner's failed jobs": lambda: f"/api/jobs?owner={owner()}&status=failed",
            "jobs with a rare tag": lambda: "/api/jobs?tag=rare",
            "failed jobs, 100 a page": lambda: "/api/jobs?status=failed",
            "stuck jobs": lambda: "/api/jobs?stuck=true",
            "retrying jobs": lambda: "/api/jobs?retrying=true",
            "stats of 30 days": lambda: "/api/stats",
            "stats of a kind": lambda: "/api/stats?type=company-research",
            "stats of an owner": lambda: f"/api/stats?owner={owner()}",
        }
        return [await _figure(ground, program, what, path) for what, path in asked.items()]


async def _fill(ledger: asyncpg.Connection) -> None:
    await ledger.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    for first in range(1, JOBS + 1, PORTION):
        say(f"  {first - 1:,} jobs …")
        args = (first, min(JOBS, first + PORTION - 1), OPEN, OWNERS, PLAN, RUNNING)
        await ledger.execute(JOBS_SQL, *args, timeout=FILL_SECONDS)
    say("  their steps …")
    await ledger.execute("SET session_replication_role = replica")  # a foreign key a row takes longer than the rows
    await ledger.execute(STEPS_SQL, timeout=FILL_SECONDS)
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
    assert len(pages) == OPEN // 100, "every open job is on a page"
    return pages


async def _figure(ground: Ground, program: Program, what: str, path: Callable[[], str]) -> Figure:
    def asks(calls: int) -> Sequence[Ask]:
        return [Ask(method="GET", path=path()) for _ in range(calls)]

    await asyncio.to_thread(ground.fire, program, 1, asks(10))  # plans, caches, and ends not added up yet
    seconds = (await asyncio.to_thread(ground.fire, program, 1, asks(CALLS))).seconds
    return Figure(what, ms(p95(seconds)), f"p50 {ms(median(seconds))}", p95(seconds) * 1000, P95_MS, "ms")
