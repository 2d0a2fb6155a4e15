"""Workflows of several steps as people look through them: each step with what it was given and brought."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from api.dependencies import Auth, Given, Services
from api.wire import JOB_ID, reply
from domain.errors import JobNotFound
from domain.job import Failure, Status, StepStatus
from domain.model import Model
from domain.plan import KIND
from ledger.waitpoints import Waitpoint

router = APIRouter(prefix="/api/workflow", tags=["workflows"])


class WaitView(Model):
    """Who is waited for, and until when. `url` ends the wait by a POST of `{"output": …}`, without other credentials;
    it is shown to who may change the job."""

    about: str
    until: datetime
    url: str | None = None


class PlanStepView(Model):
    """A step of a workflow. `attempt` counts from 1; a model's tokens and cost are those of all its calls."""

    index: int
    name: str
    description: str = ""
    tool: str | None = None
    status: StepStatus
    attempt: int
    max_attempts: int
    input: Any = None
    output: Any = None
    error: Failure | None = None
    answered_by: str | None = Field(default=None, description="anthropic, openai or offline; null: no model")
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = Field(default=None, description="null: nothing was spent, or a price is not known")
    started_at: datetime | None = None
    completed_at: datetime | None = None
    waiting: WaitView | None = None


class ExecutionView(Model):
    """A workflow as it stands; `GET /api/jobs/{id}` has the job around it."""

    execution_id: UUID = Field(examples=[JOB_ID])
    workflow_name: str = Field(examples=["Process Sales Data"])
    workflow_description: str
    mode: str
    model_id: str | None
    status: Status
    progress: str = Field(examples=["2/3"])
    steps: tuple[PlanStepView, ...]
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.get("/executions/{execution_id}", response_model=ExecutionView)
async def get_execution(execution_id: str, given: Given, caller: Auth) -> Response:
    """A workflow and its steps: input, output, attempts, tokens, cost and times of each, also while it runs."""
    row = await given.job(execution_id, caller)
    if row.kind != KIND:
        raise JobNotFound("there is no such workflow, or it is not yours to see")
    points = {point.step: point for point in reversed(await given.waitpoints.of_job(row.id))}
    shown = caller.changes(row)
    views = await given.plans.view(row.id)
    steps = [_step(view, _waiting(points.get(view["name"]), given, shown=shown)) for view in views]
    payload = row.payload
    return reply(
        ExecutionView(
            execution_id=row.id,
            workflow_name=payload.get("workflowName", ""),
            workflow_description=payload.get("workflowDescription", ""),
            mode=payload.get("mode", ""),
            model_id=payload.get("modelId"),
            status=row.status,
            progress=row.progress.text,
            steps=tuple(steps),
            error=row.error,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )
    )


def _step(view: dict[str, Any], waiting: WaitView | None) -> PlanStepView:
    seen: dict[str, Any] = {name: view[name] for name in PlanStepView.model_fields if name in view}
    seen |= {"index": view["step_index"], "description": view["description"] or ""}
    return PlanStepView(**seen, waiting=waiting)


def _waiting(point: Waitpoint | None, given: Services, *, shown: bool) -> WaitView | None:
    if point is None or point.status != "waiting":
        return None
    url = None
    if shown and given.keyring:
        token = given.keyring.wait_token(point.id)
        url = f"{given.settings.reached_at}/api/waitpoints/{point.id}/complete?token={token}"
    return WaitView(about=point.about, until=point.expires_at, url=url)
