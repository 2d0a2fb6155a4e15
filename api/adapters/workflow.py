"""Callbacks of outside parties that work for a job: the end of one step, or of the only thing the job waits for."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ConfigDict, Field
from pydantic_core import from_json
from standardwebhooks import Webhook, WebhookVerificationError

from api.dependencies import Given, Services, bearer, note_job
from api.errors import Problem, Unauthorized
from api.grants import as_id
from api.waitpoints import REFUSED, resolve
from api.wire import JOB_ID, reply
from domain.errors import JobNotFound, NotWaiting
from domain.model import Model
from ledger.waitpoints import Verdict, Waitpoint

router = APIRouter(prefix="/api/workflow", tags=["callbacks"])
SIGNATURE = "webhook-signature"
REFUSALS: dict[int | str, dict[str, Any]] = {
    **REFUSED,
    401: {"model": Problem, "description": "Neither a secret key nor a signature with the execution's own secret"},
}
AMBIGUOUS = "several steps of this execution wait: name one with /api/workflow/update-step"


class Reason(Model):
    message: str = Field(default="", max_length=1000)


class Update(Model):
    """Fields that nobody knows are ignored."""

    model_config = ConfigDict(extra="ignore")
    execution_id: str = Field(max_length=100, examples=[JOB_ID])
    status: Verdict
    error: str | Reason | None = None

    @property
    def reason(self) -> str | None:
        text = self.error.message if isinstance(self.error, Reason) else self.error
        return text[:1000] if text else None


class StepUpdate(Update):
    """The end of one step: `stepId` is its name, or its place in the plan counted from 0."""

    step_id: str | int = Field(examples=["call"])
    output: Any = None


class ExecutionUpdate(Update):
    """The end of what the execution waits for."""

    result: Any = None


class Updated(Model):
    execution_id: UUID
    step_id: str
    status: Literal["completed", "failed"]


async def _signer(request: Request) -> str:
    """Who calls, for the audit: a server by its key, or the party that was given the execution's secret."""
    services: Services = request.state.services
    if SIGNATURE not in request.headers:
        caller = services.credentials.caller(bearer(request))
        caller.server_only()
        return caller.name
    raw = await request.body()
    execution_id = as_id(_execution_of(raw))
    headers = dict(request.headers)
    secrets = services.keyring.execution_secrets(execution_id) if execution_id else []
    if any(_holds(secret, raw, headers) for secret in secrets):
        return "callback"
    raise Unauthorized("the signature does not hold, or no longer")


Signer = Annotated[str, Depends(_signer)]


@router.post("/update-step", response_model=Updated, responses=REFUSALS)
async def update_step(asked: StepUpdate, given: Given, signer: Signer) -> Response:
    """Say how a step that runs outside has ended. Saying the same again changes nothing.

    Signed by Standard Webhooks headers with the execution's own secret, or with a secret key.
    """
    points = await _points(asked.execution_id, given)
    name = await _step_name(asked, given)
    return await _ended([point for point in points if point.step == name], given, signer, asked, asked.output)


@router.post("/update-execution", response_model=Updated, responses=REFUSALS)
async def update_execution(asked: ExecutionUpdate, given: Given, signer: Signer) -> Response:
    """Say what has come of a task that was answered with 202. Saying the same again changes nothing.

    Signed by Standard Webhooks headers with the secret that came with the task, or with a secret key.
    """
    points = await _points(asked.execution_id, given)
    waiting = [point for point in points if point.status == "waiting"]
    if len(waiting) > 1:
        raise NotWaiting(AMBIGUOUS)
    return await _ended(waiting or points, given, signer, asked, asked.result)


async def _points(execution_id: str, given: Services) -> list[Waitpoint]:
    """The execution's waitpoints, newest first; raises JobNotFound."""
    job_id = as_id(execution_id)
    points = list(await given.waitpoints.of_job(job_id)) if job_id else []
    if job_id is None or (not points and await given.jobs.get(job_id) is None):
        raise JobNotFound("there is no such execution")
    note_job(job_id)
    return points


async def _step_name(asked: StepUpdate, given: Services) -> str:
    """The name meant, by itself or by its place in the plan."""
    text = str(asked.step_id)
    job_id = as_id(asked.execution_id)
    row = await given.jobs.get(job_id) if text.isdecimal() and job_id else None
    steps = [step.name for step in row.plan] if row else []
    return steps[int(text)] if text.isdecimal() and int(text) < len(steps) else text


async def _ended(points: list[Waitpoint], given: Services, signer: str, asked: Update, output: Any) -> Response:
    """Resolve the newest of the points."""
    if not points:
        raise NotWaiting("this execution does not wait for that")
    point = await resolve(points[0], given, signer, asked.status, output=output, error=asked.reason)
    return reply(Updated(execution_id=point.job_id, step_id=point.step, status=asked.status))  # pyright: ignore[reportArgumentType]


def _execution_of(raw: bytes) -> str:
    try:
        body = from_json(raw)
    except ValueError:
        return ""
    found: Any = body.get("executionId") if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""


def _holds(secret: str, raw: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(raw, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: what is no signature at all
        return False
    return True
