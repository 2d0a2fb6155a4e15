"""Short words for what these tests do to a ledger."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from asyncpg.pool import PoolConnectionProxy

from domain.job import Failure, Outcome, PlannedStep, Standing, Status
from ledger.database import Database
from ledger.dispatch import Dispatch
from ledger.events import Events
from ledger.jobs import Jobs
from ledger.rows import JobRow, NewJob, Opened
from ledger.steps import Delivery, Steps
from workflows.kind import digest

T = TypeVar("T")
PLAN = (PlannedStep(name="one", max_attempts=3), PlannedStep(name="two", max_attempts=2))
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WRONG = Failure(code="vendor_error", message="no answer", step="one", retryable=True)
OPEN = (Status.QUEUED, Status.DELAYED, Status.RUNNING)


def new_job(**given: Any) -> NewJob:
    payload = given.get("payload", {"a": 1})
    usual: dict[str, Any] = {"id": uuid4(), "kind": "toy", "plan": PLAN, "payload_hash": digest(payload)}
    return NewJob(**(usual | {"payload": payload} | given))


def at(job_id: UUID, number: int = 1, *, activity_id: str = "one", reset: int = 0) -> Delivery:
    """A delivery; `reset` counts how often the activity was scheduled anew."""
    return Delivery(job_id, activity_id, EPOCH + timedelta(seconds=reset), number)


class Book:
    """The ledger's modules over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs, self.steps = Jobs(database), Steps(database)
        self.events, self.dispatch = Events(database), Dispatch(database)

    async def open(self, **given: Any) -> Opened:
        [opened] = await self.jobs.open([new_job(**given)])
        return opened

    async def running(self, **given: Any) -> UUID:
        """A job whose step `one` has begun."""
        opened = await self.open(**given)
        await self.dispatch.started([opened.id])
        await self.steps.start(at(opened.id))
        return opened.id

    async def end(self, job_id: UUID, status: Status = Status.COMPLETED, **given: Any) -> Standing:
        if status in (Status.FAILED, Status.TIMED_OUT):
            given.setdefault("error", WRONG)
        standing = await self.jobs.finish(Outcome(job_id=job_id, status=status, **given))
        assert standing is not None
        return standing

    async def row(self, job_id: UUID) -> JobRow:
        row = await self.jobs.get(job_id)
        assert row is not None
        return row

    async def step(self, job_id: UUID, activity_id: str = "one") -> dict[str, Any]:
        row = await self.database.row(
            """SELECT status, scheduled_at, delivery, failures, waited_seconds, output, error -> 'code' AS code,
                finished_at IS NOT NULL AS finished
            FROM job_steps WHERE job_id = $1 AND activity_id = $2""",
            job_id,
            activity_id,
        )
        assert row is not None
        return dict(row)

    async def told(self, job_id: UUID) -> list[tuple[str, str]]:
        """(step or `job`, status) in the order of the events, which have no gaps."""
        events = await self.events.after(job_id)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        return [(event.data.get("name", event.type), event.data.get("status", "")) for event in events]

    async def value(self, query: str, *args: Any) -> Any:
        async with self.database.acquire() as connection:
            return await connection.fetchval(query, *args)

    @asynccontextmanager
    async def in_between(self) -> AsyncGenerator[PoolConnectionProxy]:
        """A transaction that commits when the block ends: what waits for its locks goes on after that."""
        async with self.database.acquire() as connection, connection.transaction():
            yield connection

    async def waiting(self, work: Awaitable[T]) -> "asyncio.Future[T]":
        """`work` as a task, once a lock holds it up."""
        task = asyncio.ensure_future(work)
        async with asyncio.timeout(30):
            while not await self.value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ):
                assert not task.done(), "nothing held it up"
                await asyncio.sleep(0.01)
        return task
