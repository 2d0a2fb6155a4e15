"""Erasing a user's data: end what runs, then delete what it left."""

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.erasing import Erased, Erasing
    from domain.job import Job
    from domain.model import Request

KIND = "erase-user"


class ErasureRequest(Request):
    """Nothing: the ledger knows whose data an erasure of this id is about, and nobody else is to."""


@workflow.defn(name=KIND)
class EraseUser:
    """The job's id is the erasure's; the engine is told no more."""

    steps = (Step("stop_jobs", policies.ERASE), Step("erase_data", policies.ERASE))

    @workflow.init
    def __init__(self, job: Job[ErasureRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ErasureRequest]) -> Erased:
        return await self.progress.to_the_end(self.erase(job))

    async def erase(self, job: Job[ErasureRequest]) -> Erased:
        await self.progress.run("stop_jobs", Erasing.stop_jobs, job.id)
        return await self.progress.run("erase_data", Erasing.erase_data, job.id)
