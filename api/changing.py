"""Changing a job that was asked for: when it starts, what is noted on it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from api.dependencies import Auth, Given
from api.errors import NotFound, Problem, pointer
from api.wire import JobView, reply
from domain.errors import CallerError, NotDelayed, PayloadTooLarge
from domain.model import Request
from domain.options import DurationOrTime, Tag
from engine.submit import METADATA_BYTES
from ledger.changes import Patch
from ledger.views import shown

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
LONGEST = timedelta(days=366)
Key = Annotated[str, Field(min_length=1, max_length=512)]


def _start(delay: timedelta | datetime) -> datetime:
    now = datetime.now(UTC)
    if isinstance(delay, datetime) and delay.tzinfo is None:
        raise ValueError("say the time with its zone: 2026-03-01T09:00:00Z")
    if (isinstance(delay, timedelta) and delay > LONGEST) or (isinstance(delay, datetime) and delay > now + LONGEST):
        raise ValueError("a job waits for at most 366 days")
    return now + delay if isinstance(delay, timedelta) else delay


class Reschedule(Request):
    """When the job is to start: a duration from now, or a time."""

    delay: Annotated[DurationOrTime, AfterValidator(_start)] = Field(examples=["5m", "2026-03-01T09:00:00Z"])


class MetadataChange(Request):
    """By key, in this order: `set` a value, `append` to a list, `increment` a number (from 0), `remove` keys.

    Where no list is, `append` begins one, with the value that was there.
    """

    put: dict[Key, Any] = Field(default_factory=dict, alias="set", max_length=1000)
    append: dict[Key, Any] = Field(default_factory=dict, max_length=1000)
    increment: dict[Key, Annotated[float | int, Field(allow_inf_nan=False)]] = Field(
        default_factory=dict, max_length=1000
    )
    remove: tuple[Key, ...] = Field(default=(), max_length=1000)


class Change(Request):
    """What is left out stays. `tags` replace those that are there."""

    tags: tuple[Tag, ...] | None = Field(default=None, max_length=10)
    metadata: MetadataChange = MetadataChange()


@router.post("/{job_id}/reschedule", response_model=JobView, responses={409: {"model": Problem}})
async def reschedule(job_id: str, asked: Reschedule, given: Given, caller: Auth) -> Response:
    """Have a delayed job start at another time; 409 `not_delayed` once it waits for its time no longer."""
    row = await given.job(job_id, caller)
    if not caller.changes(row):
        raise NotFound
    start: Any = asked.delay
    if await given.changes.reschedule(row.id, start, by=caller.acting_for(row.owner)) == "not delayed":
        raise NotDelayed("the job does not wait for a time, or no longer")
    return reply(shown(await given.job(job_id, caller)))


@router.patch(
    "/{job_id}",
    response_model=JobView,
    responses={413: {"model": Problem, "description": "Metadata would be larger than 256 KiB"}},
)
async def patch(job_id: str, asked: Change, given: Given, caller: Auth) -> Response:
    """Change a job's tags and metadata, also of a job that has ended. Changes that race are all kept."""
    row = await given.job(job_id, caller)
    if not caller.changes(row):
        raise NotFound
    noted = asked.metadata
    change = Patch(asked.tags, noted.put, noted.append, noted.increment, noted.remove)
    by = caller.acting_for(row.owner)
    if refused := await given.changes.patch(row.id, change, by=by, most=METADATA_BYTES):
        if refused.key is None:
            raise PayloadTooLarge("metadata holds at most 256 KiB", pointer="/metadata")
        raise CallerError("this holds no number", pointer=pointer(("metadata", "increment", refused.key)))
    # read by id alone: with other tags the caller may see it no longer
    return reply(shown(await given.jobs.get(row.id) or row))
