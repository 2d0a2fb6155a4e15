"""A job position: read where it stands, by its structure, by its words, by a model; kept with its sources."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.postings import Enriched, Enriching
    from domain.job import Failure, Job
    from domain.postings.enriching import KIND, EnrichRequest, EnrichResult

WITHIN = timedelta(minutes=5)
# Together they leave the last step its time.
FETCH = replace(policies.FETCH, start_to_close=timedelta(seconds=110), schedule_to_close=timedelta(seconds=125))
READ = replace(policies.FETCH, start_to_close=timedelta(seconds=40), schedule_to_close=timedelta(seconds=60))
MODEL = replace(policies.MODEL, start_to_close=timedelta(seconds=75), schedule_to_close=timedelta(seconds=85))


@workflow.defn(name=KIND)
class EnrichPosition:
    """When no model answers, what was read without one stands, and says so."""

    steps = (
        Step("load", FETCH),
        Step("extract", READ),
        Step("enrich", MODEL),
        Step("store", policies.WRITE),
    )

    @workflow.init
    def __init__(self, job: Job[EnrichRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[EnrichRequest]) -> EnrichResult:
        return await self.progress.to_the_end(self.enrich(job.payload))

    async def enrich(self, asked: EnrichRequest) -> EnrichResult:
        run = self.progress.run
        await run("load", Enriching.load, asked)
        await run("extract", Enriching.extract, asked)
        enriched = await run("enrich", Enriching.enrich, asked, otherwise=_without_model)
        return await run("store", Enriching.store, asked, enriched)


def _without_model(failure: Failure) -> Enriched:
    return Enriched(answered_by="offline", reason=failure.message)
