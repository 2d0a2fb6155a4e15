"""The words of the job layer: status, step, progress, and what a workflow is handed."""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import Field, computed_field

from domain.model import Model

P = TypeVar("P")
Tier = Literal["free", "premium"]


class Status(StrEnum):
    """Where a job stands. The last five are terminal and never left."""

    QUEUED = "queued"
    DELAYED = "delayed"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    TIMED_OUT = "timed_out"

    @property
    def terminal(self) -> bool:
        return self not in (Status.QUEUED, Status.DELAYED, Status.RUNNING)


StepStatus = Literal["pending", "running", "retrying", "completed", "failed", "skipped"]


class Ongoing(Model):
    """What an activity brings back whose step may go on after it: its workflow, or another activity, then ends it.

    It says so also where it stands as JSON: in the engine's history, which restored ledgers are mended from.
    """

    @computed_field
    @property
    def goes_on(self) -> bool:
        return False


class Failure(Model):
    """Why a job or a step failed, fit for people's eyes."""

    code: str
    message: str
    step: str | None = None
    retryable: bool = False


class PlannedStep(Model):
    """A step as planned at submit: `max_attempts` counts the vendor's failures.

    After `max_seconds` without a word of the job the step is stuck.
    """

    name: str
    max_attempts: int
    max_seconds: int = 900


class StepState(Model):
    """One step as people see it; `attempt` is the vendor's failures + 1, `deliveries` is Temporal's count."""

    name: str
    status: StepStatus = "pending"
    attempt: int = 0
    max_attempts: int = 1
    deliveries: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None


class Items(Model):
    """Progress of a job with its items; those that are missing in the counts are still to be done.

    `pace`: seconds that one takes, as the last ones did; `at`: when the last one ended. `unit`, where they are no
    things of a list: seconds of a recording.
    """

    unit: Literal["second"] | None = Field(default=None, exclude_if=lambda unit: unit is None)
    done: int = 0
    failed: int = 0
    skipped: int = 0
    total: int = 0
    pace: float | None = Field(default=None, exclude=True)
    at: datetime | None = Field(default=None, exclude=True)

    @property
    def left(self) -> int:
        return self.total - self.done - self.failed - self.skipped


class Progress(Model):
    """`done` counts steps that will not run again (completed, failed in isolation, skipped).

    `percent` counts the items, if there are any, as parts of the step that is under way; `eta_seconds` is theirs.
    """

    done: int
    total: int
    text: str
    percent: int
    eta_seconds: float | None = None
    items: Items | None = None

    @classmethod
    def of(cls, statuses: list[StepStatus], items: Items | None = None) -> "Progress":
        done = sum(status in ("completed", "failed", "skipped") for status in statuses)
        total = len(statuses)
        reached = float(done)
        if items and items.total and done < total:
            reached += (items.done + items.failed + items.skipped) / items.total
        progress = _of_steps(done, total, reached)
        if not items:
            return progress
        eta = round(items.pace * items.left, 3) if items.pace is not None and items.left else None
        return progress.model_copy(update={"items": items, "eta_seconds": eta})

    def by(self, now: datetime) -> "Progress":
        """With what has passed of the time that it takes."""
        if self.eta_seconds is None or self.items is None or self.items.at is None:
            return self
        passed = max(0.0, (now - self.items.at).total_seconds())
        return self.model_copy(update={"eta_seconds": round(max(0.0, self.eta_seconds - passed), 3)})


@lru_cache(1000)
def _of_steps(done: int, total: int, reached: float) -> Progress:
    percent = int(100 * reached / total) if total else 0
    return Progress(done=done, total=total, text=f"{done}/{total}", percent=percent)


class Retry(Model):
    """`options.retry`: overrides each step's own policy where given. Times in milliseconds."""

    max_attempts: int | None = None
    min_timeout_in_ms: int | None = None
    max_timeout_in_ms: int | None = None
    factor: float | None = None
    randomize: bool | None = None


class Carried(Model):
    """What a run hands to the next one at continue-as-new: the snapshot, how often each step has run, and until when
    the work has to be done, which is how long it was `allowed` to take."""

    steps: tuple[StepState, ...] = ()
    runs: dict[str, int] = Field(default_factory=dict)
    deadline: datetime | None = None
    allowed: timedelta | None = None
    items: Items | None = None


class Job(Model, Generic[P]):
    """The one argument of every workflow. `id` is the workflow id; `title` says in words what is done."""

    id: UUID
    kind: str
    payload: P
    owner: str | None = None
    title: str = ""
    plan: tuple[PlannedStep, ...] = ()
    retry: Retry | None = None
    max_duration: timedelta = timedelta(hours=1)
    carried: Carried | None = None


class Outcome(Model):
    """How a job ended, as its workflow tells the ledger.

    `listed` is the field of the result under which the ledger lists what came of each of the job's items.
    """

    job_id: UUID
    status: Status
    result: Any = None
    error: Failure | None = None
    answered_by: str | None = None
    listed: str | None = None


class Standing(Model):
    """The status that stands in the ledger after a write, whoever wrote it.

    `result` is there for a workflow that has none: it said another end, and the job was completed before.
    """

    status: Status
    error: Failure | None = None
    result: Any = None
