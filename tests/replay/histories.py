"""The stored histories: `histories/<kind>.<what>.json`, recorded by `python -m tests.replay.record`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).with_name("histories")


@dataclass(frozen=True)
class Stored:
    """One execution as Temporal remembered it."""

    kind: str
    what: str
    text: str

    @classmethod
    def all(cls) -> list[Self]:
        found = sorted(FOLDER.glob("*.json"))
        return [cls(*path.stem.split("."), text=path.read_text(encoding="utf-8")) for path in found]

    @classmethod
    def of(cls, kind: str, what: str) -> Self:
        [one] = [one for one in cls.all() if (one.kind, one.what) == (kind, what)]
        return one

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.what}"

    @property
    def events(self) -> list[dict[str, Any]]:
        return json.loads(self.text)["events"]

    @property
    def types(self) -> list[str]:
        """What happened, in order: `WORKFLOW_EXECUTION_STARTED`, …"""
        return [event["eventType"].removeprefix("EVENT_TYPE_") for event in self.events]

    @property
    def history(self) -> WorkflowHistory:
        job_id = self.events[0]["workflowExecutionStartedEventAttributes"]["workflowId"]
        return WorkflowHistory.from_json(job_id, self.text)

    def keep(self) -> None:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{self.name}.json").write_text(self.text, encoding="utf-8")
