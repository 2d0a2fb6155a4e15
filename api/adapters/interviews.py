"""The interview tool's timeline items: a recording in, a row at once; transcript, questions and scores as they come."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api import uploads
from api.adapters.interviews_wire import Item, ItemGiven, ItemPage, ItemSummary
from api.dependencies import Auth, Given, StreamAuth, note_job
from api.errors import NotFound, Problem
from api.grants import Caller, as_id
from api.listing import OfUser
from api.ranges import part_of
from api.wire import reply
from domain.errors import CallerError, JobError, PayloadTooLarge, VendorError
from domain.interviews.audio import StoreUnavailable
from domain.interviews.export import as_markdown
from intake.interviews import is_address

if TYPE_CHECKING:
    from domain.interviews.item import Interview

router = APIRouter(prefix="/api/timeline-items", tags=["interviews"])
JSON_BYTES = 64 * 1024
MARKDOWN = "text/markdown"
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "userId": {"type": "string", "maxLength": 256},
        "jobPositionId": {"type": "string", "format": "uuid"},
    },
}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": FORM},
        "application/json": {"schema": ItemGiven.model_json_schema(ref_template="#/components/schemas/{model}")},
    },
}
PROBLEM = {"model": Problem}
GIVEN: dict[int | str, dict[str, Any]] = {
    413: {**PROBLEM, "description": "The recording is larger than may be"},
    503: {**PROBLEM, "description": "The ledger or the store of recordings does not answer"},
}
AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {}}, "description": "The recording"},
    206: {"content": {"audio/*": {}}, "description": "The part of it that `Range` names"},
    416: {**PROBLEM, "description": "Nothing of it lies there"},
    503: {**PROBLEM, "description": "The store of recordings does not answer"},
}
EXPORT: dict[int | str, dict[str, Any]] = {200: {"content": {MARKDOWN: {}}, "description": "As a file"}}


@router.post("", status_code=201, response_model=Item, responses=GIVEN, openapi_extra={"requestBody": BODY})
async def post_item(request: Request, given: Given, caller: Auth) -> Response:
    """Give an interview's recording: as a form with the file (wav, mp3, m4a, mp4, ogg, webm, flac: by its content), or
    as JSON with `audio`, the address where it lies.

    A job of the kind `analyse-interview` transcribes it and scores its answers: poll the row while its
    `processingStatus` is `pending` or `processing`. A file that holds no interview is refused: `empty_file`,
    `not_audio`, `no_audio_track`, `truncated_file`, `broken_file`, `silent_audio`, `too_long`; 422 `not_configured`
    where nothing can be transcribed. A job that cannot be started is started later.
    """
    intake = given.interview_intake
    intake.check()
    if not uploads.has_form(request):
        asked = await uploads.json_body(request, ItemGiven, max_bytes=JSON_BYTES)
        if not is_address(asked.audio):
            # read with the service's own key: of whom such a file is, only servers know
            caller.server_only()
        user_id = _user(caller, asked.user_id)
        by = caller.acting_for(user_id)
        row = await intake.elsewhere(user_id, asked.audio, asked.job_position_id, by=by)
    else:
        async with uploads.form(request, max_bytes=given.settings.audio_max_bytes, max_files=1) as form:
            user_id, [file] = _user(caller, uploads.word(form, "userId")), uploads.files(form)
            if (file.size or 0) > given.settings.audio_max_bytes:
                raise PayloadTooLarge(f"a recording holds at most {given.settings.audio_max_bytes:,} bytes")
            position_id = _position(uploads.word(form, "jobPositionId"))
            row = await intake.uploaded(user_id, file, position_id, by=caller.acting_for(user_id))
    if row.job_id:
        note_job(row.job_id)
    return reply(Item.of(row), 201, Location=f"/api/timeline-items/{row.id}")


@router.get("", response_model=ItemPage, responses={422: {"model": Problem}})
async def list_items(given: Given, caller: Auth, wanted: Annotated[OfUser, Depends()]) -> Response:
    """A user's interviews, newest first."""
    rows = await given.interviews.page(wanted.of(caller), limit=wanted.limit + 1, before=wanted.before)
    more = wanted.more(rows, lambda row: (row.created_at, row.id))
    return reply(ItemPage(timeline_items=[ItemSummary.of(row) for row in rows[: wanted.limit]], next_cursor=more))


@router.get("/{item_id}", response_model=Item)
async def get_item(item_id: str, given: Given, caller: Auth) -> Response:
    """An interview as it stands: its transcript once it was heard, each question's scores once it was judged."""
    row = await given.interview_intake.current(await _row(item_id, given.interviews.get, caller))
    return reply(Item.of(row))


@router.delete("/{item_id}", status_code=204)
async def delete_item(item_id: str, given: Given, caller: Auth) -> Response:
    """Delete an interview: recording, transcript and scores. A job that is at it is canceled."""
    row = await _row(item_id, given.interviews.listed, caller)
    caller.writes_of(row.user_id)
    await given.interview_intake.delete(row.id, by=caller.acting_for(row.user_id))
    return Response(status_code=204)


@router.get("/{item_id}/audio", response_class=Response, responses=AUDIO)
async def get_audio(
    item_id: str,
    given: Given,
    caller: StreamAuth,
    asked: Annotated[str | None, Header(alias="Range", description="One range of bytes.")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range")] = None,
) -> Response:
    """The recording, or a part of it: players ask for parts by `Range`."""
    row = await _row(item_id, given.interviews.listed, caller)
    if row.audio is None or row.audio_bytes is None:
        raise NotFound("the recording is not here, or not yet")
    tag = f'"{row.id}"'
    part = part_of(row.audio_bytes, asked if if_range in (None, tag) else None)
    pieces = given.interview_intake.pieces(row.id, part.start, part.end)
    first = await _first(pieces)
    headers = {
        **part.headers,
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'inline; filename="{row.id}.{row.audio.container}"',
    }
    status = 206 if part.partial else 200
    return StreamingResponse(_rest(first, pieces), status, headers, media_type=row.audio.content_type)


@router.get("/{item_id}/export", response_model=Item, responses=EXPORT)
async def export_item(
    item_id: str,
    given: Given,
    caller: StreamAuth,
    accept: Annotated[str, Header(description="`text/markdown` or `application/json`.")] = "",
    wanted: Annotated[
        Literal["markdown", "json"] | None, Query(alias="format", description="In place of `Accept`.")
    ] = None,
) -> Response:
    """An interview as a file: Markdown for people (the default), or the row as JSON."""
    row = await _row(item_id, given.interviews.get, caller)
    as_json = wanted == "json" or (wanted is None and "application/json" in accept and MARKDOWN not in accept)
    name = f"interview-{row.created_at:%Y-%m-%d}.{'json' if as_json else 'md'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    if as_json:
        answer = reply(Item.of(row))
        answer.headers.update(headers)
        return answer
    return Response(as_markdown(row), headers=headers, media_type=MARKDOWN)


def _user(caller: Caller, said: str | None) -> str:
    user_id = caller.writes_of(said)
    if not user_id:
        raise CallerError("say whose interview it is", pointer="/userId")
    return user_id


def _position(said: str | None) -> UUID | None:
    found = as_id(said) if said else None
    if said and found is None:
        raise CallerError("this is no id", pointer="/jobPositionId")
    return found


async def _row(item_id: str, read: "Callable[[UUID], Awaitable[Interview | None]]", caller: Caller) -> "Interview":
    """The row that the caller may read. Raises NotFound."""
    found = as_id(item_id)
    row = await read(found) if found else None
    if row is None:
        raise NotFound
    caller.reads_of(row.user_id)
    return row


async def _first(pieces: AsyncIterator[bytes]) -> bytes:
    """The first piece: what is wrong with the store shows before the answer begins."""
    try:
        return await anext(pieces, b"")
    except JobError as error:
        raise NotFound(error.message) from error
    except VendorError as error:
        raise StoreUnavailable("the recording cannot be read now: try again") from error


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
