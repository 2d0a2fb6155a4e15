"""The offline twin of a plan's model: lines of what earlier steps brought, as they stand. It concludes nothing."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from domain.plan import PlanRequest, PlanStep, StepAnswer
from domain.plan_prompt import Earlier
from domain.text import content

LINES, LONGEST, READ = 8, 300, 2000
ENDS = re.compile(r"(?<=[.!?])\s+|\n+")


def digest(plan: PlanRequest, step: PlanStep, earlier: Sequence[Earlier]) -> StepAnswer:
    """The lines that share most with what the step and the plan are about, in their order."""
    about = content(f"{step.name} {step.description} {plan.workflow_name} {plan.workflow_description}")
    lines = [(one.name, line[:LONGEST]) for one in earlier if one.error is None for line in _lines(one.output)][:READ]
    best = sorted(range(len(lines)), key=lambda at: (-len(content(lines[at][1]) & about), at))[:LINES]
    points = tuple(f"{lines[at][0]}: {lines[at][1]}" for at in sorted(best))
    missing = [f"{one.name} failed ({one.error.code})" for one in earlier if one.error is not None]
    taken = f"{len(points)} of {len(lines)} lines taken from earlier steps as they stand" if lines else ""
    told = "; ".join(filter(None, [taken, *missing])) or "no earlier step brought anything"
    return StepAnswer(answer=f"No model answered this step: {told}.", points=points)


def _lines(value: Any, name: str = "") -> Iterator[str]:
    """Sentences of text; of an object without deeper parts one line; else the lines of its parts."""
    if isinstance(value, dict):
        flat = [f"{key}: {part}" for key, part in value.items() if not isinstance(part, (dict, list, type(None)))]
        texts = {key: part for key, part in value.items() if isinstance(part, str) and len(part) > LONGEST}
        if flat and not texts:
            yield ", ".join(flat)
        for key, part in value.items():
            if isinstance(part, (dict, list)) or key in texts:
                yield from _lines(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _lines(part, name)
    elif isinstance(value, str):
        yield from (line.strip() for line in ENDS.split(value) if len(line.strip()) > 2)
    elif value is not None:
        yield f"{name}: {value}" if name else str(value)
