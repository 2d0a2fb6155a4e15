"""The `job_events` table, and the notices that wake who waits for it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import structlog

from ledger.database import UNREACHABLE
from ledger.rows import Event

if TYPE_CHECKING:
    from ledger.database import Database

log = structlog.get_logger()
RECONNECT_SECONDS = 1.0
WATCH_SECONDS = 60.0


class Events:
    """Reads of a job's history, in order."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def after(self, job_id: UUID, seq: int = 0, *, limit: int = 1000) -> Sequence[Event]:
        """Events with a number above `seq`, oldest first. Nothing is skipped: the job's row lock orders commits."""
        rows = await self._database.fetch(
            "SELECT job_id, seq, type, at, data FROM job_events WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            job_id,
            seq,
            limit,
        )
        return [Event(**row) for row in rows]

    async def watch(self, job_id: UUID) -> None:
        """Have every step of the job told by a notice for the next WATCH_SECONDS."""
        await self._database.execute(
            "UPDATE jobs SET watched_until = now() + make_interval(secs => $2) WHERE id = $1", job_id, WATCH_SECONDS
        )


class Notices:
    """One listening connection a process. A notice is a hint: who waits rereads now and then all the same."""

    def __init__(self, dsn: str | None, schema: str = "longrun") -> None:
        """`dsn` must be direct: LISTEN does not work through a transaction pooler. None: no notice ever comes."""
        self._dsn, self._schema = dsn, schema
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._lost = asyncio.Event()

    @property
    def deaf(self) -> bool:
        """Whether who waits is on his own: he had better reread more often."""
        return self._dsn is None

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        if self._dsn is None:
            yield
            return
        task = asyncio.create_task(self._listen(self._dsn))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @asynccontextmanager
    async def of(self, topic: UUID | str = "") -> AsyncGenerator[asyncio.Event]:
        """An event set at each notice about a job (that is watched), or (no topic) when there is work to dispatch."""
        key, event = str(topic), asyncio.Event()
        self._waiters[key].add(event)
        try:
            yield event
        finally:
            self._waiters[key].discard(event)
            if not self._waiters[key]:
                del self._waiters[key]

    async def _listen(self, dsn: str) -> None:
        while True:
            try:
                await self._listen_once(dsn)
            except UNREACHABLE as error:
                log.info("listening again soon", reason=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self, dsn: str) -> None:
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            self._lost.clear()
            connection.add_termination_listener(lambda _: self._lost.set())
            await connection.add_listener(self._schema, self._heard)
            for topic in list(self._waiters):
                self._wake(topic)  # what was said while nobody listened
            await self._lost.wait()
        finally:
            with suppress(*UNREACHABLE):
                await connection.close(timeout=1)

    def _heard(self, _connection: Any, _pid: int, _channel: str, topic: object) -> None:
        self._wake(str(topic))

    def _wake(self, topic: str) -> None:
        for event in self._waiters.get(topic, ()):
            event.set()


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set or the time is over, whichever is first; the event is clear afterwards."""
    with suppress(TimeoutError):
        # asyncio.wait_for of Python 3.11 loses a cancel that comes together with the event
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()
