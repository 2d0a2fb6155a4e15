"""Whether ledger and engine say the same of each job, by what each of them lists itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from tests.support.house import House

Row = Mapping[str, Any]
RAN = WorkflowExecutionStatus
ENDS: Mapping[str, set[WorkflowExecutionStatus]] = {
    "completed": {RAN.COMPLETED},
    "failed": {RAN.FAILED, RAN.TIMED_OUT},
    "timed_out": {RAN.FAILED, RAN.TIMED_OUT},
    "canceled": {RAN.CANCELED, RAN.TERMINATED},
    "expired": {RAN.FAILED, RAN.CANCELED},
}
KINDS = ("errand", "bulk")


def disagreements(house: House, touched: set[str]) -> list[str]:
    """One line each, of all that either side has. `touched`: jobs whose executions somebody terminated or reset."""
    rows = {str(row["id"]): row for row in house.stack.rows("SELECT * FROM jobs WHERE kind = ANY($1)", KINDS)}
    runs = house.stack.background.run(_executions(house), 60)
    found = [f"{job_id}: an execution without a job" for job_id in runs.keys() - rows.keys()]
    for job_id, row in rows.items():
        if why := disagreement(row, runs.get(job_id, []), touched=job_id in touched):
            told = ", ".join(f"{run.status.name if run.status else '?'} {run.start_time}" for run in runs[job_id])
            found.append(f"{job_id}: {why}; ledger: {row['status']} {row['finished_at']}, engine: {told or 'nothing'}")
    return found


def disagreement(row: Row, runs: Sequence[WorkflowExecution], *, touched: bool) -> str | None:
    """What one side says and the other does not; runs in their order."""
    finished: datetime | None = row["finished_at"]
    if finished is None:
        if row["engine_started_at"] is None:
            return "it waits, and yet was executed" if runs else None
        return None if runs and runs[-1].status == RAN.RUNNING else "it is open, and nothing runs"
    if any(run.status == RAN.RUNNING for run in runs):
        return "it has ended, and still runs"
    begun = [run for run in runs if run.start_time <= finished]
    if not begun:
        waited = row["engine_started_at"] is None and row["started_at"] is None
        return None if waited and row["status"] in ("canceled", "expired") else "it was never executed"
    last = begun[-1]
    if last.status in ENDS[row["status"]]:
        return None
    # the ledger's end comes first: what somebody did to an execution in between changes nothing
    late = touched and last.status == RAN.TERMINATED and last.close_time is not None and last.close_time >= finished
    return None if late else "they tell of different ends"


async def _executions(house: House) -> dict[str, list[WorkflowExecution]]:
    engine = await Client.connect(house.engine.address)
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    runs: defaultdict[str, list[WorkflowExecution]] = defaultdict(list)
    async for run in engine.list_workflows(f"WorkflowType IN ({kinds})"):
        runs[run.id].append(run)
    for listed in runs.values():
        listed.sort(key=lambda run: run.start_time)
    return runs
