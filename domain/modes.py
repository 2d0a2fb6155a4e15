"""Modes: what a plan's model steps are told, and which tools the plan may use. All of it is in modes.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from domain.model import Model

EVERY = "*"


class Mode(Model):
    """`tools` names the tools of steps; `*` is all of them. Models may call those of them that change nothing."""

    name: str
    instructions: str
    tools: tuple[str, ...]

    def allows(self, tool: str) -> bool:
        return EVERY in self.tools or tool in self.tools


@cache
def modes() -> Mapping[str, Mode]:
    """By name in lower case."""
    told = tomllib.loads(files("domain").joinpath("modes.toml").read_text(encoding="utf-8"))
    shared = tuple(told.pop("everywhere")["tools"])
    listed = (
        Mode(name=name, instructions=row["instructions"].strip(), tools=(*row["tools"], *shared))
        for name, row in told.items()
    )
    return MappingProxyType({mode.name.lower(): mode for mode in listed})


def mode_named(name: str) -> Mode | None:
    """The mode of that name, however its letters are written."""
    return modes().get(name.lower())
