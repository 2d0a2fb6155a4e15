"""What a plan has brought: the result that is shown, made of the outcomes that stand in the ledger."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from domain.plan import PlanRequest, PlanResult, StepResult
from ledger.plans import Outcome

# of a step that is shown whole, and of the last one
SHOWN_BYTES, RESULT_BYTES = 20_000, 200_000


def concluded(plan: PlanRequest, found: Mapping[str, Outcome]) -> PlanResult:
    """The result: each step with what it brought, as far as that is short."""
    steps: list[StepResult] = []
    last: Any = None
    for step in plan.steps:
        one = found.get(step.name)
        if one is None:
            steps.append(StepResult(name=step.name, status="skipped"))
            continue
        size = len(to_json(one.output)) if one.status == "completed" else 0
        last = one.output if 0 < size <= RESULT_BYTES else last
        steps.append(
            StepResult(
                name=step.name,
                status=one.status,  # pyright: ignore[reportArgumentType]
                output=one.output if size <= SHOWN_BYTES else None,
                output_bytes=size,
                answered_by=one.answered_by,
                error=one.error,
            )
        )
    answered: set[Any] = {step.answered_by for step in steps if step.answered_by}
    return PlanResult(
        workflow_name=plan.workflow_name,
        mode=plan.mode,
        model_id=plan.model_id,
        steps=tuple(steps),
        output=last,
        failed=tuple(step.name for step in steps if step.status == "failed"),
        answered_by=answered.pop() if len(answered) == 1 else "mixed" if answered else None,
    )
