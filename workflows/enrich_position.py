"""A job position: read where it stands, by its structure, by its words, by a model; kept with its sources."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps
from workflows.tools import use_tools

with workflow.unsafe.imports_passed_through():
    from activities.posting_agent import PostingAgent
    from activities.postings import Enriching
    from domain.job import Failure, Job
    from domain.postings.enriching import KIND, EnrichRequest, EnrichResult
    from domain.postings.looking import Enriched, Turn

WITHIN = timedelta(minutes=5)
# Together they leave the last step its time.
FETCH = replace(policies.FETCH, start_to_close=timedelta(seconds=110), schedule_to_close=timedelta(seconds=125))
READ = replace(policies.FETCH, start_to_close=timedelta(seconds=40), schedule_to_close=timedelta(seconds=60))
MODEL = replace(policies.MODEL, start_to_close=timedelta(seconds=75), schedule_to_close=timedelta(seconds=85))
# The agent is over so many seconds before the job has to be; with that part of its time left its model has to answer.
AT_THE_END, LAST_PART = 30.0, 0.2
# An activity ends itself in time; one that does not is ended so much later.
SPARE = timedelta(seconds=3)


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
        if enriched.agent_seconds is not None:
            enriched = await self._looked_up(enriched, enriched.agent_seconds)
        return await run("store", Enriching.store, asked, enriched)

    async def _looked_up(self, enriched: Enriched, seconds: float) -> Enriched:
        """Have the agent look up what is still open: turns of its model, and the tools they ask for, within seconds.

        However that ends, what was found by then stands.
        """
        within = timedelta(seconds=max(0.0, min(seconds, self.progress.left - AT_THE_END)))
        until = workflow.now() + within
        turn = Turn(until=until)

        async def tools(answer: Enriched) -> Turn:
            nonlocal turn
            calls = (turn.model_copy(update={"call": call}) for call in answer.calls)
            await use_tools(self.progress, "enrich", PostingAgent.call, calls, until=until + SPARE)
            last = until - workflow.now() < LAST_PART * within
            turn = Turn(turn=turn.turn + 1, until=until, last=last)
            return turn

        def stands(failure: Failure) -> Enriched:
            return enriched.ended("seconds" if failure.code == "step_timeout" else "failed", turn.turn, failure.message)

        rounds = self.progress.rounds
        return await rounds("enrich", PostingAgent.turn, turn, tools, otherwise=stands, until=until + SPARE)


def _without_model(failure: Failure) -> Enriched:
    return Enriched(answered_by="offline", reason=failure.message)
