"""Whether a plan can be carried out here: its graph, its names, its mode, its tools and its model.

Everything that is wrong is said at once, with a pointer each, before anything starts.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from pydantic import ValidationError, model_validator

from domain.errors import InvalidPayload
from domain.model import Request
from domain.modes import Mode, mode_named
from domain.plan import EXTERNAL, PlanRequest, PlanStep, ancestors, in_a_circle
from domain.plan_input import marks, step_of

# The input's shape by the tool's name.
Tools = Mapping[str, type[Request]]
Wrong = Iterator[tuple[str, str]]


def request_for(tools: Tools, knows_model: Callable[[str], bool]) -> type[PlanRequest]:
    """Plans as this service takes them. Validating one raises InvalidPayload."""

    class Checked(PlanRequest):
        """Steps in the order given, one after the other; where a step says what it depends on, the steps are a graph
        and those that wait for nothing begin at once."""

        @model_validator(mode="after")
        def can_be_done(self) -> Self:
            if wrong := list(problems(self, tools, knows_model)):
                raise InvalidPayload([(f"/payload{pointer}", detail) for pointer, detail in wrong])
            return self

    Checked.__name__ = Checked.__qualname__ = PlanRequest.__name__
    return Checked


def problems(plan: PlanRequest, tools: Tools, knows_model: Callable[[str], bool]) -> Wrong:
    """(JSON pointer into the plan, detail) of everything that is wrong."""
    if plan.model_id is not None and not knows_model(plan.model_id):
        yield "/modelId", "no vendor of models that this service asks is known to have this one"
    mode = mode_named(plan.mode)
    if mode is None:
        yield "/mode", "there is no such mode"
    yield from _names(plan)
    yield from _graph(plan)
    for at, step in enumerate(plan.steps):
        for pointer, detail in _tool(plan, at, step, mode, tools):
            yield f"/steps/{at}{pointer}", detail


def _names(plan: PlanRequest) -> Wrong:
    seen: set[str] = set()
    for at, step in enumerate(plan.steps):
        name = step.name
        if name in seen:
            yield f"/steps/{at}/name", "another step has this name"
        elif name != name.strip() or not all(unicodedata.category(letter)[0] != "C" for letter in name):
            yield f"/steps/{at}/name", "a name has no blank at its ends and no control characters"
        elif "#" in name or "{{" in name or "}}" in name or name.isdigit() or name.isdecimal():
            yield f"/steps/{at}/name", "a name holds no #, {{ or }} and is no number"
        seen.add(name)


def _graph(plan: PlanRequest) -> Wrong:
    names = {step.name for step in plan.steps}
    for at, step in enumerate(plan.steps):
        for nth, other in enumerate(step.depends_on or ()):
            if other not in names:
                yield f"/steps/{at}/dependsOn/{nth}", "there is no such step"
    for at in in_a_circle(plan.steps):
        yield f"/steps/{at}/dependsOn", "the step waits for itself, through others or not"


def _tool(plan: PlanRequest, at: int, step: PlanStep, mode: Mode | None, tools: Tools) -> Wrong:
    given = step.input or {}
    if step.external and step.tool not in (None, EXTERNAL):
        yield "/tool", "a step that is done outside has no tool here"
        return
    if step.does is None:
        yield from _references(plan, at, given)
        return
    if step.does not in tools:
        yield "/tool", f"there is no such tool; there are {', '.join(sorted(tools))}"
        return
    if mode is not None and not mode.allows(step.does):
        yield "/tool", f"the mode {mode.name} does not allow this tool"
    yield from _references(plan, at, given)
    if not any(True for _ in marks(given)):  # else its shape is known when it is filled
        yield from _fitting(tools[step.does], given)


def _fitting(shape: type[Request], given: dict[str, Any]) -> Wrong:
    try:
        shape.model_validate(given)
    except ValidationError as error:
        for one in error.errors():
            yield "/input" + "".join(f"/{part}" for part in one["loc"]), one["msg"]


def _references(plan: PlanRequest, at: int, given: dict[str, Any]) -> Wrong:
    names = [step.name for step in plan.steps]
    before = {names[other] for other in ancestors(plan.steps, at)} - {names[at]}
    for pointer, mark in marks(given):
        meant = step_of(mark, names)
        if meant is None:
            yield f"/input{pointer}", "it takes from a step that there is none of"
        elif meant not in before:
            yield f"/input{pointer}", "it takes from a step that it does not wait for"
