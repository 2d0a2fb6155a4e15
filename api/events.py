"""A job's events as a stream (Server-Sent Events) that can be taken up where it broke."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Response
from pydantic_core import to_json
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.dependencies import Given, StreamAuth
from domain.errors import LedgerUnavailable
from domain.job import Items, Progress, Status, StepState
from domain.model import Model
from ledger.events import WATCH_SECONDS, wait
from ledger.rows import Event, JobRow, not_begun
from ledger.views import shown

if TYPE_CHECKING:
    from api.dependencies import Services
    from ledger.events import Events

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
REREAD_SECONDS = 2.0
DEAF_SECONDS = 1.0
COMMENT_SECONDS = 15
PAGE = 1000
ENDED = ("completed", "failed", "skipped")


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, 204: {"description": "Nothing will come any more"}},
)
async def stream_events(
    job_id: str,
    given: Given,
    caller: StreamAuth,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """Follow a job: `job` (the whole job, first), `step`, `progress`, and `done` (the whole job, last).

    `id` is the event's number in the ledger. With `Last-Event-ID` only what is newer comes. A `step` carries the
    progress after it; where that has moved, a `progress` of the same number follows. A comment comes every 15 s.
    """
    row = await given.job(job_id, caller)
    since = int(last_event_id) if last_event_id and last_event_id.isdecimal() else None
    told = Telling(row)
    first = b""
    if since is not None and since <= row.event_seq:
        known = await history(given.events, row.id)
        if any(ends(event) and event.seq <= since for event in known):
            return Response(status_code=204)
        told.rewind(event for event in known if event.seq <= since)
    elif row.status.terminal:
        known = await history(given.events, row.id)
        told.seq = next(event.seq for event in known if ends(event)) - 1
        first = told.snapshot()
    else:
        first = told.snapshot()
    closing = anyio.Event()
    return event_stream(_follow(told, first, given, closing), closing, lambda: None)


async def history(events: "Events", job_id: UUID) -> list[Event]:
    """All events of a job."""
    found: list[Event] = []
    while chunk := await events.after(job_id, found[-1].seq if found else 0, limit=PAGE):
        found += chunk
        if len(chunk) < PAGE:
            break
    return found


def ends(event: Event) -> bool:
    """Whether this is the event with which a job became terminal."""
    return event.type == "job" and Status(event.data["status"]).terminal


class Telling:
    """A job as its events tell it. What is told of an event depends on the events before it and on nothing else, so
    that a stream taken up anywhere says the same."""

    def __init__(self, row: JobRow, *, named: bool = False) -> None:
        """`named`: steps and progress say of which job they are."""
        self.row = row
        self.seq = row.event_seq
        self._name: dict[str, Any] = {"jobId": row.id, "jobType": row.kind} if named else {}
        self._steps = {state["name"]: state for state in row.states}

    def snapshot(self) -> bytes:
        return sse("job", shown(self.row), self.seq)

    def rewind(self, known: Iterable[Event]) -> None:
        """Back to where the job stood after those events."""
        self._steps = dict(not_begun(self.row.plan, closed=False))
        self.row = replace(
            self.row, status=Status.QUEUED, started_at=None, finished_at=None, result=None, error=None, answered_by=None
        )
        if self.row.items:
            self.row = replace(self.row, items=Items(total=self.row.items.total))
        self.seq = 0
        for event in known:
            self.tell(event)

    def tell(self, event: Event, number: object = None) -> bytes:
        """The event as it goes out, under its own number or another one; nothing if only the audit shows it."""
        self.seq = event.seq
        number = event.seq if number is None else number
        if event.type == "step":
            return self._step(event, number)
        if event.type == "progress":
            return self._items(event, number)
        return self._job(event, number) if event.type == "job" else b""

    def changed(self, row: JobRow, event: Event, number: object = None) -> bytes:
        """The job with the tags and metadata that it has now: what they were in between is not kept."""
        self.seq = event.seq
        states = tuple(self._steps.values())
        self.row = replace(self.row, tags=row.tags, metadata=row.metadata, states=states, updated_at=event.at)
        return sse("job", shown(self.row), event.seq if number is None else number)

    def _step(self, event: Event, number: object) -> bytes:
        data = event.data
        if data["activityId"].endswith("#otherwise"):  # a stand-in does not speak for its step
            return b""
        before = self._progress()
        name, status = data["name"], data["status"]
        state = self._steps.get(name) or StepState(name=name).model_dump(by_alias=True)
        started = event.at if status == "running" and state["status"] != "retrying" else state["startedAt"]
        told = {"startedAt": started, "finishedAt": event.at if status in ENDED else None, "error": data.get("error")}
        self._steps[name] = state = StepState.model_validate({**state, **data, **told}).model_dump(by_alias=True)
        after = self._progress()
        progress = after.model_dump(by_alias=True)
        body = {**self._name, **state, "at": event.at, "progress": progress}
        told_step = sse("step", body, number)
        return told_step if after == before else told_step + sse("progress", {**self._name, **progress})

    def _job(self, event: Event, number: object) -> bytes:
        status = Status(event.data["status"])
        started = self.row.started_at or (event.at if status == Status.RUNNING else None)
        states = tuple(self._steps.values())
        self.row = replace(self.row, status=status, started_at=started, states=states, updated_at=event.at, stuck=None)
        return sse("job", shown(self.row), number)

    def _items(self, event: Event, number: object) -> bytes:
        self.row = replace(self.row, items=Items.model_validate(event.data["items"]))
        return sse("progress", {**self._name, **self._progress().model_dump(by_alias=True)}, number)

    def _progress(self) -> Progress:
        return Progress.of([state["status"] for state in self._steps.values()], self.row.items)


async def _follow(told: Telling, first: bytes, given: "Services", closing: anyio.Event) -> AsyncIterator[bytes]:
    """What is new, as it comes: woken by notices, reread every 2 s all the same (each second where no notice comes).
    No connection is held meanwhile.

    Ends in good order, between two events, when the server stops: whoever follows takes it up elsewhere.
    """
    job_id = told.row.id
    if first:
        yield first
    watched, deaf = 0.0, given.notices.deaf
    async with given.notices.of(job_id) as woken:
        while not closing.is_set():
            try:
                if not deaf and time.monotonic() > watched - WATCH_SECONDS / 2:
                    await given.events.watch(job_id)
                    watched = time.monotonic() + WATCH_SECONDS
                for event in await given.events.after(job_id, told.seq, limit=PAGE):
                    if ends(event):
                        yield await _done(event, given)
                        return
                    if event.type == "changed" and (row := await given.jobs.get(job_id)):
                        yield told.changed(row, event)
                    elif chunk := told.tell(event):
                        yield chunk
            except LedgerUnavailable:
                await asyncio.sleep(REREAD_SECONDS)  # the stream outlives it
                continue
            await wait(woken, DEAF_SECONDS if deaf else REREAD_SECONDS)


async def _done(event: Event, given: "Services") -> bytes:
    row = await given.jobs.get(event.job_id)
    return sse("done", shown(row) if row else {}, event.seq)


def sse(name: str, body: Model | dict[str, Any], number: object = None) -> bytes:
    """One event; `number` is its id, if it has one."""
    numbered = "" if number is None else f"id: {number}\n"
    data = body.model_dump_json(by_alias=True).encode() if isinstance(body, Model) else to_json(body)
    return f"{numbered}event: {name}\n".encode() + b"data: " + data + b"\n\n"


def event_stream(content: AsyncIterator[bytes], closing: anyio.Event, position: Callable[[], str | None]) -> Response:
    """A stream that stays open: kept alive by comments, which carry the `position` reached, and ended in good order."""
    return EventSourceResponse(
        content,
        sep="\n",
        shutdown_event=closing,
        shutdown_grace_period=REREAD_SECONDS + 1,
        ping=COMMENT_SECONDS,
        ping_message_factory=lambda: ServerSentEvent(comment="still here", id=position(), sep="\n"),
    )
