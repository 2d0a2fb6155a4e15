"""What one comparison of ledger and engine came to, as the report tells it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

LISTED = 1000


@dataclass
class Findings:
    """What one comparison came to. The lists hold up to LISTED each; the counts count all."""

    began: datetime
    checked: int = 0
    mended: int = 0
    actions: Counter[str] = field(default_factory=Counter[str])
    jobs: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    strays: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    schedules: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    puzzling: set[UUID] = field(default_factory=set[UUID])

    def job(self, job_id: UUID, reason: str, action: str) -> None:
        self.mended += 1
        self.actions[action] += 1
        self._list(job_id, reason, action)

    def puzzle(self, job_id: UUID) -> None:
        """It could not be compared; met again, it is told once."""
        if job_id not in self.puzzling:
            self.puzzling.add(job_id)
            self._list(job_id, "it could not be compared", "none")

    def stray(self, workflow_id: str, reason: str, *, mended: bool = False) -> None:
        self.mended += mended
        if len(self.strays) < LISTED:
            self.strays.append({"workflowId": workflow_id, "reason": reason})

    def schedule(self, difference: dict[str, str]) -> None:
        """`{scheduleId, reason, action}`; what is `left` is somebody else's to mend."""
        self.mended += difference["action"] != "left"
        if len(self.schedules) < LISTED:
            self.schedules.append(difference)

    def _list(self, job_id: UUID, reason: str, action: str) -> None:
        if len(self.jobs) < LISTED:
            self.jobs.append({"jobId": str(job_id), "reason": reason, "action": action})

    def report(self) -> dict[str, Any]:
        """As the contract has it."""
        return {
            "startedAt": self.began.isoformat(),
            "finishedAt": datetime.now(UTC).isoformat(),
            "checked": self.checked,
            "started": self.actions["adopted"],
            "closed": self.actions["closed"],
            "mended": self.mended,
            "orphanedJobs": self.jobs,
            "orphanedExecutions": self.strays,
            "schedules": self.schedules,
        }
