"""The shapes of the native API, as the contract has them. Each is built from the ledger's rows here and only here."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from fastapi import Response
from pydantic import Field
from pydantic_core import to_json

from domain.job import Failure, Items, Progress, Status, StepState
from domain.model import Model, Request
from domain.options import Options

if TYPE_CHECKING:
    from ledger.rows import Event, JobRow

JOB_ID = "8c0f3c5e-5d0c-4b8e-9a52-0f2b7f9d1c11"
FAILED = (Status.FAILED, Status.EXPIRED, Status.TIMED_OUT)


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


class ModelUsage(Model):
    vendor: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None = None


class UsageView(Model):
    """What the job has spent so far. `costUsd` is null when a price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0
    cost_usd: float | None = 0
    by_model: tuple[ModelUsage, ...] = ()


NOTHING_SPENT = UsageView()


class JobView(Model):
    """A job. The booleans agree with `status`: completed, failed, canceled, expired and timed_out are final."""

    job_id: UUID = Field(examples=[JOB_ID])
    job_type: str
    status: Status
    owner: str | None
    progress: Progress
    is_complete: bool
    is_success: bool
    is_failed: bool
    is_canceled: bool
    steps: tuple[StepState, ...]
    payload: dict[str, Any]
    result: Any
    error: Failure | None
    usage: UsageView
    answered_by: str | None = Field(description="anthropic, openai, offline or mixed")
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parent_id: UUID | None
    batch_id: UUID | None
    schedule_id: str | None
    idempotency_key: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, row: "JobRow") -> Self:
        return cls(
            job_id=row.id,
            job_type=row.kind,
            status=row.status,
            owner=row.owner or None,
            progress=row.progress,
            is_complete=row.status.terminal,
            is_success=row.status == Status.COMPLETED,
            is_failed=row.status in FAILED,
            is_canceled=row.status == Status.CANCELED,
            steps=row.steps,
            payload=row.payload,
            result=row.result,
            error=row.error,
            usage=UsageView.model_validate(row.usage) if row.usage else NOTHING_SPENT,
            answered_by=row.answered_by,
            tags=row.tags,
            metadata=row.metadata,
            parent_id=row.parent_id,
            batch_id=row.batch_id,
            schedule_id=row.schedule_id,
            idempotency_key=row.idempotency_key,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            updated_at=row.updated_at,
        )


class Page(Model):
    """Jobs, newest first; `nextCursor` is null on the last page."""

    jobs: list[JobView]
    next_cursor: str | None


class ProgressView(Model):
    """The workflow's own word on how far it is."""

    progress: Progress
    steps: list[StepState]


class Entry(Model):
    """A line of a job's history. What else it says depends on `type`: `status`, `name`, `attempt`, `error`, `by`."""

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
