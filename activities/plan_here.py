"""Where a step of a plan stands: what it is, and what it is given by the steps before it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio import activity

from domain.job import Failure
from domain.plan import (
    PlanRequest,
    PlanStep,
    ancestors,
)
from domain.plan_input import filled
from domain.plan_prompt import Earlier, outputs_of
from ledger.plans import Call, Outcome

if TYPE_CHECKING:
    from ledger.plans import Plans


@dataclass(frozen=True)
class Here:
    """A step and what it is given: the plan, whose it is, and what the steps before brought."""

    job_id: UUID
    owner: str
    plan: PlanRequest
    step: PlanStep
    earlier: tuple[Earlier, ...]

    @property
    def call(self) -> Call:
        return Call(self.job_id, self.step.name)

    def given(self) -> dict[str, Any]:
        """The input with every mark replaced; raises JobError `input_missing`."""
        return filled(self.step.input or {}, outputs_of(self.earlier))


async def here(plans: "Plans", name: str) -> Here:
    """The step of that name in the job of this activity."""
    job_id = UUID(activity.info().workflow_id)
    asked = await plans.asked(job_id)
    plan = PlanRequest.model_validate(asked.payload)
    place = next(at for at, step in enumerate(plan.steps) if step.name == name)
    before = [plan.steps[at].name for at in ancestors(plan.steps, place)]
    found = await plans.outcomes(job_id, before)
    earlier = tuple(_earlier(found[other]) for other in before if other in found)
    return Here(job_id, asked.owner, plan, plan.steps[place], earlier)


def _earlier(found: Outcome) -> Earlier:
    if found.status == "completed":
        return Earlier(found.name, found.output)
    return Earlier(found.name, error=found.error or Failure(code=found.status, message="it did not end"))
