"""What may be asked of a job besides its payload, and how lists of jobs are filtered."""

from datetime import datetime
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from longrun.models import Status


def _wire_name(name: str) -> str:
    return "idempotencyKeyTTL" if name == "idempotency_key_ttl" else to_camel(name)


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_wire_name, populate_by_name=True)


class Retry(_Asked):
    """Overrides each step's own policy; times in milliseconds."""

    max_attempts: int | None = None
    min_timeout_in_ms: int | None = None
    max_timeout_in_ms: int | None = None
    factor: float | None = None
    randomize: bool | None = None


class Budget(_Asked):
    """The job ends `failed` with the code `budget_exceeded` before it spends more than this."""

    max_cost_usd: float | None = None
    max_tokens: int | None = None


class Debounce(_Asked):
    """Starts within `delay` of each other under one `key` become one job."""

    key: str
    delay: str
    mode: Literal["leading", "trailing"] | None = None


class Options(_Asked):
    """Durations are written `90s`, `5m`, `2h`, `3d`; `max_duration` is in seconds. The server knows the rest."""

    owner: str | None = None
    tier: Literal["free", "premium"] | None = None
    idempotency_key: str | None = None
    idempotency_key_ttl: str | None = None
    skip_if_active: bool | None = None
    active_key: str | None = None
    debounce: Debounce | None = None
    delay: str | datetime | None = None
    ttl: str | None = None
    priority: int | None = None
    concurrency_key: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None
    retry: Retry | None = None
    max_duration: int | None = None
    budget: Budget | None = None
    webhook: str | None = None
    email: str | None = None


class UserOptions(TypedDict, total=False):
    """What is told of a user; what is left out has its default. `heart_rate` is {"resting", "max"}, beats a minute."""

    tier: Literal["free", "premium"]
    timezone: str | None
    email: str | None
    auto_generate: bool
    heart_rate: dict[str, int] | None


class MetadataChange(TypedDict, total=False):
    """By key, in this order: `set` a value, `append` to a list, `increment` a number (from 0), `remove` keys."""

    set: dict[str, Any]
    append: dict[str, Any]
    increment: dict[str, float]
    remove: list[str]


class Filters(TypedDict, total=False):
    """Which jobs to list. Without any: all that are still open."""

    job_type: str
    status: Status
    owner: str
    tag: str
    batch_id: str
    parent_id: str
    schedule_id: str
    created_after: datetime
    created_before: datetime
    stuck: bool
    retrying: bool
