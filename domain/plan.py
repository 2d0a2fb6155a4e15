"""A plan: an AI workflow of several steps, in order or as a graph. What is asked, and what comes of it.

What depends on this service (which tools, modes and models there are) is checked where a plan is asked for
(domain.plan_check); these shapes are what travels and what old jobs still have.
"""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from domain.job import Failure, Ongoing, StepStatus
from domain.model import Model, Request
from domain.research import CompanyResearchRequest

KIND = "workflow-execution"
EXTERNAL = "external"
MOST_STEPS = 100


class PlanStep(Request):
    """One step. Without a tool a model does it, by what its description says and earlier steps have brought.

    `input` is the tool's; in it `{{Step name}}` or `{{Step name.field.0}}` stand for what an earlier step brought.
    A failure ends the job only where the step is `required`: else it is told to the steps that follow.
    """

    name: str = Field(min_length=1, max_length=100, examples=["Fetch Data"])
    description: str = Field(default="", max_length=10_000, examples=["Get data from HubSpot"])
    tool: str | None = Field(default=None, max_length=100, examples=["HUBSPOT_GET_CONTACTS"])
    input: dict[str, Any] | None = None
    depends_on: tuple[str, ...] | None = Field(default=None, examples=[["Fetch Data"]])
    required: bool = False
    external: bool = Field(default=False, description="somebody outside does it: POST /api/workflow/update-step")

    @property
    def does(self) -> str | None:
        """The tool that does it; None: a model."""
        return EXTERNAL if self.external else self.tool


class PlanRequest(Request):
    """Steps in the order given, one after the other; where a step says what it depends on, the steps are a graph and
    those that wait for nothing begin at once."""

    workflow_name: str = Field(min_length=1, max_length=200, examples=["Process Sales Data"])
    workflow_description: str = Field(default="", max_length=10_000, examples=["Analyze and process sales data"])
    steps: tuple[PlanStep, ...] = Field(min_length=1, max_length=MOST_STEPS)
    mode: str = Field(default="General", max_length=100, examples=["Sales"])
    model_id: str | None = Field(default=None, max_length=200, examples=["gpt-4o"])


class StepRef(Model):
    """A step of the job at hand, or a part of it: which turn of its model, which tool the model asked for, which job
    inside the plan's it has begun."""

    step: str
    turn: int = 1
    call: str = ""
    child: UUID | None = None


class Receipt(Ongoing):
    """What travels of a step's work; what it brought stays in the ledger. While there are `calls` to be made or a
    research to be run as a job of its own, the step goes on."""

    calls: tuple[str, ...] = ()
    research: CompanyResearchRequest | None = None

    @property
    def goes_on(self) -> bool:
        return bool(self.calls) or self.research is not None


class Concluding(Model):
    """The job whose result is to be written."""

    job_id: UUID


class StepAnswer(Model):
    """A model's answer to a step: the answer itself, and the points it rests on."""

    answer: str
    points: tuple[str, ...] = ()


class StepResult(Model):
    """How a step ended. `output` is left out where it is large: the step's own view has it."""

    name: str
    status: StepStatus
    output: Any = None
    output_bytes: int = 0
    answered_by: str | None = None
    error: Failure | None = None


class PlanResult(Model):
    """`output` is what the last step that was completed brought. `answeredBy`: null where no model was needed."""

    workflow_name: str = ""
    mode: str = ""
    model_id: str | None = None
    steps: tuple[StepResult, ...] = ()
    output: Any = None
    failed: tuple[str, ...] = ()
    answered_by: Literal["anthropic", "openai", "offline", "mixed"] | None = None


def skeleton(payload: dict[str, Any]) -> dict[str, Any]:
    """What a plan's workflow needs to know of its payload: what is to be done with it stays in the ledger."""
    steps = [
        {key: value for key, value in step.items() if key not in ("description", "input")}
        for step in payload.get("steps", ())
    ]
    return {**payload, "workflowDescription": "", "steps": steps}


def dependencies(steps: Sequence[PlanStep]) -> tuple[tuple[int, ...], ...]:
    """For each step the places of those it waits for. Names that nobody has are left out."""
    if all(step.depends_on is None for step in steps):
        return tuple((at - 1,) if at else () for at in range(len(steps)))
    place = {step.name: at for at, step in enumerate(steps)}
    return tuple(tuple(sorted({place[name] for name in step.depends_on or () if name in place})) for step in steps)


def ancestors(steps: Sequence[PlanStep], at: int) -> tuple[int, ...]:
    """The places of all steps that one waits for, through others too, in the plan's order."""
    direct, found, ahead = dependencies(steps), set[int](), [at]
    while ahead:
        new = set(direct[ahead.pop()]) - found
        found |= new
        ahead += new
    return tuple(sorted(found))


def in_a_circle(steps: Sequence[PlanStep]) -> tuple[int, ...]:
    """The places of steps that wait for themselves, through others or not."""
    return tuple(at for at in range(len(steps)) if at in ancestors(steps, at))
