"""The shapes of the native API, as the contract has them. Each is built from the ledger's rows here and only here."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from fastapi import Response
from pydantic import Field
from pydantic_core import to_json

from domain.job import Items, Progress, Status, StepState
from domain.model import Model, Request
from domain.options import Options
from ledger.views import FAILED, JOB_ID, JobView

if TYPE_CHECKING:
    from ledger.rows import Event, JobRow


def reply(body: Model | dict[str, Any], status: int = 200, **headers: str) -> Response:
    """JSON as it stands: what we built ourselves is not validated again. `Retry_After` becomes `Retry-After`."""
    text = body.model_dump_json(by_alias=True) if isinstance(body, Model) else to_json(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(text, status, headers=named, media_type="application/json")


class Start(Request):
    """A job to start: its kind or an alias of it, the kind's payload, and options."""

    job_type: str = Field(min_length=1, max_length=200, examples=["company-research"])
    payload: dict[str, Any] = Field(examples=[{"companyName": "Stripe", "role": "Backend Engineer"}])
    options: Options = Options()


class Started(Model):
    """`isCached` is there, and true, when the idempotency key was known: the job it started before is the answer."""

    job_id: UUID = Field(examples=[JOB_ID])
    job_type: str = Field(examples=["company-research"])
    status: Status
    status_url: str = Field(examples=[f"/api/jobs/{JOB_ID}"])
    events_url: str = Field(examples=[f"/api/jobs/{JOB_ID}/events"])
    is_cached: bool | None = None


class Batch(Request):
    """Jobs to start together, all or none."""

    items: list[Start] = Field(min_length=1, max_length=1000)


class BatchStarted(Model):
    """The jobs in the order asked."""

    batch_id: UUID
    job_ids: list[UUID]


class Page(Model):
    """Jobs, newest first; `nextCursor` is null on the last page."""

    jobs: list[JobView]
    next_cursor: str | None


class ProgressView(Model):
    """The workflow's own word on how far it is."""

    progress: Progress
    steps: list[StepState]


class Entry(Model):
    """A line of a job's history. What else it says depends on `type`: `status`, `name`, `attempt`, `error`, `by`.

    A `delivery` is one attempt to tell somebody, and bears the `seq` of the line before it.
    """

    seq: int
    type: str = Field(examples=["step"])
    at: datetime


class Audit(Model):
    """Everything that happened to a job, in order."""

    events: list[Entry]


def entry(event: "Event") -> dict[str, Any]:
    """An Entry with what belongs to its type."""
    return {**event.data, "seq": event.seq, "type": event.type, "at": event.at}


class Member(Model):
    job_id: UUID
    job_type: str
    status: Status


class BatchView(Model):
    """A batch, counted from its jobs.

    `status` is queued until one has begun and running until all have ended; then completed if all completed, failed
    if any failed, else canceled. `progress.done` counts jobs that have ended; `progress.items.skipped` the canceled.
    """

    batch_id: UUID
    status: Status
    progress: Progress
    jobs: list[Member]

    @classmethod
    def of(cls, batch_id: UUID, rows: "Sequence[JobRow]") -> Self:
        statuses = [row.status for row in rows]
        ended, total = sum(status.terminal for status in statuses), len(statuses)
        items = Items(
            done=statuses.count(Status.COMPLETED),
            failed=sum(status in FAILED for status in statuses),
            skipped=statuses.count(Status.CANCELED),
            total=total,
        )
        progress = Progress(done=ended, total=total, text=f"{ended}/{total}", percent=100 * ended // total, items=items)
        members = [Member(job_id=row.id, job_type=row.kind, status=row.status) for row in rows]
        return cls(batch_id=batch_id, status=_status_of(statuses), progress=progress, jobs=members)


def _status_of(statuses: list[Status]) -> Status:
    if not all(status.terminal for status in statuses):
        idle = all(status in (Status.QUEUED, Status.DELAYED) for status in statuses)
        return Status.QUEUED if idle else Status.RUNNING
    if all(status == Status.COMPLETED for status in statuses):
        return Status.COMPLETED
    return Status.FAILED if any(status in FAILED for status in statuses) else Status.CANCELED
