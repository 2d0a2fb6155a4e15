"""The running diary's activities: files, exports and JSON in; figures out. Computed once, when they come in."""

from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api import uploads
from api.adapters.running_wire import (
    Activity,
    ActivityGiven,
    ActivityPage,
    ActivitySummary,
    ImportedFiles,
    TakenFile,
    TakenFiles,
    imported,
)
from api.dependencies import Auth, Given
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.listing import OfUser
from api.starting import started
from api.wire import Started, reply
from domain.errors import CallerError, PayloadTooLarge
from domain.options import Options
from domain.running.history import compared, similar
from domain.running.imports import KIND, ImportRequest
from domain.workout import WorkoutRefused
from engine.submit import Submission

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile

    from api.dependencies import Services
    from ledger.rows import Opened
    from ledger.workouts import WorkoutRow

router = APIRouter(prefix="/api/activities", tags=["running"])
MOST_FILES = 100
# As far back as a run is set against the runner's others; and among how many like it the similar ones are sought.
BEFORE, NEAR = timedelta(days=90), 50
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_FILES},
        "userId": {"type": "string", "maxLength": 256},
    },
}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": FORM},
        "application/json": {"schema": ActivityGiven.model_json_schema(ref_template="#/components/schemas/{model}")},
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Activity, "description": "The activity is known: by its content, or by its start"},
    202: {"model": Started, "description": "The file is an export: the job that imports it"},
    207: {"model": TakenFiles, "description": "Several files: what came of each"},
    413: {"model": Problem, "description": "The body is too large"},
}


@router.post("", status_code=201, response_model=Activity, responses=ANSWERS, openapi_extra={"requestBody": BODY})
async def post_activity(request: Request, given: Given, caller: Auth) -> Response:
    """Give a runner's activity: as a form with the file (FIT, GPX, TCX, also gzipped), or as JSON with summary, laps
    and streams.

    Files are known by their content. What is there already, by content or by its start to the second, is answered as
    it is and not changed. A zip is an export: it is answered with the job that imports its files. Several files are
    answered one by one; a single one that is refused is 422 with its reason as the code.
    """
    intake = given.workout_intake
    if not uploads.has_form(request):
        asked = await uploads.json_body(request, ActivityGiven, max_bytes=intake.max_bytes)
        user_id = _user(caller, asked.user_id)
        row, is_new = await intake.given(user_id, asked)
        await _write_about(row, given, is_new=is_new)
        return await _told(row, given, 201 if is_new else 200)
    async with uploads.form(request, max_bytes=intake.max_export_bytes, max_files=MOST_FILES) as form:
        user_id, found = _user(caller, uploads.word(form, "userId")), uploads.files(form)
        if len(found) > 1:
            entries = [await _one_of_many(each, user_id, given, caller) for each in found]
            return reply(TakenFiles(files=entries), 207)
        taken = await intake.file(user_id, found[0])
    if isinstance(taken, ImportRequest):
        return started(await _import(taken, given, caller), given.catalog[KIND])
    row, is_new = taken
    await _write_about(row, given, is_new=is_new)
    return await _told(row, given, 201 if is_new else 200)


@router.get("", response_model=ActivityPage, responses={422: {"model": Problem}})
async def list_activities(given: Given, caller: Auth, wanted: Annotated[OfUser, Depends()]) -> Response:
    """A user's activities, the latest start first."""
    before = wanted.before
    # a user has no two of one start
    rows = await given.workouts.page(wanted.of(caller), limit=wanted.limit + 1, before=before[0] if before else None)
    more = wanted.more(rows, lambda row: (row.started_at, row.id))
    return reply(ActivityPage(activities=[ActivitySummary.of(row) for row in rows[: wanted.limit]], next_cursor=more))


@router.get("/imports/{job_id}", response_model=ImportedFiles)
async def list_imported_files(
    job_id: str,
    given: Given,
    caller: Auth,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """What came of each file of an export: kept, known before, without a workout, or refused and why."""
    job = await given.job(job_id, caller)
    if job.kind != KIND:
        raise NotFound
    items = await given.items.page(job.id, after, limit + 1)
    files = [imported(item) for item in items[:limit]]
    return reply(ImportedFiles(files=files, next_after=files[-1].number if len(items) > limit else None))


@router.get("/{activity_id}", response_model=Activity)
async def get_activity(activity_id: str, given: Given, caller: Auth) -> Response:
    """One activity with its figures, and against the runner's own of the 28 and 90 days before it.

    Zones are drawn from the heart rates that the user has given, also since; else they are estimated, and say so.
    """
    row = await find(activity_id, given, caller)
    return await _told(await given.workout_intake.current(row), given)


@router.delete("/{activity_id}", status_code=204, response_class=Response)
async def delete_activity(activity_id: str, given: Given, caller: Auth) -> Response:
    """Delete an activity and all that was made of it."""
    row = await find(activity_id, given, caller)
    caller.writes_of(row.user_id)
    await given.workouts.delete(row.id)
    await given.audit.note(caller.name, "activity.delete", f"activities/{row.id}")
    return Response(status_code=204)


async def find(activity_id: str, given: "Services", caller: Caller) -> "WorkoutRow":
    """The activity of that id; raises NotFound also when it is not the caller's to see."""
    found = as_id(activity_id)
    row = await given.workouts.get(found) if found else None
    if row is None:
        raise NotFound
    caller.reads_of(row.user_id)
    return row


def _user(caller: Caller, asked: str | None) -> str:
    """Whose activity it is to be."""
    if not (user_id := caller.writes_of(asked)):
        raise CallerError("say whose activity it is", pointer="/userId")
    if len(user_id) > 256:
        raise CallerError("a user's id has at most 256 characters", pointer="/userId")
    return user_id


async def _one_of_many(upload: "UploadFile", user_id: str, given: "Services", caller: Caller) -> TakenFile:
    name = PurePath(upload.filename or "").name[:300]
    try:
        taken = await given.workout_intake.file(user_id, upload)
    except (WorkoutRefused, PayloadTooLarge) as refused:
        return TakenFile(file=name, status="refused", code=refused.code, reason=refused.message)
    if isinstance(taken, ImportRequest):
        return TakenFile(file=name, status="importing", job_id=(await _import(taken, given, caller)).id)
    row, is_new = taken
    await _write_about(row, given, is_new=is_new)
    return TakenFile(file=name, status="new" if is_new else "known", activity=ActivitySummary.of(row))


async def _write_about(row: "WorkoutRow", given: "Services", *, is_new: bool) -> None:
    """A new run's letter and insight, where the user wants them without being asked; exports are left to an ingest."""
    if is_new and row.is_run:
        await given.auto_content.for_new(row.user_id, row.id)


async def _import(asked: ImportRequest, given: "Services", caller: Caller) -> "Opened":
    """The job that imports an export; one that is at the same export already is joined."""
    options = Options(owner=asked.user_id, skip_if_active=True)
    by = caller.acting_for(asked.user_id)
    [opened] = await given.submitter.submit([Submission(KIND, asked.model_dump(by_alias=True), options, by=by)])
    return opened


async def _told(row: "WorkoutRow", given: "Services", status: int = 200) -> Response:
    """The activity, and how it stands among the runner's own."""
    run, comparison, like = row.summary, {}, ()
    if row.is_run:
        recent = await given.workouts.summaries(row.user_id, since=row.started_at - BEFORE, until=row.started_at)
        comparison = compared(run, recent)
        if distance := run.values.get("distance"):
            near = await given.workouts.nearest(row.user_id, distance, until=row.started_at, limit=NEAR)
            like = similar(run, near)
    body = Activity.told(row, comparison, like)
    return reply(body, status, Location=f"/api/activities/{row.id}") if status == 201 else reply(body, status)
