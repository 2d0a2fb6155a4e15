"""What the API says, typed. Field names are snake_case here and camelCase on the wire; times are aware, in UTC.

Fields of a newer server are kept in `model_extra` and survive `wire()`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Status = Literal["queued", "delayed", "running", "completed", "failed", "canceled", "expired", "timed_out"]
StepStatus = Literal["pending", "running", "retrying", "completed", "failed", "skipped"]


class Model(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True)

    def wire(self) -> dict[str, Any]:
        """The value as it travels, without the fields that were never said."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def wire_json(self) -> str:
        """The same as text, in one line."""
        return self.model_dump_json(by_alias=True, exclude_unset=True)


class Failure(Model):
    """Why a job or a step failed; `code` is stable, `message` is for people."""

    code: str
    message: str
    step: str | None = None
    retryable: bool = False


class Items(Model):
    """How far a job has come that works through a list, or (`unit` "second") through a recording."""

    unit: str | None = None
    done: int = 0
    failed: int = 0
    skipped: int = 0
    total: int = 0


class Progress(Model):
    """`done` of `total` steps will not run again; `percent` is 0 to 100, `eta_seconds` a guess."""

    done: int
    total: int
    text: str
    percent: int
    eta_seconds: float | None = None
    items: Items | None = None


class Step(Model):
    """One step; `attempt` of `max_attempts` counts what the vendor failed at, not crashes of ours."""

    name: str
    status: StepStatus
    attempt: int = 0
    max_attempts: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None


class Live(Model):
    """The running workflow's own word on how far it is."""

    progress: Progress
    steps: tuple[Step, ...]


class Usage(Model):
    """What a job has spent so far; a price that nobody knows is None."""

    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0
    cost_usd: Decimal | None = None
    by_model: tuple[dict[str, Any], ...] = ()


class Stuck(Model):
    """Nothing was heard of the job `since` then, for longer than its step allows."""

    step: str | None
    attempt: int
    since: datetime


class Job(Model):
    """One execution that was asked for. `is_complete` is true once `status` is terminal, however it ended.

    Payload and result are gone once `blanked_at` is set: the service keeps them for a time.
    """

    job_id: str
    job_type: str
    status: Status
    owner: str | None = None
    progress: Progress
    is_complete: bool
    is_success: bool
    is_failed: bool
    is_canceled: bool
    steps: tuple[Step, ...] = ()
    payload: Any = None
    result: Any = None
    error: Failure | None = None
    usage: Usage | None = None
    answered_by: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    parent_id: str | None = None
    batch_id: str | None = None
    schedule_id: str | None = None
    idempotency_key: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    stuck: Stuck | None = None
    blanked_at: datetime | None = None


class Started(Model):
    """The answer to a start or a replay; `is_cached` says that the idempotency key was known already."""

    job_id: str
    job_type: str
    status: Status
    status_url: str
    events_url: str
    is_cached: bool = False


class Page(Model):
    """One page of jobs, newest first; `next_cursor` is None on the last."""

    jobs: tuple[Job, ...]
    next_cursor: str | None = None


class Event(Model):
    """One server-sent event: `job` (a snapshot), `step`, `progress` or `done`. Keep `id` to resume after it."""

    id: str
    event: str
    data: Any


class AuditEvent(Model):
    """One entry of a job's history; what belongs to its `type` is in `model_extra`."""

    seq: int
    type: str
    at: datetime


class PlannedStep(Model):
    """A step that a kind's jobs take; `max_attempts` counts the vendor's failures."""

    name: str
    max_attempts: int


class Kind(Model):
    """What a job can do: its names, the JSON Schemas of payload and result, its steps."""

    name: str
    aliases: tuple[str, ...]
    payload: dict[str, Any]
    result: dict[str, Any]
    steps: tuple[PlannedStep, ...]


class Reconciliation(Model):
    """What the reconciler compared between ledger and engine, and what it mended."""

    started_at: datetime
    finished_at: datetime
    checked: int
    started: int
    closed: int
    mended: int
    orphaned_jobs: tuple[dict[str, Any], ...] = ()
    orphaned_executions: tuple[dict[str, Any], ...] = ()
    schedules: tuple[dict[str, Any], ...] = ()


class HeartRate(Model):
    """Beats a minute."""

    resting: int | None = None
    max: int | None = None


class User(Model):
    """An owner of jobs as the application has told of them."""

    id: str
    tier: Literal["free", "premium"]
    timezone: str | None = None
    email: str | None = None
    auto_generate: bool = False
    heart_rate: HeartRate | None = None
    created_at: datetime
    updated_at: datetime


class FieldError(Model):
    """What is wrong with one field; `pointer` is a JSON pointer into the body that was sent."""

    pointer: str
    detail: str


class Problem(Model):
    """Problem Details (RFC 9457), as the API answers errors. `code` is stable; `job_id` names a job that may exist."""

    title: str = ""
    status: int
    detail: str = ""
    code: str = "unknown"
    errors: tuple[FieldError, ...] = ()
    job_id: str | None = None
