"""Queues: one for each kind of job, with its limits; who waits and who runs."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.dependencies import Auth, Given, Services
from api.errors import NotFound
from api.wire import reply
from domain.admission import Limits
from domain.errors import UnknownKind
from domain.model import Model, Request
from ledger.queues import Queue

router = APIRouter(prefix="/api/queues", tags=["queues"])
Count = Annotated[int | None, Field(ge=0, le=1_000_000)]
KindName = Annotated[str, Path(min_length=1, max_length=200, examples=["company-research"])]


class LimitsView(Request):
    """Null: no limit. Jobs over a limit wait; none fails. Owners and keys count only where a job names one."""

    total: Count = Field(default=None, description="Jobs of the kind that run at once.")
    per_owner: Count = Field(default=None, description="Of one owner.")
    per_premium_owner: Count = Field(default=None, description="Of one owner of tier premium, in place of perOwner.")
    per_key: Count = Field(default=None, description="Of one `concurrencyKey`.")
    starts_per_minute: Count = Field(default=None, description="Starts in any 60 seconds.")


class QueueView(Model):
    """`waiting` jobs are due and want a slot; `delayed` ones are not due yet."""

    kind: str = Field(examples=["company-research"])
    paused: bool
    limits: LimitsView
    waiting: int
    delayed: int
    running: int
    oldest_waiting_since: datetime | None

    @classmethod
    def of(cls, queue: Queue) -> "QueueView":
        limits = {name: getattr(queue.limits, name) for name in LimitsView.model_fields}
        return cls(
            kind=queue.kind,
            paused=queue.limits.paused,
            limits=LimitsView.model_validate(limits),
            waiting=queue.waiting,
            delayed=queue.delayed,
            running=queue.running,
            oldest_waiting_since=queue.oldest,
        )


class QueueList(Model):
    queues: list[QueueView]


class Changes(Request):
    """What is left out stays as it is; a limit that is null is taken away."""

    paused: bool | None = None
    limits: LimitsView | None = None


@router.get("", response_model=QueueList)
async def list_queues(given: Given, caller: Auth) -> Response:
    """All queues: limits, who waits, who runs."""
    caller.server_only()
    known = {queue.kind: queue for queue in await given.queues.all()}
    return reply(QueueList(queues=[QueueView.of(known.get(kind.name) or Queue(kind.name)) for kind in given.catalog]))


@router.get("/{kind}", response_model=QueueView)
async def get_queue(kind: KindName, given: Given, caller: Auth) -> Response:
    """One queue, by the kind's name or alias."""
    caller.server_only()
    return reply(QueueView.of(await _queue(given, kind)))


@router.patch("/{kind}", response_model=QueueView)
async def change_queue(kind: KindName, asked: Changes, given: Given, caller: Auth) -> Response:
    """Pause or resume a queue, or set its limits.

    What runs already goes on. Paused or over a limit, jobs wait as `queued` and keep their order.
    """
    caller.server_only()
    queue = await _queue(given, kind)
    changes = asked.limits.model_dump(exclude_unset=True) if asked.limits else {}
    if asked.paused is not None:
        changes["paused"] = asked.paused
    await given.queues.change(queue.kind, Limits(**(vars(queue.limits) | changes)))
    await given.audit.note(caller.name, "queue.change", f"queues/{queue.kind}", **changes)
    return reply(QueueView.of(await _queue(given, kind)))


async def _queue(given: Services, kind: str) -> Queue:
    try:
        name = given.catalog[kind].name
    except UnknownKind:
        raise NotFound("there is no such kind") from None
    return next((queue for queue in await given.queues.all() if queue.kind == name), Queue(name))
