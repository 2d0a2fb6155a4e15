"""`options` of a start, as the contract has them; what is modelled but not served yet is refused, never ignored."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from domain.job import Retry, Tier
from domain.model import Request
from domain.telling import EMAIL, WebhookUrl

LONGEST_WAIT_MS = 3_600_000
LONGEST = timedelta(days=3650)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(value: object) -> object:
    """`90s`, `5m`, `2h`, `3d` as a timedelta; ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,9})([smhd])", str(value))
    if not found:
        raise ValueError("a duration is a whole number and a unit: 90s, 5m, 2h, 3d")
    asked = timedelta(**{UNITS[found[2]]: int(found[1])})
    if asked > LONGEST:
        raise ValueError(f"a duration is at most {LONGEST.days}d")
    return asked


def _say(value: timedelta) -> str:
    return f"{int(value.total_seconds())}s"


def _moment(value: object) -> object:
    return value if isinstance(value, datetime) or "T" in str(value) else duration(value)


def _somewhere(value: timedelta | datetime) -> timedelta | datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("a time says where: 2030-01-31T08:00:00Z")
    return value


Duration = Annotated[timedelta, BeforeValidator(duration), PlainSerializer(_say, return_type=str)]
DurationOrTime = Annotated[timedelta | datetime, BeforeValidator(_moment), AfterValidator(_somewhere)]
Tag = Annotated[str, Field(min_length=1, max_length=128)]


class Budget(Request):
    """Stops the job with `budget_exceeded`; USD and tokens, whichever is reached first."""

    max_cost_usd: Decimal | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, gt=0)


def _debounce_delay(delay: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= delay <= timedelta(days=1):
        raise ValueError("a debounce delay is between a second and a day")
    return delay


class Debounce(Request):
    """While a job with this key waits, the same call pushes its start to `delay` from now and answers that job.

    The start is pushed to at most ten times the delay after the first call. `trailing` takes the newest payload,
    `leading` keeps the first.
    """

    key: str = Field(min_length=1, max_length=512)
    delay: Annotated[Duration, AfterValidator(_debounce_delay)]
    mode: Literal["leading", "trailing"] = "leading"


class RetryOptions(Request, Retry):
    """Overrides each step's own policy where given; waits grow by `factor` from the shortest to the longest.

    `randomize` makes each wait up to twice as long, never longer than the longest.
    """

    max_attempts: int | None = Field(default=None, ge=1, le=20)
    min_timeout_in_ms: int | None = Field(default=None, ge=0, le=LONGEST_WAIT_MS)
    max_timeout_in_ms: int | None = Field(default=None, ge=0, le=LONGEST_WAIT_MS)
    factor: float | None = Field(default=None, ge=1, le=100)

    @field_validator("max_timeout_in_ms")
    @classmethod
    def _at_least_the_shortest(cls, longest: int | None, info: ValidationInfo) -> int | None:
        shortest = info.data.get("min_timeout_in_ms")
        if longest is not None and shortest is not None and longest < shortest:
            raise ValueError("maxTimeoutInMs must not be less than minTimeoutInMs")
        return longest


class Options(Request):
    """Options of one job. `metadata` holds at most 256 KiB, `tags` at most ten."""

    owner: str | None = Field(default=None, min_length=1, max_length=256)
    tier: Tier | None = Field(default=None, description="By default the one of the user's row, else free.")
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=2048)
    idempotency_key_ttl: Duration = Field(default=timedelta(days=30), alias="idempotencyKeyTTL")
    skip_if_active: bool = False
    active_key: str | None = Field(default=None, min_length=1, max_length=512)
    tags: tuple[Tag, ...] = Field(default=(), max_length=10)
    metadata: dict[str, Any] = Field(default_factory=dict)
    max_duration: int | None = Field(default=None, ge=1, le=30 * 86400, description="seconds")
    budget: Budget | None = None
    debounce: Debounce | None = None
    delay: DurationOrTime | None = None
    ttl: Duration | None = None
    priority: int = Field(default=3, ge=1, le=5)
    concurrency_key: str | None = Field(default=None, min_length=1, max_length=512)
    retry: RetryOptions | None = None
    webhook: WebhookUrl | None = None
    email: str | None = Field(default=None, max_length=320, pattern=EMAIL)

    @field_validator("debounce")
    @classmethod
    def _debounce_alone(cls, debounce: Debounce | None, info: ValidationInfo) -> Debounce | None:
        if debounce is not None and info.data.get("skip_if_active"):
            raise ValueError("debounce and skipIfActive exclude each other")
        return debounce

    @field_validator("delay")
    @classmethod
    def _one_delay(cls, delay: timedelta | datetime | None, info: ValidationInfo) -> timedelta | datetime | None:
        if delay is not None and info.data.get("debounce"):
            raise ValueError("debounce has a delay of its own")
        return delay
