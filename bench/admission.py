"""Admission with few and with many in the queue: five may run, whoever waits starts in order, each at the same cost.

Three ledgers, which differ in how many jobs wait, take turns: in each one job ends and one turn of the dispatcher
admits the next. Two limits are looked at: five of a kind; and five of a concurrency key that ten thousand owners
share, where every lane but the first few is in the limit's way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

from bench.figures import Figure, ms
from bench.ground import SCHEMA, Ground
from domain.admission import Limits
from domain.job import Outcome, Status
from ledger.database import Database
from ledger.dispatch import Dispatch
from ledger.jobs import Jobs
from ledger.queues import Queues
from ledger.rows import NewJob

DEPTHS = (100, 1_000, 10_000)
GROWTH = 1.5
RUNNING, TURNS, BATCH = 5, 80, 500


@dataclass
class Line:
    """A ledger in which `depth` jobs wait behind a limit of five."""

    database: Database
    depth: int
    limits: Limits
    running: list[UUID] = field(default_factory=list[UUID])
    order: list[int] = field(default_factory=list[int])
    seconds: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        self.jobs, self.dispatch = Jobs(self.database), Dispatch(self.database)
        self.priorities: dict[UUID, int] = {}

    async def fill(self) -> None:
        await Queues(self.database, in_flight=500).change("toy", self.limits)
        draw = Random(self.depth)
        many = [self._job(n, draw.randint(1, 5)) for n in range(self.depth)]
        for first in range(0, self.depth, BATCH):
            await self.jobs.open(many[first : first + BATCH])
        while (turn := await self.dispatch.claim(20)).more or turn.starts:
            await self._started([one.id for one in turn.starts])
        await self.database.execute("VACUUM ANALYZE")
        self.order.clear()

    async def turn(self) -> None:
        """One ends, the next is admitted."""
        await self.jobs.finish(Outcome(job_id=self.running.pop(0), status=Status.CANCELED))
        began = perf_counter()
        turn = await self.dispatch.claim(20)
        self.seconds.append(perf_counter() - began)
        assert len(turn.starts) == 1, "one slot was free"
        await self._started([turn.starts[0].id])

    async def _started(self, ids: Sequence[UUID]) -> None:
        await self.dispatch.started(ids)
        self.running += ids
        self.order += [self.priorities[job_id] for job_id in ids]

    def _job(self, number: int, priority: int) -> NewJob:
        job_id, owner = uuid4(), f"owner{number}"
        self.priorities[job_id] = priority
        return NewJob(job_id, "toy", {}, (), "", owner=owner, concurrency_key="shared", priority=priority)


async def measure(ground: Ground) -> list[Figure]:
    """A turn's time at each depth beside that at the smallest."""
    figures: list[Figure] = []
    for name, limits in (("kind", Limits(total=RUNNING)), ("key", Limits(per_key=RUNNING))):
        lines: list[Line] = []
        for depth in DEPTHS:
            env = await ground.plot(f"admission_{name}_{depth}")
            lines.append(Line(Database(env["DATABASE_URL"], schema=SCHEMA, size=2), depth, limits))
            await lines[-1].fill()
        for _ in range(TURNS):
            for line in lines:
                await line.turn()
        for line in lines:
            assert line.order == sorted(line.order), "jobs start by priority"
            await line.database.close()
        figures += [_figure(name, line, lines[0]) for line in lines[1:]]
    return figures


def _figure(name: str, line: Line, least: Line) -> Figure:
    ratios = [ours / beside for ours, beside in zip(line.seconds, least.seconds, strict=True)]
    what = f"limit of a {name}, {line.depth:,} wait beside {least.depth:,}"
    return Figure.ratio(what, ms(median(line.seconds)), ms(median(least.seconds)), ratios, GROWTH)
