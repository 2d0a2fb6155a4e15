"""A job as the world is shown it: over HTTP, in streams and in what webhooks are told. Built from the ledger's rows."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import Field

from domain.admission import Stop
from domain.job import Failure, Progress, Status, StepState
from domain.model import Model

if TYPE_CHECKING:
    from ledger.rows import JobRow

JOB_ID = "8c0f3c5e-5d0c-4b8e-9a52-0f2b7f9d1c11"
FAILED = (Status.FAILED, Status.EXPIRED, Status.TIMED_OUT)


class ModelUsage(Model):
    vendor: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    audio_seconds: float = 0
    cost_usd: float | None = None


class UsageView(Model):
    """What the job has spent so far. `costUsd` is null when a price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0
    cost_usd: float | None = 0
    by_model: tuple[ModelUsage, ...] = ()


NOTHING_SPENT = UsageView().model_dump(by_alias=True)


class Stuck(Model):
    """Nothing was heard of the job `since` then: for longer than the step allows that it is at, or should begin."""

    step: str | None
    attempt: int
    since: datetime


class Place(Model):
    """How many of its kind go before a queued job (1,000: that many or more), and which limit is in its way.

    `reason` is paused, kind, rate, owner, key, or all for the limit on all jobs together; null: it starts soon.
    """

    ahead: int
    reason: Stop | None


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
    waiting: Place | None = Field(default=None, description="only where one job is asked for, while it is queued")
    stuck: Stuck | None = Field(description="null unless nothing is heard of the job for too long")
    blanked_at: datetime | None = Field(
        description="since when payload and result are gone: the ledger keeps them for a time"
    )


def shown(row: "JobRow") -> dict[str, Any]:
    """The job as a JobView, its fields by their names on the wire: ours, so nothing is checked.

    What it takes is taken a hundred times a page.
    """
    status = row.status
    return {
        "jobId": row.id,
        "jobType": row.kind,
        "status": status,
        "owner": row.owner or None,
        "progress": row.progress,
        "isComplete": status.terminal,
        "isSuccess": status == Status.COMPLETED,
        "isFailed": status in FAILED,
        "isCanceled": status == Status.CANCELED,
        "steps": row.states,
        "payload": row.payload,
        "result": row.result,
        "error": row.error,
        "usage": row.usage or NOTHING_SPENT,
        "answeredBy": row.answered_by,
        "tags": row.tags,
        "metadata": row.metadata,
        "parentId": row.parent_id,
        "batchId": row.batch_id,
        "scheduleId": row.schedule_id,
        "idempotencyKey": row.idempotency_key,
        "createdAt": row.created_at,
        "startedAt": row.started_at,
        "finishedAt": row.finished_at,
        "updatedAt": row.updated_at,
        "waiting": None,
        "stuck": Stuck.model_validate(row.stuck) if row.stuck else None,
        "blankedAt": row.blanked_at,
    }
