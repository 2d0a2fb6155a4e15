"""What a step is given of earlier steps: `{{Step name}}` and `{{Step name.field.0}}` in a tool's input."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from domain.errors import JobError

MARK = re.compile(r"\{\{\s*(.+?)\s*\}\}")


class Found(NamedTuple):
    """A mark: where in the input (JSON pointer) it stands, and what it says."""

    pointer: str
    mark: str


def marks(value: Any, pointer: str = "") -> Iterator[Found]:
    """Every mark in the strings of a JSON value; keys hold none."""
    if isinstance(value, str):
        yield from (Found(pointer, mark) for mark in MARK.findall(value))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from marks(part, f"{pointer}/{key}")
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from marks(part, f"{pointer}/{at}")


def step_of(mark: str, names: Sequence[str]) -> str | None:
    """The step that a mark means: the longest name that it begins with, up to a dot."""
    fitting = [name for name in names if mark == name or mark.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


def filled(value: Any, outputs: Mapping[str, Any]) -> Any:
    """The value with every mark replaced. A string that is nothing but a mark becomes what the mark stands for.

    Raises JobError `input_missing` where the step has brought nothing, or not that.
    """
    if isinstance(value, str):
        whole = MARK.fullmatch(value)
        return _meant(whole[1], outputs) if whole else MARK.sub(lambda m: _text(_meant(m[1], outputs)), value)
    if isinstance(value, dict):
        return {key: filled(part, outputs) for key, part in value.items()}
    return [filled(part, outputs) for part in value] if isinstance(value, list) else value


def _meant(mark: str, outputs: Mapping[str, Any]) -> Any:
    name = step_of(mark, list(outputs))
    if name is None:
        raise JobError("a step that this one's input is taken from has brought nothing", code="input_missing")
    found = outputs[name]
    for part in mark[len(name) :].split(".")[1:]:
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise JobError("what this step's input is taken from does not have that field", code="input_missing")
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()
