"""A job of four empty steps through Longrun, beside the plainest FastAPI + Temporal program on the same server.

Both are timed from the first byte of the POST to the close of the workflow by Temporal's clock, which runs on the same
machine; Longrun's row is final before its workflow closes. The two take turns, so that the machine's moods cancel out.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from bench.figures import Figure, ms
from bench.ground import Ground, Program
from bench.load import Ask, Landing

END_TO_END, RATE, CPU = 1.35, 1.25, 1.25
ONE_BY_ONE = 40
AT_ONCE = 200
CALLERS = 50
ROUNDS = 5
PAUSE = 0.25


class Burst(NamedTuple):
    """Jobs a second, and CPU seconds a job, of `AT_ONCE` jobs asked for at once."""

    rate: float
    cpu: float


@dataclass(frozen=True)
class Contender:
    """A program and how it is asked for a job."""

    program: Program
    servers: tuple[str, ...]
    path: str
    workflow: str

    def ask(self, number: int) -> Ask:
        parcel = {"number": number}
        body = parcel if self.path == "/start" else {"jobType": self.workflow, "payload": parcel}
        return Ask(method="POST", path=self.path, body=json.dumps(body))


async def measure(ground: Ground) -> list[Figure]:
    env = await ground.plot("jobs")
    async with ground.longrun(env) as longrun, ground.plain(env) as plain:
        ours = Contender(longrun, ("temporal", "postgres"), "/api/jobs", "four-empty-steps")
        bare = Contender(plain, ("temporal",), "/start", "plain")
        for contender in (ours, bare):
            await burst(ground, contender)
        latencies = [[await one(ground, contender) for contender in (ours, bare)] for _ in range(ONE_BY_ONE)]
        bursts: list[tuple[Burst, Burst]] = []
        for number in range(ROUNDS):
            if number % 2:
                theirs = await burst(ground, bare)
                bursts.append((await burst(ground, ours), theirs))
            else:
                bursts.append((await burst(ground, ours), await burst(ground, bare)))
    return _figures(latencies, bursts)


def _figures(latencies: Sequence[Sequence[float]], bursts: Sequence[tuple[Burst, Burst]]) -> list[Figure]:
    mine, theirs = (median(side) for side in zip(*latencies, strict=True))
    ours, bare = ([sides[i] for sides in bursts] for i in (0, 1))
    rate, bare_rate = (f"{median(each.rate for each in side):.1f}/s" for side in (ours, bare))
    cpu, bare_cpu = (ms(median(each.cpu for each in side)) for side in (ours, bare))
    return [
        Figure.ratio("end to end, one at a time", ms(mine), ms(theirs), [a / b for a, b in latencies], END_TO_END),
        Figure.ratio(f"{AT_ONCE} at once", rate, bare_rate, [b.rate / a.rate for a, b in bursts], RATE),
        Figure.ratio("CPU a job", cpu, bare_cpu, [a.cpu / b.cpu for a, b in bursts], CPU),
    ]


async def one(ground: Ground, contender: Contender) -> float:
    """Seconds from the POST to the workflow's close; nobody asks about it before it must have ended."""
    landing = await asyncio.to_thread(ground.fire, contender.program, 1, [contender.ask(0)])
    handle = contender.program.client.get_workflow_handle(json.loads(landing.bodies[0])["jobId"])
    while True:
        await asyncio.sleep(PAUSE)
        try:
            found = await handle.describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            continue  # a slow machine has yet to start it
        if found.close_time:
            assert found.status == WorkflowExecutionStatus.COMPLETED
            return found.close_time.timestamp() - landing.began


async def burst(ground: Ground, contender: Contender) -> Burst:
    """All at once, until the last of them has closed."""
    before = ground.cpu(contender.program, *contender.servers)
    asks = [contender.ask(number) for number in range(AT_ONCE)]
    landing = await asyncio.to_thread(ground.fire, contender.program, CALLERS, asks)
    closed = await _closed(contender, landing)
    spent = ground.cpu(contender.program, *contender.servers) - before
    return Burst(AT_ONCE / (max(closed) - landing.began), spent / AT_ONCE)


async def _closed(contender: Contender, landing: Landing) -> list[float]:
    """When each job of the burst closed, once all have."""
    client, since = contender.program.client, datetime.fromtimestamp(landing.began, UTC).isoformat()
    ours = f"WorkflowType = '{contender.workflow}' AND StartTime >= '{since}'"
    while (await client.count_workflows(f"{ours} AND ExecutionStatus = 'Completed'")).count < AT_ONCE:
        await asyncio.sleep(PAUSE)
    return [found.close_time.timestamp() async for found in client.list_workflows(ours) if found.close_time]
