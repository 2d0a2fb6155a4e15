"""Count a runner's figures again: the user has given a heart rate, or the figures are counted better by now."""

from temporalio import workflow

from workflows.run_import import END
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.importing import Importing
    from domain.job import Job
    from domain.running.imports import REFIGURE, RefigureRequest, RefigureResult


@workflow.defn(name=REFIGURE)
class RefigureRuns:
    """As far as an attempt has come it has come: the next one finds what is left."""

    steps = (Step("refigure", END),)

    @workflow.init
    def __init__(self, job: Job[RefigureRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[RefigureRequest]) -> RefigureResult:
        return await self.progress.to_the_end(self.progress.run("refigure", Importing.refigure, job.payload))
