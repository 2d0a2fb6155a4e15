"""Schedules: jobs that start again and again, each carried by the Temporal Schedule of the same id."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from api.dependencies import Auth, Given, Services
from api.errors import NotFound, Problem
from api.grants import Caller
from api.wire import JOB_ID, reply
from domain.errors import CallerError
from domain.job import Failure
from domain.model import Model
from domain.schedule import Overlap, ScheduleChange, ScheduleRequest
from engine.scheduling import ScheduleNotFound, wire
from ledger.schedules import ScheduleRow

router = APIRouter(prefix="/api/schedules", tags=["schedules"])
MOST = 100
DOWN: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "The engine or the ledger is down"}}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Somebody else changes it, or another one has the deduplication key"}
}


class ScheduleView(Model):
    """A schedule. `nextRunAt` is null while it is paused, or when its time never comes.

    `lastError` is why the last firing could open no job. `note` says why it is paused, when nobody asked that here.
    """

    id: str = Field(examples=["sched_8c0f3c5e5d0c4b8e9a520f2b7f9d1c11"])
    job_type: str = Field(examples=["company-research"])
    payload: dict[str, Any]
    cron: str = Field(examples=["30 9 * * MON-FRI"])
    timezone: str = Field(examples=["America/New_York"])
    overlap: Overlap
    catchup_window: str = Field(examples=["1h"])
    jitter: str | None
    deduplication_key: str | None
    options: dict[str, Any]
    owner: str | None
    paused: bool
    note: str | None
    next_run_at: datetime | None
    last_job_id: UUID | None = Field(examples=[JOB_ID])
    last_fired_at: datetime | None
    last_error: Failure | None
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, row: ScheduleRow) -> Self:
        return cls(
            id=row.id,
            job_type=row.kind,
            payload=row.payload,
            cron=row.cron,
            timezone=row.timezone,
            overlap=row.overlap,
            catchup_window=row.catchup_window,
            jitter=row.jitter,
            deduplication_key=row.deduplication_key,
            options=row.options,
            owner=row.owner or None,
            paused=row.paused,
            note=row.note,
            next_run_at=row.next_run_at,
            last_job_id=row.last_job_id,
            last_fired_at=row.last_fired_at,
            last_error=row.last_error,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class SchedulePage(Model):
    """Newest first; `nextCursor` is null on the last page."""

    schedules: list[ScheduleView]
    next_cursor: str | None


class Upcoming(Model):
    """The next five times that it fires; none while it is paused."""

    times: list[datetime]


@router.post(
    "",
    status_code=201,
    response_model=ScheduleView,
    responses={200: {"model": ScheduleView, "description": "The deduplication key is known"}, **CONFLICT, **DOWN},
)
async def create_schedule(asked: ScheduleRequest, given: Given, caller: Auth) -> Response:
    """Start a job again and again, where no `timezone` is named in that of its owner.

    A `deduplicationKey` that the owner has used before changes that schedule and answers 200. What the engine refuses
    is 422 with its reason.
    """
    kind = given.catalog[asked.job_type]
    owner = caller.starts(kind.name, kind.aliases, asked.options.owner, by_name=kind.only_by_name(asked.payload))
    if caller.grants is not None and owner not in caller.grants.writes:
        raise NotFound  # a token that may start a kind is for its own jobs alone
    options = given.served(asked.options, caller).model_copy(update={"owner": owner})
    asked = await _placed(asked.model_copy(update={"options": options}), owner, given)
    row, new = await given.scheduling.create(asked)
    await _noted(given, caller, "create" if new else "change", row)
    return reply(ScheduleView.of(row), 201 if new else 200, Location=f"/api/schedules/{row.id}")


@router.get("", response_model=SchedulePage)
async def list_schedules(
    given: Given,
    caller: Auth,
    owner: Annotated[str | None, Query(min_length=1, max_length=256)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    cursor: Annotated[str | None, Query(description="`nextCursor` of the page before.")] = None,
) -> Response:
    """List schedules, newest first; a token's are those of its owners."""
    if caller.grants is None:
        owners = None if owner is None else [owner]
    else:
        owners = [each for each in caller.grants.owners if owner in (None, each)]
        if not owners:
            raise NotFound
    last = await given.schedules.get(cursor) if cursor else None
    if cursor and (last is None or last.created_at is None):
        raise CallerError("this cursor is none of ours, or its schedule is gone", pointer="?cursor")
    before = (last.created_at, last.id) if last and last.created_at else None
    rows = await given.schedules.list(owners, limit=limit + 1, before=before)
    views = [ScheduleView.of(row) for row in await given.scheduling.current(rows[:limit])]
    return reply(SchedulePage(schedules=views, next_cursor=views[-1].id if len(rows) > limit else None))


@router.get("/{schedule_id}", response_model=ScheduleView)
async def get_schedule(schedule_id: str, given: Given, caller: Auth) -> Response:
    """One schedule; also while the engine is down, when its next time may not be known."""
    [row] = await given.scheduling.current([await _seen(schedule_id, given, caller)])
    return reply(ScheduleView.of(row))


@router.put("/{schedule_id}", response_model=ScheduleView, responses={**CONFLICT, **DOWN})
async def put_schedule(schedule_id: str, asked: ScheduleRequest, given: Given, caller: Auth) -> Response:
    """Say anew what a schedule starts and when. Its owner stays, and whether it is paused."""
    row = await _own(schedule_id, given, caller)
    return await _changed(row, await _placed(asked, row.owner, given), given, caller)


@router.patch("/{schedule_id}", response_model=ScheduleView, responses={**CONFLICT, **DOWN})
async def change_schedule(schedule_id: str, asked: ScheduleChange, given: Given, caller: Auth) -> Response:
    """Change what is given of a schedule; what is left out stays."""
    row = await _own(schedule_id, given, caller)
    changes = asked.model_dump(mode="json", by_alias=True, exclude_unset=True)
    try:
        whole = ScheduleRequest.model_validate(wire(row) | changes)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    return await _changed(row, whole, given, caller)


@router.delete("/{schedule_id}", status_code=204, responses=DOWN)
async def delete_schedule(schedule_id: str, given: Given, caller: Auth) -> Response:
    """End a schedule. Its jobs stay as they are; one that runs goes on."""
    row = await _own(schedule_id, given, caller)
    await given.scheduling.delete(row)
    await _noted(given, caller, "delete", row)
    return Response(status_code=204)


@router.post("/{schedule_id}/pause", response_model=ScheduleView, responses={**CONFLICT, **DOWN})
async def pause_schedule(schedule_id: str, given: Given, caller: Auth) -> Response:
    """Let it fire no more until it is resumed. A job that runs goes on."""
    row = await given.scheduling.pause(await _own(schedule_id, given, caller))
    await _noted(given, caller, "pause", row)
    return reply(ScheduleView.of(row))


@router.post("/{schedule_id}/resume", response_model=ScheduleView, responses={**CONFLICT, **DOWN})
async def resume_schedule(schedule_id: str, given: Given, caller: Auth) -> Response:
    """Let it fire again from the next time on; times that went by are left out."""
    row = await given.scheduling.resume(await _own(schedule_id, given, caller))
    await _noted(given, caller, "resume", row)
    return reply(ScheduleView.of(row))


@router.post("/{schedule_id}/trigger", status_code=202, response_model=ScheduleView, responses=DOWN)
async def trigger_schedule(schedule_id: str, given: Given, caller: Auth) -> Response:
    """Fire now, paused or not; `overlap` holds as at any time. The job is found by `GET /api/jobs?scheduleId=`."""
    row = await _own(schedule_id, given, caller)
    await given.scheduling.trigger(row)
    await _noted(given, caller, "trigger", row)
    return reply(ScheduleView.of(row), 202)


@router.get("/{schedule_id}/upcoming", response_model=Upcoming, responses=DOWN)
async def upcoming(schedule_id: str, given: Given, caller: Auth) -> Response:
    """The next five times, as the engine says them; none while it is paused."""
    row = await _seen(schedule_id, given, caller)
    return reply(Upcoming(times=list(await given.scheduling.upcoming(row))))


async def _seen(schedule_id: str, given: Services, caller: Caller) -> ScheduleRow:
    row = await given.schedules.get(schedule_id)
    if row is None or not (caller.grants is None or (row.owner and row.owner in caller.grants.owners)):
        raise ScheduleNotFound("there is no such schedule, or it is not yours to see")
    return row


async def _own(schedule_id: str, given: Services, caller: Caller) -> ScheduleRow:
    """The schedule, for somebody who may change it."""
    row = await _seen(schedule_id, given, caller)
    if caller.grants is not None and row.owner not in caller.grants.writes:
        raise ScheduleNotFound("there is no such schedule, or it is not yours to change")
    return row


async def _placed(asked: ScheduleRequest, owner: str | None, given: Services) -> ScheduleRequest:
    """In the timezone of its owner, where it names none."""
    user = await given.users.get(owner) if owner and "timezone" not in asked.model_fields_set else None
    return asked.model_copy(update={"timezone": user.timezone}) if user and user.timezone else asked


async def _changed(row: ScheduleRow, asked: ScheduleRequest, given: Services, caller: Caller) -> Response:
    if (asked.options.owner or row.owner or None) != (row.owner or None):
        raise CallerError("a schedule keeps its owner", pointer="/options/owner")
    kind = given.catalog[asked.job_type]
    caller.starts(kind.name, kind.aliases, row.owner or None, by_name=kind.only_by_name(asked.payload))
    given.served(asked.options, caller)
    changed = await given.scheduling.change(row, asked)
    await _noted(given, caller, "change", changed)
    return reply(ScheduleView.of(changed))


async def _noted(given: Services, caller: Caller, action: str, row: ScheduleRow) -> None:
    await given.audit.note(caller.acting_for(row.owner), f"schedule.{action}", f"schedules/{row.id}")
