"""Import a runner's export: thousands of files, a portion at a time."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.importing import Importing
    from domain.job import Job
    from domain.running.imports import KIND, ImportRequest, ImportResult

PORTION = replace(policies.FETCH, start_to_close=timedelta(minutes=15), schedule_to_close=timedelta(hours=12))
END = replace(policies.FETCH, start_to_close=timedelta(hours=3), schedule_to_close=timedelta(hours=12))


@workflow.defn(name=KIND)
class ImportRunExport:
    """The export and its files' outcomes stand in the ledger: what has been done is not done again."""

    steps = (Step("list", PORTION), Step("import", PORTION), Step("summarize", END))

    @workflow.init
    def __init__(self, job: Job[ImportRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ImportRequest]) -> ImportResult:
        return await self.progress.to_the_end(self.bring_in(job.payload))

    async def bring_in(self, asked: ImportRequest) -> ImportResult:
        if not self.progress.done("list"):
            await self.progress.run("list", Importing.list_export, asked)
        await self.progress.portions("import", Importing.import_files, asked)
        return await self.progress.run("summarize", Importing.end_import, asked)
