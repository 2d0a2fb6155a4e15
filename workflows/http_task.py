"""A task that lives in the application: it is asked, its answer awaited, and it is told when nobody wants that."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import policies
from workflows.ending import afterwards
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.tasks import HttpTasks
    from domain.job import Job
    from domain.tasks import HttpTaskRequest
    from domain.waiting import OVERDUE

UNWANTED = ("canceled", "max_duration", OVERDUE.code)


@workflow.defn(name="http-task")
class HttpTask:
    """The step `call` goes on while the application works; it ends with the result."""

    steps = (Step("call", policies.TASK),)

    @workflow.init
    def __init__(self, job: Job[HttpTaskRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[HttpTaskRequest]) -> Any:
        try:
            return await self.progress.to_the_end(self.call(job.payload))
        except (asyncio.CancelledError, ApplicationError) as error:
            if isinstance(error, asyncio.CancelledError) or error.type in UNWANTED:
                await afterwards(HttpTasks.cancel, job.payload, within=timedelta(seconds=20))
            raise

    async def call(self, task: HttpTaskRequest) -> Any:
        asked = await self.progress.run("call", HttpTasks.call, task)
        return asked.output
