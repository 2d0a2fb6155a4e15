"""One call of the Trigger.dev API: a task is triggered with a JSON payload and forgotten, in that API's own shapes."""

from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from pydantic_core import from_json

from api.dependencies import Given, Services, bearer, note_job
from api.errors import NotFound, Unauthorized
from domain.errors import CallerError, LongrunError, UnknownKind
from domain.model import Model
from domain.options import Options
from engine.submit import Submission

router = APIRouter(prefix="/api/v1/tasks", tags=["Trigger.dev"])
EXAMPLE = {"payload": {"jobPositionId": "5f0c7d1e-8a43-4b0e-9d65-2f1b6a7c8d90"}}
BODY = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "example": EXAMPLE}}}}
OPTIONS = "options are not served here: ask with POST /api/jobs"


class Run(Model):
    """`run_` and the job's id without dashes."""

    id: str = Field(examples=["run_5f0c7d1e8a434b0e9d652f1b6a7c8d90"])


class Refused(Model):
    """As that API says it."""

    error: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "The body is no JSON object"},
    401: {"model": Refused, "description": "No key, or none that holds"},
    404: {"model": Refused, "description": "There is no such task"},
    422: {"model": Refused, "description": "The payload does not fit the task, or options were asked for"},
    503: {"model": Refused, "description": "The ledger does not answer"},
}


@router.post("/{task}/trigger", response_model=Run, responses=REFUSALS, openapi_extra=BODY)
async def trigger(task: str, request: Request, given: Given) -> Response:
    """Start a job of the kind `task` with `{"payload": {…}}`, as a Trigger.dev client that waits for nothing does.

    `GET /api/jobs/{id}` follows it, also by the id that is answered here.
    """
    try:
        return JSONResponse({"id": f"run_{await _started(task, request, given)}"})
    except (UnknownKind, NotFound):
        return _refused(404, "Task not found")
    except Unauthorized:
        return _refused(401, "Invalid or Missing API Key", {"WWW-Authenticate": "Bearer"})
    except LongrunError as error:
        if error.status >= 500 and not error.retryable:
            raise
        return _refused(error.status, error.message)


async def _started(task: str, request: Request, given: Services) -> str:
    """The job's id in hexadecimal digits. Raises LongrunError."""
    caller = given.credentials.caller(bearer(request))
    try:
        body: Any = from_json(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise NotJson("Invalid JSON")
    asked = cast("dict[str, Any]", body)
    if asked.get("options"):
        raise CallerError(OPTIONS)
    kind, payload = given.catalog[task], asked.get("payload") or {}
    if not isinstance(payload, dict):
        raise CallerError("the payload must be a JSON object")
    said = cast("dict[str, Any]", payload)
    owner = caller.starts(kind.name, kind.aliases, None, by_name=kind.only_by_name(said))
    submission = Submission(kind.name, said, Options(owner=owner), by=caller.acting_for(owner))
    [opened] = await given.submitter.submit([submission])
    note_job(opened.id)
    return opened.id.hex


class NotJson(CallerError):
    status = 400


def _refused(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error}, status, headers)
