"""Whether ledger and engine say the same of each job, by what each of them lists itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.client import Client
from temporalio.client import WorkflowExecutionStatus as Ran

from tests.support.house import House

Row = Mapping[str, Any]
ENDS: Mapping[str, set[Ran]] = {
    "completed": {Ran.COMPLETED},
    "failed": {Ran.FAILED, Ran.TIMED_OUT},
    "timed_out": {Ran.FAILED, Ran.TIMED_OUT},
    "canceled": {Ran.CANCELED, Ran.TERMINATED},
    "expired": {Ran.FAILED, Ran.CANCELED},
}
KINDS = ("errand", "bulk")


@dataclass(frozen=True)
class Run:
    """One run of an execution, as the engine lists it."""

    status: Ran | None
    begun: datetime
    closed: datetime | None = None

    def __str__(self) -> str:
        return f"{self.status.name if self.status else '?'} {self.begun}"


def disagreements(house: House, touched: set[str]) -> list[str]:
    """One line each, of all that either side has. `touched`: jobs whose executions somebody terminated or reset."""
    rows = {str(row["id"]): row for row in house.stack.rows("SELECT * FROM jobs WHERE kind = ANY($1)", KINDS)}
    runs = house.stack.background.run(_executions(house), 60)
    found = [f"{job_id}: an execution without a job" for job_id in runs.keys() - rows.keys()]
    for job_id, row in rows.items():
        if why := disagreement(row, runs.get(job_id, []), touched=job_id in touched):
            told = ", ".join(map(str, runs.get(job_id, [])))
            found.append(f"{job_id}: {why}; ledger: {row['status']} {row['finished_at']}, engine: {told or 'nothing'}")
    return found


def disagreement(row: Row, runs: Sequence[Run], *, touched: bool) -> str | None:
    """What one side says and the other does not; runs in their order."""
    finished: datetime | None = row["finished_at"]
    if finished is None:
        if row["engine_started_at"] is None:
            return "it waits, and yet was executed" if runs else None
        return None if runs and runs[-1].status == Ran.RUNNING else "it is open, and nothing runs"
    if any(run.status == Ran.RUNNING for run in runs):
        return "it has ended, and still runs"
    begun = [run for run in runs if run.begun <= finished]
    if not begun:
        waited = row["engine_started_at"] is None and row["started_at"] is None
        return None if waited and row["status"] in ("canceled", "expired") else "it was never executed"
    last = begun[-1]
    if last.status in ENDS[row["status"]]:
        return None
    # the ledger's end comes first: what somebody did to an execution in between changes nothing
    late = touched and last.status == Ran.TERMINATED and last.closed is not None and last.closed >= finished
    return None if late else "they tell of different ends"


async def _executions(house: House) -> dict[str, list[Run]]:
    engine = await Client.connect(house.engine.address)
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    async for run in engine.list_workflows(f"WorkflowType IN ({kinds})"):
        runs[run.id].append(Run(run.status, run.start_time, run.close_time))
    for listed in runs.values():
        listed.sort(key=lambda run: run.begun)
    return runs
