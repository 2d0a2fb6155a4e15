"""Typed rows. JobRow is a job as the ledger knows it, its steps merged from plan and writes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from domain.job import Failure, Items, PlannedStep, Progress, Retry, Status, StepState, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg import Record


@dataclass(frozen=True)
class NewJob:
    """One row to open. Times in seconds; `in_engine` rows are started by their parent, not by the dispatcher.

    `asked_by` is for the audit: the first event says it. `items`, where the payload has a long list: it, as JSON.
    """

    id: UUID
    kind: str
    payload: dict[str, Any]
    plan: tuple[PlannedStep, ...]
    payload_hash: str
    title: str = ""
    owner: str = ""
    tier: Tier | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    retry: Retry | None = None
    max_duration_seconds: int = 3600
    max_tokens: int | None = None
    max_usd: Decimal | None = None
    idempotency_key: str | None = None
    key_ttl_seconds: float = 30 * 86400.0
    active_key: str | None = None
    joinable: bool = False
    cache_key: str | None = None
    fresh: bool = False
    concurrency_key: str = ""
    priority: int = 3
    not_before: datetime | None = None
    start_by: datetime | None = None
    parent_id: UUID | None = None
    batch_id: UUID | None = None
    schedule_id: str | None = None
    replay_of: UUID | None = None
    webhook: str | None = None
    email: str | None = None
    debounce_key: str | None = None
    debounce_seconds: float | None = None
    debounce_trailing: bool = False
    asked_by: str | None = None
    in_engine: bool = False
    items: Sequence[Any] | None = None

    def arguments(self, names: "Sequence[str]") -> list[Any]:
        """These of its fields."""
        values = {**vars(self), "plan": [step.model_dump(by_alias=True) for step in self.plan]}
        if self.retry is not None:
            values["retry"] = self.retry.model_dump(by_alias=True, exclude_none=True)
        return [values[name] for name in names]

    def record(self) -> dict[str, Any]:
        """As a JSON object, where another job may stand in its place."""
        return {
            name: str(value) if isinstance(value, UUID) else value
            for name, value in vars(self).items()
            if name in STANDING and value is not None
        }


STANDING = frozenset(
    {
        *("id", "kind", "owner", "title", "payload", "payload_hash", "active_key", "joinable", "cache_key"),
        *("idempotency_key", "key_ttl_seconds", "debounce_key", "debounce_seconds", "debounce_trailing"),
    }
)


@dataclass(frozen=True)
class Opened:
    """What stands after asking for a job. `why`: opened | key (idempotency) | active (joined) | waiting (debounced)."""

    id: UUID
    status: Status
    why: str = "opened"


@dataclass(frozen=True)
class Claimed:
    """A job that this process may start now."""

    id: UUID
    kind: str
    owner: str
    tier: str
    title: str
    payload: dict[str, Any]
    plan: list[dict[str, Any]]
    retry: dict[str, Any] | None
    max_duration_seconds: int
    priority: int
    cancel_requested: bool


@dataclass(frozen=True)
class Event:
    """One line of a job's history; `seq` counts from 1 without gaps."""

    job_id: UUID
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class JobRow:
    """A job. `states` are its steps as they are shown: a StepState each, its fields by their names on the wire.

    `usage` is {inputTokens, outputTokens, audioSeconds, costUsd (None: unknown price), byModel} or empty.

    `stuck` is {step, attempt, since} while nothing is heard of it for longer than its step allows. `blanked_at`: since
    when payload and result are gone.
    """

    id: UUID
    kind: str
    owner: str
    tier: Tier
    status: Status
    title: str
    payload: dict[str, Any]
    plan: tuple[PlannedStep, ...]
    states: tuple[dict[str, Any], ...]
    result: Any
    error: Failure | None
    items: Items | None
    usage: dict[str, Any]
    spent_usd: Decimal
    answered_by: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    retry: dict[str, Any] | None
    max_duration_seconds: int
    max_tokens: int | None
    max_usd: Decimal | None
    idempotency_key: str | None
    concurrency_key: str
    priority: int
    fair_rank: float | None
    claimed_until: datetime | None
    webhook: str | None
    email: str | None
    parent_id: UUID | None
    batch_id: UUID | None
    schedule_id: str | None
    replay_of: UUID | None
    event_seq: int
    engine_started_at: datetime | None
    cancel_requested_at: datetime | None
    cancel_requested_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    blanked_at: datetime | None
    stuck: dict[str, Any] | None

    @property
    def progress(self) -> Progress:
        progress = Progress.of([state["status"] for state in self.states], self.items)
        if progress.eta_seconds is None:
            return progress
        return progress.model_copy(update={"eta_seconds": None}) if self.status.terminal else progress.by(now())

    @property
    def steps(self) -> tuple[StepState, ...]:
        return tuple(StepState.model_validate(state) for state in self.states)

    @classmethod
    def of(cls, row: "Mapping[str, Any] | Record") -> Self:
        status = Status(row["status"])
        plan = planned(tuple(tuple(step.items()) for step in row["plan"]))
        fields = dict(row)
        fields["status"], fields["plan"], fields["tags"] = status, plan, tuple(row["tags"])
        fields["states"] = merge(plan, row["states"], closed=status.terminal)
        fields["error"] = Failure.model_validate(row["error"]) if row["error"] else None
        fields["items"] = Items.model_validate(row["items"]) if row["items"] else None
        made = object.__new__(cls)
        # at once: a frozen dataclass would set them one by one, which takes longer than to read them
        object.__setattr__(made, "__dict__", fields)
        return made


def now() -> datetime:
    return datetime.now(UTC)


@lru_cache(1000)
def planned(steps: "tuple[tuple[tuple[str, Any], ...], ...]") -> tuple[PlannedStep, ...]:
    """The plan whose steps have these fields: most jobs of a kind have the same one."""
    return tuple(PlannedStep.model_validate(dict(step)) for step in steps)


@lru_cache(1000)
def not_begun(plan: tuple[PlannedStep, ...], closed: bool) -> dict[str, dict[str, Any]]:
    """The states of steps before any of them began, or when none will any more; not to be changed."""
    status = "skipped" if closed else "pending"
    states = [StepState(name=step.name, status=status, max_attempts=step.max_attempts) for step in plan]
    return {state.name: state.model_dump(by_alias=True) for state in states}


def merge(
    plan: tuple[PlannedStep, ...], written: "Sequence[Mapping[str, Any]]", *, closed: bool
) -> tuple[dict[str, Any], ...]:
    """One state a step name: its newest repeat; a stand-in (`#otherwise`) does not speak for its step."""
    states = dict(not_begun(plan, closed))
    for row in written:
        if not row["activityId"].endswith("#otherwise"):
            # in a dict, as lists hold thousands of them
            states[row["name"]] = {
                "name": row["name"],
                "status": row["status"],
                "attempt": row["failures"] + (row["status"] != "failed"),
                "maxAttempts": row["maxAttempts"],
                "deliveries": row["deliveries"],
                "startedAt": datetime.fromisoformat(row["startedAt"]) if row["startedAt"] else None,
                "finishedAt": datetime.fromisoformat(row["finishedAt"]) if row["finishedAt"] else None,
                "error": Failure.model_validate(row["error"]) if row["error"] else None,
            }
    return tuple(states.values())
