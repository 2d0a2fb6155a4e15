"""Ten thousand runs, two calls each: what an item costs beside the calls themselves, and whether that stays so.

The vendor answers at once and pauses are 0. "In the process" replaces the calls alone (`instant.py`); over HTTP the
rival is the same two calls in a bare loop (`calls.py`), as many at once, in turns with an ingest of as many runs.
"""

import asyncio
import json
import subprocess
import sys
from array import array
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean

import asyncpg
import httpx
import psutil
from temporalio.client import Client

from bench.figures import Figure, ms
from bench.ground import READY_SECONDS, Ground, Program
from domain.running.facts import facts_of
from domain.workout import Streams, Workout
from local import ports
from local.process import Process, wait_until
from local.stack import ROOT, WORKER_NICENESS

FEW, MANY, ROUNDS = 500, 10_000, 7
PER_ITEM_MS, BESIDE_CALLS, GROWTH, MEMORY, EVENTS = 3.0, 1.5, 1.3, 1.2, 10_000
AT_ONCE = 10
LOOK_SECONDS = 0.25
LONGEST_SECONDS = 3600.0
FILL = """INSERT INTO workouts (user_id, content_hash, started_at, name, type, is_run, source, facts, figures, runner,
    recording)
SELECT $1, md5($1 || n) || md5(n::text), timestamptz '2026-06-14 07:30Z' - make_interval(days => n), 'Morning run',
    'run', true, 'json', $2, jsonb_set($3, '{distance}', to_jsonb(5000.0 + n * 37 % 15000)), '{}', ''
FROM generate_series(1, $4) n"""


@dataclass(frozen=True)
class Ingest:
    """How an ingest went: seconds a run, those of the worker's CPU, its memory over the tenths in MB (both with those
    of the processes that it has), and its longest history."""

    per_item: float
    cpu: float
    memory: Sequence[float]
    events: int
    histories: int


async def measure(ground: Ground) -> list[Figure]:
    figures: list[Figure] = []
    env = await ground.plot("instant", LONGRUN_BATCH_PAUSE_SECONDS="0", ANTHROPIC_API_KEY="k")
    async with ground.longrun(env, worker=["bench.instant"]) as program:
        await ingest(program, "warm", 100)
        few_alone = await ingest(program, "few", FEW)
        alone = await ingest(program, "many", MANY)
    for runs, one, bar in ((MANY, alone, PER_ITEM_MS), (FEW, few_alone, None)):
        what = f"a run of {runs:,}, the model in the process"
        figures.append(Figure(what, ms(one.per_item), f"{ms(one.cpu)} CPU", one.per_item * 1000, bar, "ms"))
    with vendor(ground) as url:
        env = await ground.plot(
            "ingest", LONGRUN_BATCH_PAUSE_SECONDS="0", ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=url
        )
        async with ground.longrun(env) as program:
            await ingest(program, "warm", 100)
            few: list[float] = []
            bare: list[float] = []
            for number in range(ROUNDS):
                few.append((await ingest(program, f"few-{number}", FEW)).per_item)
                bare.append(await asyncio.to_thread(loop, url, FEW))
            many = await ingest(program, "many", MANY)
    ratios = [ours / theirs for ours, theirs in zip(few, bare, strict=True)]
    figures.append(
        Figure.ratio("a run over HTTP, beside its two calls", ms(mean(few)), ms(mean(bare)), ratios, BESIDE_CALLS)
    )
    growth = many.per_item / mean(few)
    figures.append(
        Figure.ratio(f"a run of {MANY:,}, beside one of {FEW}", ms(many.per_item), ms(mean(few)), [growth], GROWTH)
    )
    first, last = many.memory[0], many.memory[-1]
    figures.append(
        Figure.ratio("memory of the worker, last tenth", f"{last:.0f} MB", f"{first:.0f} MB", [last / first], MEMORY)
    )
    longest = f"{many.events:,}"
    figures.append(Figure("events of the longest history", longest, f"{many.histories} runs", many.events, EVENTS, ""))
    return figures


async def ingest(program: Program, user: str, runs: int) -> Ingest:
    """Have a premium user's whole history written about; raises RuntimeError unless all of it was."""
    async with program.sql() as ledger:
        await fill(ledger, user, runs)
    headers = {"Authorization": f"Bearer {program.env['LONGRUN_API_KEYS']}"}
    worker = psutil.Process(program.pids[-1])
    memory: list[tuple[float, float]] = []
    cpu = _cpu(worker)
    async with httpx.AsyncClient(base_url=program.url, headers=headers, timeout=30.0, trust_env=False) as http:
        started = await http.post("/api/run-history/ingest", json={"userId": user})
        job_id = started.raise_for_status().json()["jobId"]
        async with asyncio.timeout(LONGEST_SECONDS), program.sql() as ledger:
            while True:
                row = await ledger.fetchrow(
                    "SELECT status, items, started_at, finished_at FROM jobs WHERE id = $1", job_id
                )
                assert row
                items = json.loads(row["items"] or "{}")
                memory.append((items.get("done", 0) / max(1, runs), _memory(worker) / 1024**2))
                if row["finished_at"]:
                    break
                await asyncio.sleep(LOOK_SECONDS)
    if row["status"] != "completed" or items["done"] != runs:
        raise RuntimeError(f"{row['status']}: {items}")
    lengths = await histories(program.client, job_id)
    return Ingest(
        per_item=(row["finished_at"] - row["started_at"]).total_seconds() / runs,
        cpu=(_cpu(worker) - cpu) / runs,
        memory=tenths(memory),
        events=max(lengths),
        histories=len(lengths),
    )


def tenths(memory: Sequence[tuple[float, float]]) -> list[float]:
    """The mean of each tenth that was looked at."""
    found: dict[int, list[float]] = {}
    for done, used in memory:
        found.setdefault(min(9, int(10 * done)), []).append(used)
    return [mean(found[tenth]) for tenth in sorted(found)]


async def histories(client: Client, job_id: str) -> list[int]:
    """How many events each run of the workflow has, the last one first."""
    lengths: list[int] = []
    run_id: str | None = None
    while True:
        history = await client.get_workflow_handle(job_id, run_id=run_id).fetch_history()
        lengths.append(len(history.events))
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return lengths


async def fill(ledger: asyncpg.Connection, user: str, runs: int) -> None:
    """A premium user with so many runs, one a day."""
    seconds = array("d", range(0, 1800, 5))
    streams = Streams(
        seconds=seconds,
        distance_m=array("d", (2.8 * at for at in seconds)),
        altitude_m=array("d", (20 + at / 100 for at in seconds)),
        heart_rate_bpm=array("d", (150.0 for _ in seconds)),
    )
    began = datetime(2026, 6, 14, 7, 30, tzinfo=UTC)
    workout = Workout("run", "Morning run", began, "json", "0" * 64, streams)
    facts = facts_of(workout)
    figures = {name: fact.value for name, fact in facts.facts.items()}
    await ledger.execute("INSERT INTO users (id, tier) VALUES ($1, 'premium')", user)
    await ledger.execute(FILL, user, facts.model_dump_json(by_alias=True, exclude_none=True), json.dumps(figures), runs)
    await ledger.execute("ANALYZE workouts")


@contextmanager
def vendor(ground: Ground) -> Generator[str]:
    """The vendor's address."""
    port = ports.free()
    command = [sys.executable, "-m", "bench.vendor", "--port", str(port)]
    process = Process("The vendor", command, log=ground.logs / "vendor.log", cwd=ROOT)
    try:
        url = f"http://{ports.LOOPBACK}:{port}"
        wait_until(lambda: _answers(url), [process], READY_SECONDS)
        yield url
    finally:
        process.stop()


def loop(url: str, runs: int) -> float:
    """Seconds that a run takes in a bare loop, in a process as nice as a worker."""
    command = ["nice", "-n", str(WORKER_NICENESS), sys.executable, "-m", "bench.calls", "--url", url]
    done = subprocess.run(
        [*command, "--runs", str(runs), "--at-once", str(AT_ONCE)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _cpu(worker: psutil.Process) -> float:
    used = [process.cpu_times() for process in (worker, *worker.children(recursive=True))]
    return sum(one.user + one.system for one in used)


def _memory(worker: psutil.Process) -> int:
    return sum(process.memory_info().rss for process in (worker, *worker.children(recursive=True)))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).is_success
    except httpx.TransportError:
        return False
