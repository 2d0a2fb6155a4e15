"""On what answers are scored: dimensions, their written anchors, and to which questions they apply (anchors.toml)."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from pydantic import Field

from domain.interviews.questions import Dimension
from domain.model import Model

Kind = Literal["behavioural", "situational", "practice", "technical", "self", "motivation", "background"]


class Anchors(Model):
    """What is asked of an answer, what it looks like at 1, 3 and 5, and to which kinds of question it applies.

    `linked`: only where the interview is for a job position that is known.
    """

    dimension: Dimension
    question: str
    at: dict[int, str] = Field(min_length=3, max_length=3)
    kinds: frozenset[Kind]
    linked: bool = False


@cache
def anchors() -> Mapping[Dimension, Anchors]:
    """All of them, in the order of the dimensions."""
    read = {name: _read(name, row) for name, row in _told().items() if name != "kinds"}
    return MappingProxyType({dimension: read[dimension] for dimension in Dimension})


def kind_of(question: str) -> Kind:
    """What sort of question it is, by its words."""
    return next(kind for kind, says in _kinds() if says.search(question))


def applying(question: str, *, linked: bool) -> Iterable[Anchors]:
    """The dimensions on which an answer to that question is scored. `linked`: whether a job position is known."""
    kind = kind_of(question)
    return [one for one in anchors().values() if kind in one.kinds and (linked or not one.linked)]


@cache
def _kinds() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    rows = [(row["name"], re.compile(row["says"], re.IGNORECASE)) for row in _told()["kinds"]]
    if {name for name, _ in rows} != set(get_args(Kind)):
        raise ValueError("anchors.toml and Kind name different kinds of question")
    return tuple((cast("Kind", name), says) for name, says in rows)


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads(files("domain.interviews").joinpath("anchors.toml").read_text(encoding="utf-8"))


def _read(name: str, row: Mapping[str, Any]) -> Anchors:
    at = {int(key): text for key, text in row.items() if key.isdigit()}
    return Anchors(
        dimension=Dimension(name),
        question=row["question"],
        at=at,
        kinds=frozenset(row["kinds"]),
        linked=row.get("linked", False),
    )
