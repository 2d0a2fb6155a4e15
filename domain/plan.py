"""A plan: an AI workflow of several steps, in order or as a graph. What is asked, and what comes of it.

What depends on this service (which tools, modes and models there are) is checked where a plan is asked for
(domain.plan_check); these shapes are what travels and what old jobs still have.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from domain.job import Failure, StepStatus
from domain.model import Model, Request

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
