"""The job layer in this process: what a worker's root wires, around given kinds, pool and engine."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.worker import Worker

from activities.care import Care
from activities.closing import Closing
from activities.firing import Firing
from activities.upkeep import Upkeep
from domain.options import Options
from engine.connect import connect
from engine.control import Control
from engine.dispatcher import Dispatcher
from engine.firing import Firings, Scheduled
from engine.heartbeat import Heartbeat
from engine.plugin import plugin
from engine.reconcile import Reconciler
from engine.scheduling import Scheduling
from engine.start import QUEUE
from engine.stepping import Stepping
from engine.submit import Submission, Submitter
from ledger.database import Database
from ledger.dispatch import Dispatch
from ledger.events import Events, Notices
from ledger.jobs import Jobs
from ledger.reports import Reports
from ledger.retention import Keep, Retention
from ledger.rows import JobRow
from ledger.schedules import Schedules
from ledger.stats import Stats
from ledger.steps import Steps
from tests.support import toys
from workflows.firing import FireSchedule
from workflows.kind import Catalog, Kind
from workflows.upkeep import Reconcile, Tidy

T = TypeVar("T")
SECOND = timedelta(seconds=1)


def toy_kinds(*, wrong: type = toys.Wrong) -> tuple[Kind, ...]:
    """The rows that a package of toy kinds would bring. Their activities come with the stack."""

    def kind(name: str, workflow: type, payload: Any = toys.ToyRequest, **more: Any) -> Kind:
        return Kind(name, workflow, payload, toys.ToyResult, title=lambda _: f"Play {name}", **more)

    return (
        kind("toy", toys.Toy),
        kind("toy-remembered", toys.Remembered, same=lambda request: request.model_dump()),
        kind("toy-hasty", toys.Hasty),
        kind("toy-rounds", toys.Rounds, toys.RoundsRequest),
        kind("toy-parent", toys.Parent, toys.ParentRequest),
        kind("toy-wrong", wrong),
        kind("toy-late", toys.Late),
    )


@dataclass
class Parts:
    """`database` is the test's own way to the ledger; the worker may have another one (`stack`'s `worker_url`)."""

    client: Client
    engine_env: dict[str, str]
    database: Database
    catalog: Catalog
    worker_database: Database
    activities: Sequence[Callable[..., Any]]
    ledger_patience: float = 30.0
    rate_limit_patience: float = 5.0

    def __post_init__(self) -> None:
        self.keep = Keep()
        self.jobs, self.steps, self.events = Jobs(self.database), Steps(self.database), Events(self.database)
        self.dispatch, self.reports = Dispatch(self.database), Reports(self.database)
        self.submitter, self.schedules = Submitter(self.jobs, self.catalog), Schedules(self.database)
        self.scheduling = Scheduling(self.client, self.schedules, Scheduled(self.jobs, self.catalog))
        self.notices = Notices(self.database.dsn)
        self.dispatcher = Dispatcher(self.client, self.dispatch, self.jobs, self.notices)
        self.reconciler = Reconciler(self.client, self.jobs, self.dispatch, self.reports, self.catalog)

    @asynccontextmanager
    async def dispatching(self) -> AsyncGenerator[None]:
        async with self.notices.listening(), self.dispatcher.running():
            yield

    @asynccontextmanager
    async def working(self, **options: Any) -> AsyncGenerator[None]:
        """Workers on every queue, as one process has them; `options` are the workflows' worker's own."""
        jobs, steps = Jobs(self.worker_database), Steps(self.worker_database)
        stepping = Stepping(steps, ledger_patience=self.ledger_patience, rate_limit_patience=self.rate_limit_patience)
        client = await connect(self.engine_env, plugin([Heartbeat(), stepping]), lazy=False)
        reconciler = Reconciler(
            client, jobs, Dispatch(self.worker_database), Reports(self.worker_database), self.catalog
        )
        control = Control(client, jobs, Submitter(jobs, self.catalog), reconciler, self.catalog)
        closing = Closing(jobs, steps, control, control)
        care = Care(Stats(self.worker_database), Retention(self.worker_database, self.keep))
        firing = Firing(Firings(Schedules(self.worker_database), jobs, self.catalog))
        closers = [closing.finish, closing.note, closing.open_child, firing.open_firing, firing.cancel_firing]
        workflows = [kind.workflow for kind in self.catalog]
        async with AsyncExitStack() as running:
            for queue in ("io", "llm", "cpu", "media", QUEUE):
                flows = queue == QUEUE
                worker = Worker(
                    client,
                    task_queue=queue,
                    workflows=[*workflows, FireSchedule, Reconcile, Tidy] if flows else [],
                    activities=[*self.activities, *closers, *([] if flows else [Upkeep(control).reconcile, care.tidy])],
                    max_heartbeat_throttle_interval=SECOND,
                    default_heartbeat_throttle_interval=SECOND,
                    **(options if flows else {}),
                )
                await running.enter_async_context(worker)
            yield

    async def submit(self, kind: str, payload: dict[str, Any] | None = None, **options: Any) -> UUID:
        [opened] = await self.submitter.submit([Submission(kind, payload or {}, Options.model_validate(options))])
        return opened.id

    async def row(self, job_id: UUID) -> JobRow:
        row = await self.jobs.get(job_id)
        assert row is not None
        return row

    async def ended(self, job_id: UUID, seconds: float = 30.0) -> JobRow:
        """The job's row once its status is terminal."""
        await until(lambda: self._is(job_id, lambda row: row.status.terminal), seconds)
        return await self.row(job_id)

    async def started(self, job_id: UUID, step: str, status: str = "running") -> JobRow:
        """The job's row once a step has that status."""
        await until(lambda: self._is(job_id, lambda row: (step, status) in steps_of(row)))
        return await self.row(job_id)

    async def _is(self, job_id: UUID, fits: Callable[[JobRow], bool]) -> bool:
        return fits(await self.row(job_id))

    async def happened(self, job_id: UUID, fits: Callable[[HistoryEvent], bool]) -> None:
        """Wait until the execution's history has an event that fits."""
        handle = self.client.get_workflow_handle(str(job_id))

        async def found() -> bool:
            return any([fits(event) async for event in handle.fetch_history_events()])

        await until(found)

    async def closed(self, job_id: UUID) -> Any:
        """The execution's own end, once it has one and is listed with it: its WorkflowExecutionStatus.

        What the engine lists is a moment old, and the reconciler believes what is listed as running.
        """

        async def over() -> Any:
            found = await self.client.get_workflow_handle(str(job_id)).describe()
            if found.close_time is None:
                return None
            listed = self.client.list_workflows(f"RunId = '{found.run_id}' AND ExecutionStatus != 'Running'")
            return found.status if [run async for run in listed] else None

        return await until(over)


def steps_of(row: JobRow) -> list[tuple[str, str]]:
    return [(step.name, step.status) for step in row.steps]


async def until(holds: Callable[[], Awaitable[T]], seconds: float = 30.0) -> T:
    """What `holds` answers once it is true."""
    async with asyncio.timeout(seconds):
        while not (answer := await holds()):
            await asyncio.sleep(0.02)
        return answer


@asynccontextmanager
async def stack(
    database: Database,
    engine_env: dict[str, str],
    activities: Sequence[Callable[..., Any]],
    *,
    kinds: Sequence[Kind] | None = None,
    worker_url: str | None = None,
    **patience: float,
) -> AsyncGenerator[Parts]:
    """The parts, nothing of them running yet; `worker_url` is the ledger as the worker reaches it."""
    client = await connect(engine_env, plugin(), lazy=False)
    own = Database(worker_url or database.dsn)
    try:
        yield Parts(client, engine_env, database, Catalog(kinds or toy_kinds()), own, activities, **patience)
    finally:
        await own.close()
