"""Cases of tool calling: what is asked, which tools there are, and which calls are right."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.tool_use import ToolOffer, ToolUse

HERE = Path(__file__).parent
SORTS = ("simple_python", "multiple", "parallel", "irrelevance")
RETAIL = "retail"
TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": None}
REASONS = ["no longer needed", "ordered by mistake"]
UNSPOKEN = re.compile(r"[\s,./\-_*^'\"]")

# A right call: its tool and, for each argument, the values that are right ("" among them: it may be left out).
Right = tuple[str, dict[str, list[Any]]]


@dataclass(frozen=True)
class Case:
    """`right` is empty where no tool fits."""

    name: str
    sort: str
    prompt: str
    offers: tuple[ToolOffer, ...]
    right: tuple[Right, ...]

    def holds(self, uses: Sequence[ToolUse]) -> bool:
        """Whether these are the right calls and no other, in whatever order."""
        left = list(uses)
        for tool, arguments in self.right:
            fitting = next((use for use in left if use.tool == tool and _fits(use.arguments, arguments)), None)
            if fitting is None:
                return False
            left.remove(fitting)
        return not left

    def script(self) -> list[tuple[str, dict[str, Any]]]:
        """Calls that are right, as a model would send them."""
        return [
            (tool, {name: _plain(values[0]) for name, values in arguments.items() if values[0] != ""})
            for tool, arguments in self.right
        ]


def cases() -> list[Case]:
    return [*(case for sort in SORTS for case in _bfcl(sort)), *_retail()]


def _bfcl(sort: str) -> Iterator[Case]:
    answers = HERE / f"{sort}.answers.jsonl"
    right = {row["id"]: row["ground_truth"] for row in _rows(answers)} if answers.exists() else {}
    for row in _rows(HERE / f"{sort}.jsonl"):
        offers = tuple(
            ToolOffer(name=_name(tool["name"]), description=tool["description"], parameters=_schema(tool["parameters"]))
            for tool in row["function"]
        )
        calls = tuple((_name(tool), given) for call in right.get(row["id"], []) for tool, given in call.items())
        prompt = "\n".join(message["content"] for message in row["question"][0])
        yield Case(row["id"], sort, prompt, offers, calls)


def _retail() -> Iterator[Case]:
    """The last turn of the tasks with one action: what the agent would have looked up is told."""
    policy = (HERE / "retail_policy.md").read_text(encoding="utf-8")
    tasks = json.loads((HERE / "retail_tasks.json").read_text(encoding="utf-8"))
    shapes: dict[str, dict[str, Any]] = {}
    for action in (action for task in tasks for action in task["actions"]):
        shapes.setdefault(action["name"], {}).update({name: _of(name, it) for name, it in action["kwargs"].items()})
    offers = tuple(
        ToolOffer(
            name=name,
            description=f"{name.replace('_', ' ').capitalize()}, once the customer has said yes.",
            parameters={"type": "object", "properties": shape, "required": sorted(shape)},
        )
        for name, shape in sorted(shapes.items())
    )
    for at, task in enumerate(tasks):
        if len(task["actions"]) != 1:
            continue
        [action] = task["actions"]
        known = {name: value for name, value in action["kwargs"].items() if name != "reason"}
        prompt = (
            f"{policy}\n\nThe customer is {task['user_id']}, whose identity was checked. You have looked up what it is "
            f"about: {json.dumps(known)}. The customer has been told what you will do and has said yes. What the "
            f"customer was told to want: {task['instruction']}\n\nTake the action."
        )
        right = ((action["name"], {name: [value] for name, value in action["kwargs"].items()}),)
        yield Case(f"retail_{at}", RETAIL, prompt, offers, right)


def _of(name: str, value: Any) -> dict[str, Any]:
    if name == "reason":
        return {"type": "string", "enum": REASONS}
    return {"type": "array", "items": {"type": "string"}} if isinstance(value, list) else {"type": "string"}


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _name(tool: str) -> str:
    """As vendors take names."""
    return tool.replace(".", "_")


def _schema(told: Any) -> Any:
    """JSON Schema of what the cases write in their own types."""
    if isinstance(told, list):
        return [_schema(part) for part in told]
    if not isinstance(told, dict):
        return told
    schema = {key: _schema(part) for key, part in told.items() if key not in ("optional", "type")}
    kind = told.get("type")
    if isinstance(kind, str):
        kind = TYPES.get(kind, kind)
        return schema | ({"type": kind} if kind else {})
    return schema | ({"type": _schema(kind)} if kind is not None else {})


def _fits(given: dict[str, Any], right: dict[str, list[Any]]) -> bool:
    if not set(given) <= set(right):
        return False
    return all(
        any(_same(given[name], value) for value in values) if name in given else "" in values
        for name, values in right.items()
    )


def _same(given: Any, right: Any) -> bool:
    """Equal, however strings are punctuated and numbers are written; a right object names its right values in lists."""
    if isinstance(right, dict) and isinstance(given, dict):
        listed = {key: value if isinstance(value, list) else [value] for key, value in right.items()}
        return _fits(given, listed)
    if isinstance(right, list) and isinstance(given, list):
        return len(given) == len(right) and all(map(_same, given, right))
    if isinstance(right, str) and isinstance(given, str):
        return UNSPOKEN.sub("", given).lower() == UNSPOKEN.sub("", right).lower()
    return given == right and isinstance(given, bool) == isinstance(right, bool)


def _plain(value: Any) -> Any:
    """A right value as a model would send it: of an object's right values the first of each."""
    if isinstance(value, dict):
        return {
            key: _plain(part[0] if isinstance(part, list) else part)
            for key, part in value.items()
            if not (isinstance(part, list) and part[0] == "")
        }
    return [_plain(part) for part in value] if isinstance(value, list) else value
