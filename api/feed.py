"""All jobs of an owner as one stream (Server-Sent Events), for a panel: taken up where it broke, like a job's own."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import anyio
from fastapi import APIRouter, Header, Query, Response

from api import events
from api.dependencies import Given, StreamAuth
from api.events import Telling, ends, event_stream, history, sse
from domain.errors import LedgerUnavailable
from ledger.feed import Position
from ledger.jobs import JobFilter
from ledger.views import shown

if TYPE_CHECKING:
    from uuid import UUID

    from api.dependencies import Services
    from ledger.feed import Portion
    from ledger.rows import Event

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
PAGE = 100


@router.get(
    "/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}}
)
async def stream_owner(
    given: Given,
    caller: StreamAuth,
    owner: Annotated[str | None, Query(max_length=256, description="A token of one owner need not say it.")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """Follow all jobs of an owner: `job` for each that is open, then whatever happens, new jobs included.

    Events are those of a job's own stream (`job`, `step`, `progress`, `done`), the steps and progress with their
    `jobId` and `jobType`. The `id` is opaque; with it as `Last-Event-ID` only what came later is told, nothing twice,
    nothing left out. The stream ends with the server only. A comment comes every 15 s.
    """
    owner = caller.reads_of(owner)
    since = Position.read(last_event_id) if last_event_id else None
    newest = await given.feed.now()
    # a position from another database may lie ahead of everything that will happen here
    following = Following(owner, since if since and since <= newest else None, newest, given)
    closing = anyio.Event()
    return event_stream(
        following.events(closing), closing, lambda: str(following.told_to) if following.told_to else None
    )


class Following:
    """One reader: how far it has been told, and the jobs it has heard of as they stood then."""

    def __init__(self, owner: str, since: Position | None, newest: Position, given: "Services") -> None:
        self.told_to = since
        self._owner, self._newest, self._given = owner, newest, given
        self._jobs: dict[UUID, Telling] = {}

    async def events(self, closing: anyio.Event) -> AsyncIterator[bytes]:
        """What has happened, reread every 2 s. No connection is held meanwhile."""
        if self.told_to is None:
            try:
                async for chunk in self._snapshot():
                    yield chunk
            except LedgerUnavailable:
                return  # whoever follows asks again, from the beginning
            yield b"id: %s\n\n" % str(self._newest).encode()
            self.told_to = self._newest
        reached = self.told_to
        while not closing.is_set():
            more = False
            try:
                portion = await self._given.feed.after(self._owner, reached)
                await self._meet(portion)
                for position, event in portion.events:
                    if chunk := await self._tell(event, position):
                        yield chunk
                    # once it is sent: a comment must not be ahead of it
                    reached = self.told_to = position
                reached = self.told_to = portion.reached
                more = portion.more
            except LedgerUnavailable:
                pass  # the stream outlives it
            if not more:
                with anyio.move_on_after(events.REREAD_SECONDS):
                    await closing.wait()

    async def _snapshot(self) -> AsyncIterator[bytes]:
        """The owner's open jobs, newest first. What they have been through is not told again."""
        before = None
        while True:
            rows = await self._given.jobs.list(JobFilter(owner=self._owner, only_open=True), limit=PAGE, before=before)
            for row in rows:
                self._jobs[row.id] = Telling(row, named=True)
                yield sse("job", shown(row))
            if len(rows) < PAGE:
                return
            before = (rows[-1].created_at, rows[-1].id)

    async def _meet(self, portion: "Portion") -> None:
        """Have the jobs of these events as they stood before them."""
        first = {event.job_id: event.seq for _, event in reversed(portion.events)}
        rows = await self._given.feed.jobs([job_id for job_id in first if job_id not in self._jobs])
        for job_id, row in rows.items():
            known = await history(self._given.events, job_id) if first[job_id] > 1 else []
            self._jobs[job_id] = Telling(row, named=True)
            self._jobs[job_id].rewind(event for event in known if event.seq < first[job_id])

    async def _tell(self, event: "Event", position: Position) -> bytes:
        told = self._jobs.get(event.job_id)
        if told is None or event.seq <= told.seq:  # the job is gone, or the snapshot said it
            return b""
        if ends(event):
            del self._jobs[event.job_id]
            row = await self._given.jobs.get(event.job_id)
            return sse("done", shown(row), position) if row else b""
        if event.type == "changed" and (row := await self._given.jobs.get(event.job_id)):
            return told.changed(row, event, position)
        return told.tell(event, position)
