"""A model that may use tools: what it is offered, what it asks for, what it is told."""

from collections.abc import Sequence
from typing import Any

from domain.model import Model


class ToolOffer(Model):
    """A tool as a model sees it; `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolUse(Model):
    """A tool that a model asks for. `id` names it in what follows."""

    id: str
    tool: str
    arguments: dict[str, Any]


class Exchange(Model):
    """What was asked for in one turn, and what each of the tools said, as text."""

    uses: tuple[ToolUse, ...]
    said: tuple[str, ...]


class Choice(Model):
    """A model's turn: either an answer, parsed by the caller's type, or tools to be used first."""

    output: Any = None
    uses: tuple[ToolUse, ...] = ()
    vendor: str
    model: str
    recalled: bool = False


def turn_of(use: ToolUse) -> int:
    """The turn that asked for it."""
    return int(use.id.split(".")[0])


def in_turns(uses: Sequence[tuple[ToolUse, str]]) -> tuple[Exchange, ...]:
    """Uses and what was said to them as exchanges; the id of a use begins with its turn: `2.0` is of the second."""
    turns: dict[int, list[tuple[ToolUse, str]]] = {}
    for use, said in uses:
        turns.setdefault(turn_of(use), []).append((use, said))
    return tuple(
        Exchange(uses=tuple(use for use, _ in turn), said=tuple(said for _, said in turn)) for turn in turns.values()
    )
