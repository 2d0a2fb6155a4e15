"""Writing about more than one run: the digest of a week, a comparison, months, the week to come."""

from temporalio import workflow

from workflows import policies
from workflows.run_contents import WRITE
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.run_reviews import RunReviews
    from domain.job import Job
    from domain.running.contents import DigestRequest, ReviewRequest, ReviewResult

STEPS = (Step("load", policies.WRITE), Step("generate", WRITE), Step("store", policies.WRITE))


async def reviewed(progress: Steps, asked: DigestRequest | ReviewRequest) -> ReviewResult:
    """Load, generate, store: the texts stay in the ledger."""
    await progress.run("load", RunReviews.load, asked)
    found = await progress.run("generate", RunReviews.generate, asked)
    await progress.run("store", RunReviews.store)
    return found


@workflow.defn(name="weekly-run-digest")
class WeeklyRunDigest:
    steps = STEPS

    @workflow.init
    def __init__(self, job: Job[DigestRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[DigestRequest]) -> ReviewResult:
        return await self.progress.to_the_end(reviewed(self.progress, job.payload))


@workflow.defn(name="review-runs")
class ReviewRuns:
    steps = STEPS

    @workflow.init
    def __init__(self, job: Job[ReviewRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ReviewRequest]) -> ReviewResult:
        return await self.progress.to_the_end(reviewed(self.progress, job.payload))
