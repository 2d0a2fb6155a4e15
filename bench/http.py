"""The two calls that a front end makes, beside bare routes of the same app on the same PostgreSQL.

Volleys at Longrun's route and at the bare one take turns, so that the machine's moods cancel out: a ratio is the median
of the ratios of neighbours, a p95 is taken over all answers.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from itertools import count, cycle
from statistics import median
from uuid import UUID, uuid4

import asyncpg

from bench.figures import Figure, ms, p95
from bench.ground import Ground, Program
from bench.load import Ask, Landing

POST_P95_MS, STATUS_P95_MS, BESIDE_BARE = 100.0, 50.0, 2.0
ROUNDS = 8
VOLLEY = {1: 40, 16: 160}
WAITING_JOBS = 50
WAITING_ROUNDS = 6

numbers = count()
Pair = tuple[Landing, Landing]


async def measure(ground: Ground) -> list[Figure]:
    """Submitting with an idle worker; polling with jobs in flight; submitting with jobs running."""
    figures: list[Figure] = []
    # Nothing is admitted, so the worker has nothing to do; all else, the dispatchers too, is as ever.
    async with ground.longrun(await ground.plot("idle", LONGRUN_IN_FLIGHT="0")) as program:
        for callers in VOLLEY:
            pairs = await _submitting(ground, program, callers, ROUNDS)
            figures += _figures(f"submit, {callers} at a time", pairs, POST_P95_MS, BESIDE_BARE)
    async with ground.longrun(await ground.plot("busy")) as program:
        figures += _figures(
            "poll, 16 at a time, 50 jobs wait", await _polling(ground, program), STATUS_P95_MS, BESIDE_BARE
        )
        figures += _figures("submit, 16 at a time, jobs run", await _submitting(ground, program, 16, 3), None, None)
    return figures


def _figures(what: str, pairs: Sequence[Pair], most: float | None, ratio: float | None) -> list[Figure]:
    ours, bare = ([second for pair in pairs for second in pair[side].seconds] for side in (0, 1))
    p50s = [median(landing.seconds) / median(beside.seconds) for landing, beside in pairs]
    rates = [_rate(beside) / _rate(landing) for landing, beside in pairs]
    rate, bare_rate = (f"{median(_rate(pair[side]) for pair in pairs):.0f}/s" for side in (0, 1))
    return [
        Figure.ratio(f"{what}: p50", ms(median(ours)), ms(median(bare)), p50s, ratio),
        Figure.most(f"{what}: p95", p95(ours), p95(bare), most),
        Figure.ratio(f"{what}: rate", rate, bare_rate, rates),
    ]


def _rate(landing: Landing) -> float:
    return len(landing.seconds) / (landing.ended - landing.began)


async def _submitting(ground: Ground, program: Program, callers: int, rounds: int) -> list[Pair]:
    asks = [_research(ground, "/api/research-direct"), _research(ground, "/bench/insert")]
    # the first round opens connections and prepares statements
    return (await _in_turn(ground, program, callers, rounds + 1, asks))[1:]


async def _in_turn(
    ground: Ground, program: Program, callers: int, rounds: int, asks: Sequence[Callable[[], Ask]]
) -> list[Pair]:
    """Pairs of volleys, (ours, bare); who is first changes each time."""
    pairs: list[Pair] = []
    for number in range(rounds):
        landed: dict[int, Landing] = {}
        for side in (0, 1) if number % 2 else (1, 0):
            requests = [asks[side]() for _ in range(VOLLEY[callers])]
            landed[side] = await asyncio.to_thread(ground.fire, program, callers, requests)
        pairs.append((landed[0], landed[1]))
    return pairs


def _research(ground: Ground, path: str) -> Callable[[], Ask]:
    """Requests that all differ, of fifty users."""

    def ask() -> Ask:
        number = next(numbers)
        body = {
            "companyName": f"Harbour Software {number}",
            "role": "Backend Engineer",
            "companyUrl": ground.standin,
            "userId": f"user-{number % 50}",
        }
        return Ask(method="POST", path=path, body=json.dumps(body))

    return ask


async def _polling(ground: Ground, program: Program) -> list[Pair]:
    """Each pair of volleys falls into the waiting of fifty fresh jobs on their first pages."""
    rows = [uuid4() for _ in range(WAITING_JOBS)]
    async with program.sql() as ledger:
        await ledger.executemany("INSERT INTO bench_rows (id, body) VALUES ($1, '{}')", [(row,) for row in rows])
        pairs: list[Pair] = []
        while len(pairs) <= WAITING_ROUNDS:
            research = _research(ground, "/api/research-direct")
            started = await asyncio.to_thread(ground.fire, program, 16, [research() for _ in range(WAITING_JOBS)])
            jobs = [UUID(json.loads(body)["jobId"]) for body in started.bodies]
            while await _running(ledger, jobs) < WAITING_JOBS:
                await asyncio.sleep(0.02)
            asks = [_each("/api/research-status", jobs), _each("/bench/select", rows)]
            [pair] = await _in_turn(ground, program, 16, 1, asks)
            if await _running(ledger, jobs) == WAITING_JOBS:
                pairs.append(pair)
            while await _running(ledger, jobs):
                await asyncio.sleep(0.2)
    return pairs[1:]


def _each(path: str, ids: Sequence[UUID]) -> Callable[[], Ask]:
    """Requests for one after the other, over and over."""
    endless = cycle(ids)
    return lambda: Ask(method="GET", path=f"{path}/{next(endless)}")


async def _running(ledger: asyncpg.Connection, jobs: Sequence[UUID]) -> int:
    query = "SELECT id FROM jobs WHERE id = ANY($1) AND status = 'running'"
    return len(await ledger.fetch(query, jobs))
