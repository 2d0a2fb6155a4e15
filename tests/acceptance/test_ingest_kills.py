"""`kill -9` of the worker in the middle of an ingest: every run is written about, and no answer is paid for twice.

In the suite a short one. `INGEST_RUNS=1000 INGEST_KILLS=5` in the environment, and `--timeout=900`, make it long.
"""

import asyncio
import json
import os

from domain.running.ingest import KIND
from ledger.database import Database
from tests.acceptance.conftest import StackMaker
from tests.support.processes import Stack, until
from tests.support.runs import add_runs, writes
from tests.support.site_server import Answer
from tests.support.stand_ins import Background, Outside
from workflows.catalog import KINDS

RUNS, KILLS = int(os.environ.get("INGEST_RUNS", "60")), int(os.environ.get("INGEST_KILLS", "1"))
AT_ONCE = 10
INGEST = next(kind for kind in KINDS if kind.name == KIND)


def fill(stack: Stack, background: Background, user: str) -> None:
    async def filling() -> None:
        database = Database(stack.env["DATABASE_URL"])
        await add_runs(database, user, RUNS, tier="premium")
        await database.close()

    background.run(filling(), 60)


def test_a_killed_worker_leaves_nothing_out_and_pays_nothing_twice(
    make_stack: StackMaker, outside: Outside, background: Background
) -> None:
    stack = make_stack(**outside.env, LONGRUN_BATCH_PAUSE_SECONDS="0")
    fill(stack, background, "ann")
    write, over = writes(after=0.05), asyncio.Event()

    async def mode(prompt: str) -> Answer:
        # the last ones come after the kills: none is too late
        if outside.model.requests > 2 * RUNS - AT_ONCE:
            await over.wait()
        return await write(prompt)

    outside.model.mode = mode
    worker = stack.worker()
    worker.start()
    job_id = stack.submit(INGEST, {"userId": "ann"})

    def done() -> int:
        [row] = stack.rows("SELECT coalesce((items ->> 'done')::integer, 0) AS done FROM jobs WHERE id = $1", job_id)
        return row["done"]

    for kill in range(KILLS):
        until(lambda kill=kill: done() > RUNS * (kill + 1) / (KILLS + 2) or None, 300, "the next part of the runs")
        worker.kill()
        assert done() < RUNS
        worker.start()
    background.call(over.set)
    job = stack.ended(job_id, 600)
    assert job["status"] == "completed", job["error"]
    counted = json.loads(job["items"])
    assert (counted["done"], counted["skipped"], counted["failed"]) == (RUNS, 0, 0)
    written = stack.rows("SELECT half FROM run_contents WHERE status = 'completed' AND job_id = $1", job_id)
    assert len(written) == 2 * RUNS
    assert 2 * RUNS <= outside.model.requests <= 2 * RUNS + KILLS * 2 * AT_ONCE
    paid = stack.rows("SELECT item, count(*) FROM spend WHERE job_id = $1 GROUP BY item HAVING count(*) > 1", job_id)
    assert paid == [], "an answer that stood in the ledger was asked for again"
