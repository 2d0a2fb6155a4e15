"""Cancel or replay many jobs: a portion of the items at a time, each item's outcome kept in the ledger."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.bulk import BulkWork
    from domain.bulk import BulkRequest, BulkResult
    from domain.job import Job

PORTION = replace(policies.FETCH, start_to_close=timedelta(minutes=10))


@workflow.defn(name="bulk")
class Bulk:
    """The items stand in the ledger: what a portion has done is not looked at again."""

    steps = (Step("apply", PORTION),)

    @workflow.init
    def __init__(self, job: Job[BulkRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[BulkRequest]) -> BulkResult:
        return await self.progress.to_the_end(self.apply(job.payload))

    async def apply(self, asked: BulkRequest) -> BulkResult:
        items = await self.progress.portions("apply", BulkWork.apply, asked)
        return BulkResult(matched=items.total, done=items.done, failed=items.failed, skipped=items.skipped)
