"""Whether ledger and engine say the same of each job, by what each of them lists itself."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
# What an execution was writing when it was terminated still lands, on a busy machine some seconds later.
UNDER_WAY = timedelta(seconds=5)


@dataclass(frozen=True)
class Run:
    """One run of an execution, as the engine lists it."""

    status: Ran | None
    begun: datetime
    closed: datetime | None = None

    def __str__(self) -> str:
        return f"{self.status.name if self.status else '?'} {self.begun}"


def disagreements(house: House, jobs: Iterable[Row], touched: set[str]) -> list[str]:
    """One line each, of these jobs and of executions that are nobody's.

    `touched`: jobs whose executions somebody terminated or reset.
    """
    runs = house.stack.background.run(_executions(house), 60)
    known = {str(row["id"]) for row in house.stack.rows("SELECT id FROM jobs")}
    found = [f"{job_id}: an execution without a job" for job_id in runs.keys() - known]
    for row in jobs:
        job_id = str(row["id"])
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
        if row["started_at"] is not None or row["status"] not in ("canceled", "expired"):
            return "it was never executed"
        # its start was on the way when it ended; such a run finds that out at its first step
        return "it was executed after its end" if any(run.status == Ran.COMPLETED for run in runs) else None
    last = begun[-1]
    if touched and len(begun) > 1 and last.status not in ENDS[row["status"]] and last.begun > finished - UNDER_WAY:
        # the run before it was reset while it wrote its end, which the new one found at its first step
        last = begun[-2]
    if last.status in ENDS[row["status"]]:
        return None
    if not touched or last.status != Ran.TERMINATED or last.closed is None:
        return "they tell of different ends"
    # what somebody did to an execution after the ledger's end changes nothing; and a job that is terminated before its
    # first step goes on waiting for it until the next reconciliation, or its ttl
    return None if last.closed >= finished - UNDER_WAY or row["status"] == "expired" else "they tell of different ends"


async def _executions(house: House) -> dict[str, list[Run]]:
    engine = await Client.connect(house.engine.address)
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    async for run in engine.list_workflows(f"WorkflowType IN ({kinds})"):
        runs[run.id].append(Run(run.status, run.start_time, run.close_time))
    for listed in runs.values():
        listed.sort(key=lambda run: run.begun)
    return runs
