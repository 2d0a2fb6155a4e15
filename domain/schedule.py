"""What is asked of a schedule: which job, when, and what to do when the one before is still running."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from domain.cron import calendars
from domain.model import Model, Request
from domain.options import Options, duration

Overlap = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"]
# A firing starts its job itself, at once and anew: nothing is left to wait for, to join or to be answered by.
MEANINGLESS = (
    *("delay", "ttl", "debounce", "skip_if_active", "concurrency_key"),
    *("idempotency_key", "idempotency_key_ttl"),
)
SHORTEST_CATCHUP, LONGEST = timedelta(seconds=10), timedelta(days=365)


def seconds(text: str) -> timedelta:
    """A duration as it was written."""
    value = duration(text)
    if not isinstance(value, timedelta):
        raise ValueError("this is no duration")
    return value


def _cron(text: str) -> str:
    calendars(text)
    return " ".join(text.split())


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("this is no IANA time zone, such as Europe/Berlin") from None
    return name


def _catchup(text: str) -> str:
    if not SHORTEST_CATCHUP <= seconds(text) <= LONGEST:
        raise ValueError("a firing is caught up with for 10 seconds to 365 days")
    return text


def _jitter(text: str) -> str:
    if seconds(text) > timedelta(days=1):
        raise ValueError("a firing comes at most a day late")
    return text


Cron = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_cron)]
Timezone = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_timezone)]
Catchup = Annotated[str, AfterValidator(_catchup)]
Jitter = Annotated[str, AfterValidator(_jitter)]
DeduplicationKey = Annotated[str, Field(min_length=1, max_length=512)]


class ScheduleRequest(Request):
    """A job to start again and again.

    `cron` has five fields (`30 9 * * MON-FRI`, `0 8 * * MON#1`) or is `@daily`, `@hourly` and the like, or
    `@every 90m`; it is read in `timezone`, by default in that of the owner (`PUT /api/users/{id}`), else in UTC. A
    local time that a change of clocks leaves out does not come that day; one that it repeats comes twice. `overlap`
    says what happens when the job of an earlier firing still runs. `catchupWindow` is how late a firing may come that
    the service was down for, `jitter` by how much each is spread.
    `deduplicationKey` makes a second call change the first one's schedule (each owner's keys are their own).
    `options` are those of a start, without what makes a job wait or join another.
    """

    job_type: str = Field(min_length=1, max_length=200, examples=["company-research"])
    payload: dict[str, Any] = Field(examples=[{"companyName": "Stripe", "role": "Backend Engineer"}])
    cron: Cron = Field(examples=["30 9 * * MON-FRI"])
    timezone: Timezone = Field(default="UTC", examples=["America/New_York"])
    overlap: Overlap = "skip"
    catchup_window: Catchup = Field(default="1h", examples=["10m"])
    jitter: Jitter | None = Field(default=None, examples=["30s"])
    deduplication_key: DeduplicationKey | None = None
    options: Options = Options()


class ScheduleChange(Request):
    """What is to be different; what is left out stays. The owner stays in any case."""

    job_type: str | None = Field(default=None, min_length=1, max_length=200)
    payload: dict[str, Any] | None = None
    cron: Cron | None = None
    timezone: Timezone | None = None
    overlap: Overlap | None = None
    catchup_window: Catchup | None = None
    jitter: Jitter | None = Field(default=None, description="null: none")
    deduplication_key: DeduplicationKey | None = Field(default=None, description="null: none")
    options: Options | None = None


class Fire(Model):
    """What the workflow of a firing is told: which schedule, and the mark of the schedule's last change."""

    schedule_id: str
    mark: str
