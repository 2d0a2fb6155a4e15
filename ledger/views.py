"""A job as the world is shown it: over HTTP, in streams and in what webhooks are told. Built from the ledger's rows."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
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
    cost_usd: float | None = None


class UsageView(Model):
    """What the job has spent so far. `costUsd` is null when a price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0
    cost_usd: float | None = 0
    by_model: tuple[ModelUsage, ...] = ()


NOTHING_SPENT = UsageView()


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
            stuck=Stuck.model_validate(row.stuck) if row.stuck else None,
            blanked_at=row.blanked_at,
        )
