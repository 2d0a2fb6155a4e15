"""What a model is shown of a plan: its goal, its own step, and what earlier steps brought, as data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from domain.job import Failure
from domain.plan import PlanRequest, PlanStep
from domain.text import numbers

# Some 15 000 tokens of earlier outputs, and 5 000 of what one tool said.
MOST_CHARACTERS, MOST_SAID = 60_000, 20_000
CUT = " … (cut)"


class Earlier(NamedTuple):
    """A step that this one waits for: what it brought, or why it failed."""

    name: str
    output: Any = None
    error: Failure | None = None


def prompt(plan: PlanRequest, step: PlanStep, earlier: Sequence[Earlier]) -> str:
    """At most 60 000 characters of earlier outputs: what is short is whole, what is long is cut alike."""
    told = {one.name: said(one.output, one.error) for one in earlier}
    room = _room([len(text) for text in told.values()], MOST_CHARACTERS)
    outputs = "\n".join(f'<output step="{inert(name)}">\n{_cut(text, room)}\n</output>' for name, text in told.items())
    asked = [
        f"Workflow: {inert(plan.workflow_name)}",
        f"Goal: {inert(plan.workflow_description) or 'not said'}",
        f"Your step: {inert(step.name)}",
        f"What it is to do: {inert(step.description) or 'what its name says'}",
        *([f"Input: {inert(to_json(step.input).decode())}"] if step.input else []),
    ]
    return "\n".join(asked) + f"\n\n<outputs>\n{outputs}\n</outputs>"


def said(output: Any, error: Failure | None, most: int | None = None) -> str:
    """What a step or a tool brought, as text that closes no block around it."""
    if error is not None:
        return inert(f"failed: {error.message} ({error.code})")
    text = inert(output if isinstance(output, str) else to_json(output).decode())
    return text if most is None else _cut(text, most)


def inert(text: str) -> str:
    """Text cannot close the block that it stands in."""
    return text.replace("<", "‹").replace(">", "›")


def unfounded(answer: str, given: str) -> tuple[str, ...]:
    """The numbers of an answer that stand nowhere in what the model was given; small ones may be counts."""
    known = {abs(number.value) for number in numbers(given)}
    return tuple(
        dict.fromkeys(
            f"{number.value.normalize():f}{number.unit}"
            for number in numbers(answer)
            if abs(number.value) > 12 and abs(number.value) not in known
        )
    )


def _room(lengths: Sequence[int], most: int) -> int:
    """How long each text may be so that all together keep to `most`."""
    left, room = most, most
    for at, length in enumerate(sorted(lengths)):
        room = left // (len(lengths) - at)
        if length > room:
            return room
        left -= length
    return most


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + CUT


def outputs_of(earlier: Sequence[Earlier]) -> Mapping[str, Any]:
    """By name, of the steps that brought something."""
    return {one.name: one.output for one in earlier if one.error is None}
