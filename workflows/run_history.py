"""A runner's whole history: letters and insights for all runs, or the most recent ones, for hours if need be."""

from datetime import timedelta

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.run_history import IngestRuns
    from domain.job import Job
    from domain.running.ingest import IngestPortion, IngestRequest, IngestResult, hours


@workflow.defn(name="batch-ingest-run-history")
class IngestRunHistory:
    """The runs are the job's items: how far it is stands in the ledger."""

    steps = (
        Step("select", policies.WRITE),
        Step("generate", policies.PORTION),
        Step("summarize", policies.WRITE),
    )

    @workflow.init
    def __init__(self, job: Job[IngestRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[IngestRequest]) -> IngestResult:
        return await self.progress.to_the_end(self.ingest(job.payload))

    async def ingest(self, asked: IngestRequest) -> IngestResult:
        progress = self.progress
        if not progress.done("select"):
            items = await progress.run("select", IngestRuns.select, asked)
            progress.within(timedelta(hours=hours(items.total)))
        portion = IngestPortion(asked=asked, again=progress.again("generate"))
        await progress.portions("generate", IngestRuns.generate, portion)
        return await progress.run("summarize", IngestRuns.summarize)
