"""`parse_questions`, `score` and `store` of an interview: by a model where there is a key, or by rules that say so."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from temporalio import activity

from activities.interview_audio import GONE, begun, job
from activities.portions import Pace
from domain.errors import JobError, VendorError
from domain.interviews.asking import Parsed, parse_prompt, questions_from
from domain.interviews.item import (
    AnalyseRequest,
    AnalyseResult,
    Answer,
    Found,
    Judge,
    ScorePortion,
    together,
)
from domain.interviews.measures import measures_of
from domain.interviews.overall import Overall, analysis_from, analysis_of, overall_prompt
from domain.interviews.parsing import questions_of
from domain.interviews.questions import Judgement, Question
from domain.interviews.rating import Judged, judgement_of, score_prompt
from domain.interviews.scoring import judged
from domain.portions import Portion
from domain.usage import Call
from ledger.items import Item, Settled

if TYPE_CHECKING:
    from activities.portions import Portions
    from domain.interviews.questions import Analysis
    from domain.interviews.transcript import Transcript
    from domain.job import Failure
    from domain.posting import Details
    from domain.protocols import Answer as Said
    from domain.protocols import LanguageModel
    from ledger.interview_work import InterviewWork, Recording
    from ledger.items import JobItems
    from ledger.postings import Postings

# Rooms for an answer, what a model thinks included.
MOST_TOKENS = {"parse_questions": 16_000, "score": 6_000, "store": 4_000}
PROMPTS = {"parse_questions": "interview_questions", "score": "interview_score", "store": "interview_overall"}
# So many interviews of the user before this one make the trend.
EARLIER = 20


class InterviewAnswers:
    """`at_once`: how many questions are judged at a time; `samples`: how often a model is asked of each."""

    def __init__(
        self,
        work: "InterviewWork",
        postings: "Postings",
        items: "JobItems",
        portions: "Portions",
        model: "LanguageModel",
        *,
        at_once: int,
        samples: int,
    ) -> None:
        self._work, self._postings, self._items, self._portions = work, postings, items, portions
        self._model, self._samples = model, samples
        self.pace = Pace(at_once, 0)

    @activity.defn(name="parse_interview")
    async def parse(self, asked: AnalyseRequest) -> Found:
        """Tell questions and answers apart. Raises JobError `draft_gone`, `not_found`, and what a model raises."""
        _, transcript = await self._heard(asked)
        if self._model.missing:
            return await self._by_rules(asked, transcript, self._model.missing)
        said = await self._ask("parse_questions", parse_prompt(transcript), Parsed)
        questions = questions_from(said.output, transcript)
        await self._work.keep_questions(job(), asked.timeline_item_id, questions, said.vendor, None)
        return Found(questions=len(questions), by=cast("Judge", said.vendor))

    @activity.defn(name="parse_interview_by_rules")
    async def parse_by_rules(self, asked: AnalyseRequest, reason: str) -> Found:
        """The stand-in for `parse`."""
        _, transcript = await self._heard(asked)
        return await self._by_rules(asked, transcript, reason)

    @activity.defn(name="score_interview")
    async def score(self, portion: ScorePortion) -> Portion:
        """Judge the next answers. Raises BudgetExceeded, JobClosed, LedgerUnavailable, JobError `draft_gone`."""
        interview_id = portion.asked.timeline_item_id
        recording, transcript = await self._heard(portion.asked)
        answers = {one.position: one for one in await self._answers(recording, portion.asked)}
        await self._items.fill(job(), list(answers))
        posting = await self._posting(recording)

        async def one(item: Item) -> Settled:
            question = answers[item.item].question
            last = item.attempts + 1 >= portion.again.attempts
            judgement, by, model = await self._judged(item, question, transcript, posting, last=last)
            await self._work.judge(job(), interview_id, item.item, judgement, by, model)
            return Settled(item.position, "done", {"status": "scored"})

        async def begin(_: Sequence[Item]) -> Callable[[Item], Awaitable[Settled]]:
            return one

        async def gave_up(item: Item, failure: "Failure") -> None:
            measures = measures_of(transcript, answers[item.item].question)
            failed = Judgement(measures=measures, error=failure)
            await self._work.judge(job(), interview_id, item.item, failed, None, None)

        return await self._portions.do(self.pace, portion.again, begin, gave_up)

    @activity.defn(name="store_interview")
    async def store(self, asked: AnalyseRequest) -> AnalyseResult:
        """Say what all answers together show, and complete the row. Raises JobError `draft_gone`, `not_found`, and what
        a model raises."""
        return await self._stored(asked, self._model.missing)

    @activity.defn(name="store_interview_by_rules")
    async def store_by_rules(self, asked: AnalyseRequest, reason: str) -> AnalyseResult:
        """The stand-in for `store`."""
        return await self._stored(asked, reason)

    async def _by_rules(self, asked: AnalyseRequest, transcript: "Transcript", reason: str) -> Found:
        questions = await asyncio.to_thread(questions_of, transcript)
        await self._work.keep_questions(job(), asked.timeline_item_id, questions, "offline", reason)
        return Found(questions=len(questions), by="offline", reason=reason)

    async def _judged(
        self, item: Item, question: Question, transcript: "Transcript", posting: "Details | None", *, last: bool
    ) -> tuple[Judgement, str, str | None]:
        """How the answer is judged, by whom, by which model. Of samples that failed the last attempt does without."""
        if self._model.missing:
            return await asyncio.to_thread(judged, question, transcript, posting), "offline", None
        prompt = score_prompt(question, transcript, posting)
        asking = [self._ask("score", prompt, Judged, item=item, turn=turn) for turn in range(self._samples)]
        ended = await asyncio.gather(*asking, return_exceptions=True)
        said = [one for one in ended if not isinstance(one, BaseException)]
        for error in ended:
            if isinstance(error, BaseException) and not (said and last and isinstance(error, VendorError)):
                raise error
        samples = [cast("Judged", one.output) for one in said]
        return judgement_of(samples, question, transcript, posting), said[0].vendor, said[0].model

    async def _stored(self, asked: AnalyseRequest, without: str | None) -> AnalyseResult:
        recording, transcript = await self._heard(asked)
        answers = await self._answers(recording, asked)
        if not all(one.judgement for one in answers):
            raise JobError("not every answer has been judged: replay from `score`", code="draft_gone")
        failed = [one.judgement.error for one in answers if one.judgement and one.judgement.error]
        if failed and len(failed) == len(answers):
            # a model that judges nothing is none: rules judge the whole, and it says so
            without = without or failed[0].message
            answers, failed = await self._judged_by_rules(asked, recording, transcript, answers), []
        analysis, said = await self._overall(recording, transcript, answers, without)
        parts = [
            transcript.transcribed_by,
            recording.parsed_by or "",
            *(one.judged_by for one in answers if one.judged_by),
        ]
        by = together([*parts, said.vendor if said else "offline"] if answers else parts)
        reason = without or (recording.reason if recording.parsed_by == "offline" else None)
        model = said.model if said else next((one.model for one in answers if one.model), None)
        if not await self._work.complete(job(), asked.timeline_item_id, analysis, by, reason, model):
            raise JobError(GONE, code="not_found")
        return AnalyseResult(
            timeline_item_id=asked.timeline_item_id,
            answered_by=by,
            reason=reason,
            seconds=transcript.duration_seconds,
            questions=len(answers),
            failed=len(failed),
        )

    async def _judged_by_rules(
        self, asked: AnalyseRequest, recording: "Recording", transcript: "Transcript", answers: Sequence[Answer]
    ) -> list[Answer]:
        posting = await self._posting(recording)
        for one in answers:
            judgement = await asyncio.to_thread(judged, one.question, transcript, posting)
            await self._work.judge(job(), asked.timeline_item_id, one.position, judgement, "offline", None)
        return await self._work.answers(asked.timeline_item_id)

    async def _overall(
        self, recording: "Recording", transcript: "Transcript", answers: Sequence[Answer], without: str | None
    ) -> "tuple[Analysis, Said | None]":
        questions = [one.question for one in answers]
        judgements = [one.judgement or Judgement() for one in answers]
        past = await self._work.before(recording.user_id, recording.created_at, limit=EARLIER)
        # rules and models do not mean the same by a number
        earlier = [[one.judgement for one in old if one.judgement] for old in past if _judges(old) == _judges(answers)]
        if without or not answers:
            return analysis_of(questions, judgements, earlier, transcript), None
        said = await self._ask("store", overall_prompt(questions, judgements, earlier, transcript), Overall)
        return analysis_from(said.output, questions, judgements, earlier, transcript), said

    async def _heard(self, asked: AnalyseRequest) -> "tuple[Recording, Transcript]":
        """The row with this job at it, and its transcript. Raises JobError."""
        recording = await begun(self._work, asked)
        transcript = await self._work.transcript(asked.timeline_item_id)
        if transcript is None:
            raise JobError("there is no transcript: replay from `transcribe`", code="draft_gone")
        return recording, transcript

    async def _answers(self, recording: "Recording", asked: AnalyseRequest) -> list[Answer]:
        if recording.parsed_by is None:
            raise JobError("the questions are not known: replay from `parse_questions`", code="draft_gone")
        return await self._work.answers(asked.timeline_item_id)

    async def _posting(self, recording: "Recording") -> "Details | None":
        row = await self._postings.get(recording.posting_id) if recording.posting_id else None
        return row.details if row and row.processing_status != "failed" else None

    async def _ask(
        self, step: str, prompt: str, output: type[Any], *, item: Item | None = None, turn: int = 0
    ) -> "Said":
        attempt = item.attempts + 1 if item else activity.info().attempt
        call = Call(job_id=job(), step=step, item=str(item.item) if item else "", turn=turn, attempt=attempt)
        return await self._model.ask(
            call, instructions=_instructions(step), prompt=prompt, output=output, max_tokens=MOST_TOKENS[step]
        )


def _judges(answers: Sequence[Answer]) -> set[bool]:
    """Whether models have judged them, or rules, or both."""
    return {one.judged_by == "offline" for one in answers if one.judged_by}


@cache
def _instructions(step: str) -> str:
    return files("providers").joinpath("prompts", f"{PROMPTS[step]}.md").read_text(encoding="utf-8")
