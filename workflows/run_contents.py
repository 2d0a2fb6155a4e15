"""Writing about one run: its letter, its coaching insight, or both at once."""

import asyncio
from dataclasses import replace

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.run_contents import RunContents
    from domain.errors import JobError
    from domain.job import Failure, Job
    from domain.running.contents import BothResult, ContentRequest, ContentResult, Half, HalfFailed

WRITE = replace(policies.MODEL, attempts=3)
STEPS = (Step("load", policies.WRITE), Step("generate", WRITE), Step("store", policies.WRITE))


async def written(progress: Steps, half: Half, asked: ContentRequest) -> ContentResult:
    """Load, generate, store: the texts stay in the ledger."""
    await progress.run("load", RunContents.load, half, asked)
    found = await progress.run("generate", RunContents.generate, half, asked)
    await progress.run("store", RunContents.store, half, asked)
    return ContentResult(activity_id=asked.activity_id, answered_by=found.answered_by)


@workflow.defn(name="generate-run-letter")
class GenerateRunLetter:
    steps = STEPS

    @workflow.init
    def __init__(self, job: Job[ContentRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ContentRequest]) -> ContentResult:
        return await self.progress.to_the_end(written(self.progress, "letter", job.payload))


@workflow.defn(name="generate-coaching-insight")
class GenerateCoachingInsight:
    steps = STEPS

    @workflow.init
    def __init__(self, job: Job[ContentRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ContentRequest]) -> ContentResult:
        return await self.progress.to_the_end(written(self.progress, "insight", job.payload))


@workflow.defn(name="process-activity-content")
class ProcessActivityContent:
    """Both halves at once, each a step of this job: nobody needs an id for one alone."""

    steps = (Step("letter", WRITE), Step("insight", WRITE))

    @workflow.init
    def __init__(self, job: Job[ContentRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ContentRequest]) -> BothResult:
        return await self.progress.to_the_end(self.both(job.payload))

    async def both(self, asked: ContentRequest) -> BothResult:
        run = self.progress.run
        letter, insight = await asyncio.gather(
            run("letter", RunContents.letter, asked, otherwise=_failed),
            run("insight", RunContents.insight, asked, otherwise=_failed),
        )
        if isinstance(letter, HalfFailed) and isinstance(insight, HalfFailed):
            raise JobError(letter.message, code=letter.code)
        return BothResult.of(asked.activity_id, letter, insight)


def _failed(failure: Failure) -> HalfFailed:
    return HalfFailed(code=failure.code, message=failure.message)
