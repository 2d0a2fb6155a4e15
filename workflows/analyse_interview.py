"""An interview: its recording fetched, what is said in it heard, questions told apart, each answer judged, all kept."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.interview_audio import InterviewAudio
    from activities.interviews import InterviewAnswers
    from domain.interviews.item import KIND, AnalyseRequest, AnalyseResult, Found, Heard, ScorePortion
    from domain.job import Failure, Job

# Four hours of sound, heard on a machine that hears no faster than they were said, after others that came before.
WITHIN = timedelta(hours=12)
FETCH = replace(policies.FETCH, start_to_close=timedelta(minutes=30))
HEAR = replace(policies.FETCH, queue="media", start_to_close=timedelta(hours=6), schedule_to_close=WITHIN)


@workflow.defn(name=KIND)
class AnalyseInterview:
    """Recording, transcript and scores stay in the store and the ledger; ids and counts travel.

    The questions are the job's items. What no model answers is done by rules, as a whole, and says so; but an answer
    that could not be judged is marked, for the two kinds of judges do not compare.
    """

    steps = (
        Step("load", FETCH),
        Step("transcribe", HEAR),
        Step("parse_questions", policies.MODEL),
        Step("score", policies.PORTION),
        Step("store", policies.MODEL),
    )

    @workflow.init
    def __init__(self, job: Job[AnalyseRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[AnalyseRequest]) -> AnalyseResult:
        return await self.progress.to_the_end(self.analyse(job))

    async def analyse(self, job: Job[AnalyseRequest]) -> AnalyseResult:
        asked, run, stand_in = job.payload, self.progress.run, self.progress.stand_in

        async def called_back(heard: Heard) -> AnalyseRequest:
            if heard.waiting is not None:
                await self.progress.called_back(heard.waiting, "transcribe")
            return asked

        def parsed(failure: Failure) -> Awaitable[Found]:
            return stand_in("parse_questions", InterviewAnswers.parse_by_rules, asked, failure.message)

        def stored(failure: Failure) -> Awaitable[AnalyseResult]:
            return stand_in("store", InterviewAnswers.store_by_rules, asked, failure.message)

        if job.carried is None:
            await run("load", InterviewAudio.load, asked)
            await self.progress.rounds("transcribe", InterviewAudio.transcribe, asked, called_back)
            await run("parse_questions", InterviewAnswers.parse, asked, otherwise=parsed)
        portion = ScorePortion(asked=asked, again=self.progress.again("score"))
        await self.progress.portions("score", InterviewAnswers.score, portion)
        return await run("store", InterviewAnswers.store, asked, otherwise=stored)
