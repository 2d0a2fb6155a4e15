"""Deepgram calls back with the transcript of a long recording."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.dependencies import Given, note_job
from api.edge import ALLOWED
from api.errors import NotFound, Problem
from api.waitpoints import resolve, seen
from api.wire import reply
from domain.errors import NotWaiting
from domain.interviews.later import BODY_BYTES, CALLBACKS, WAIT
from domain.model import Model

router = APIRouter(prefix=CALLBACKS, tags=["callbacks"])
BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Nobody waits for this transcript any more"},
    413: {"model": Problem, "description": "The body is larger than 64 MiB"},
}


class CalledBack(Model):
    """`bytes`: how much has arrived; 0 where it had arrived before."""

    waitpoint_id: UUID
    bytes: int


@router.post("/{waitpoint_id}", response_model=CalledBack, responses=REFUSED, openapi_extra={"requestBody": BODY})
async def called_back(
    waitpoint_id: str,
    request: Request,
    given: Given,
    token: Annotated[str, Query(max_length=200, description="The waitpoint's own, from the address that was called.")],
) -> Response:
    """Take what Deepgram has heard in a recording of which it was asked to call back; the job that waits goes on.

    Saying it again changes nothing. What it says is read by the job, not here.
    """
    point = await seen(waitpoint_id, given, token)
    if point.activity_id != WAIT or point.job_id is None:
        raise NotFound
    note_job(point.job_id)
    if point.status == "completed":
        return reply(CalledBack(waitpoint_id=point.id, bytes=0))
    if point.status != "waiting":
        raise NotWaiting(f"nobody waits for this any more: it is {point.status.replace('_', ' ')}")
    request.scope[ALLOWED] = BODY_BYTES
    body = await request.body()
    await given.speech_callbacks.keep(point.id, body)
    await resolve(point, given, "callback", "completed", output={"bytes": len(body)}, error=None)
    return reply(CalledBack(waitpoint_id=point.id, bytes=len(body)))
