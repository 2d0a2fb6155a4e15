"""Interviews on a real engine and ledger: heard once, told apart, judged one by one; every end an honest one."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from domain.errors import RateLimited, VendorError
from domain.interviews.item import Interview
from domain.interviews.questions import Dimension
from domain.interviews.transcript import Transcript
from domain.job import Status
from domain.posting import Details
from engine.replay import Replays
from ledger.database import Database
from ledger.rows import JobRow
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.interview_parts import ANSWERED, ASKED, Analysing, Ears, InterviewModel, spoken
from tests.support.stack_parts import Parts, stack, steps_of, until
from workflows.catalog import ours

pytestmark = pytest.mark.asyncio(loop_scope="module")
KIND = "analyse-interview"
STEPS = ["load", "transcribe", "parse_questions", "score", "store"]
NONSENSE = VendorError("the model's answer was not understood", code="bad_answer", retryable=False)


class World:
    """One stack, one pair of ears, one model."""

    def __init__(self, parts: Parts, analysing: Analysing, ears: Ears, model: InterviewModel, folder: Path) -> None:
        self.parts, self.analysing, self.ears, self.model, self.folder = parts, analysing, ears, model, folder

    async def start(self, owner: str | None = None, *, posting_id: UUID | None = None) -> UUID:
        """A new row and its job; the job's id."""
        owner = owner or uuid4().hex
        interview_id = await self.analysing.give(owner, self.folder, posting_id=posting_id)
        return await self.again(interview_id, owner)

    async def again(self, interview_id: UUID, owner: str) -> UUID:
        job_id = await self.parts.submit(KIND, {"timelineItemId": str(interview_id)}, owner=owner)
        await self.analysing.interviews.assign(interview_id, job_id)
        return job_id

    async def ended(self, job_id: UUID) -> tuple[JobRow, Interview]:
        job = await self.parts.ended(job_id, 60)
        return job, await self.analysing.row(UUID(job.payload["timelineItemId"]))

    async def replay(self, job: JobRow, step: str) -> UUID:
        replays = Replays(self.parts.jobs, self.parts.catalog)
        return (await replays.replay(job, from_step=step)).id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    postgres_url: str, template: str, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    folder = tmp_path_factory.mktemp("recordings")
    async with cloned(postgres_url, template) as url:
        database, engine, ears, model = Database(url), await own_namespace(temporal_address), Ears(), InterviewModel()
        analysing = Analysing(database, folder / "store", ears, model)
        async with (
            stack(database, engine, analysing.activities, kinds=ours()) as parts,
            parts.working(),
            parts.dispatching(),
        ):
            yield World(parts, analysing, ears, model, folder)
        await analysing.close()
        await database.close()


@pytest.fixture
def world(made: World) -> World:
    made.model.forget()
    made.ears.forget()
    return made


@pytest.fixture
def offline(world: World) -> World:
    world.model.missing = "no model key is set"
    return world


async def test_without_a_key_rules_tell_and_judge_and_say_so(offline: World) -> None:
    job, row = await offline.ended(await offline.start())
    assert (job.status, row.processing_status, row.error) == (Status.COMPLETED, "completed", None)
    assert [step.name for step in job.steps] == STEPS
    assert (job.answered_by, row.answered_by, row.reason, row.model) == (
        "offline",
        "offline",
        "no model key is set",
        None,
    )
    assert [answer.question.question for answer in row.answers] == list(ASKED)
    assert [answer.question.answer for answer in row.answers] == list(ANSWERED)
    for answer in row.answers:
        assert answer.judgement
        assert set(answer.judgement.scores) == set(Dimension) - {Dimension.FIT}
        assert answer.judgement.measures.words == len(answer.question.answer.split())
        for score in answer.judgement.scores.values():
            assert all(quote in answer.question.answer for quote in score.quotes)
    assert row.transcript == spoken()
    assert row.analysis
    assert row.analysis.trend is None
    assert job.items
    assert (job.items.done, job.items.total, job.items.unit) == (3, 3, None)
    assert job.result == {
        "timelineItemId": str(row.id),
        "answeredBy": "offline",
        "reason": "no model key is set",
        "seconds": spoken().duration_seconds,
        "questions": 3,
        "failed": 0,
    }


async def test_a_model_is_asked_three_times_of_each_answer_a_few_at_a_time(world: World) -> None:
    world.model.together = 6
    job, row = await world.ended(await world.start())
    assert job.status == Status.COMPLETED
    assert row.answered_by == "mixed", "it was heard here, and judged elsewhere"
    assert (row.model, row.reason) == ("claude-haiku-5-5", None)
    asked = [(call.item, call.turn) for call in world.model.calls if call.step == "score"]
    assert sorted(asked) == [(str(place), turn) for place in (1, 2, 3) for turn in (0, 1, 2)]
    assert world.model.most_at_once == 6, "two answers at a time"
    for answer in row.answers:
        assert answer.judgement
        assert answer.judgement.feedback
        scored = answer.judgement.scores[Dimension.RELEVANCE]
        assert (scored.score, scored.confidence) == (3, 0.75), (
            "of 3, 4 and 3 the middle; they spread by one step of four"
        )
    assert row.analysis
    assert row.analysis.summary == "You say what you did."


@pytest.mark.parametrize("missing", [None, "no model key is set"])
async def test_the_fit_is_judged_where_a_job_position_is_linked(world: World, missing: str | None) -> None:
    world.model.missing, owner = missing, uuid4().hex
    posting, _ = await world.analysing.postings.put(owner, given="Engineer for clinics")
    await world.analysing.postings.sketch(
        posting.id, Details(title="Engineer", requirements=("scheduling for clinics",))
    )
    _, row = await world.ended(await world.start(owner, posting_id=posting.id))
    assert row.answers
    for answer in row.answers:
        assert answer.judgement
        assert set(answer.judgement.scores) == set(Dimension)
    fits = [answer.judgement.scores[Dimension.FIT].score for answer in row.answers if answer.judgement]
    assert any(fits)


async def test_who_transcribes_for_a_fee_and_a_model_answer_together(world: World) -> None:
    world.ears.transcript = spoken(by="deepgram")
    _, row = await world.ended(await world.start())
    assert row.answered_by == "anthropic"


async def test_an_answer_that_cannot_be_judged_is_marked_and_the_others_stand(world: World) -> None:
    world.model.fails[ANSWERED[1]] = NONSENSE
    job, row = await world.ended(await world.start())
    assert (job.status, row.processing_status) == (Status.COMPLETED, "completed")
    first, second, third = (answer.judgement for answer in row.answers)
    assert first
    assert second
    assert third
    assert (second.error and second.error.code, dict(second.scores), second.feedback) == ("bad_answer", {}, None)
    assert second.measures.words == len(ANSWERED[1].split())
    assert first.scores
    assert third.scores
    assert job.items
    assert (job.items.done, job.items.failed) == (2, 1)
    assert job.result
    assert (job.result["questions"], job.result["failed"]) == (3, 1)


async def test_an_answer_that_comes_at_a_later_attempt_is_judged_and_no_other_is_asked_again(world: World) -> None:
    world.model.fails[ANSWERED[1]] = RateLimited("slow down", retry_after=0.1)
    job_id = await world.start()
    await until(lambda: _calls(world, item="2"))
    world.model.fails.clear()
    _, row = await world.ended(job_id)
    assert all(answer.judgement and not answer.judgement.error for answer in row.answers)
    assert len([call for call in world.model.calls if call.item == "1"]) == 3


async def _calls(world: World, **fits: str) -> bool:
    return any(all(getattr(call, name) == value for name, value in fits.items()) for call in world.model.calls)


async def test_a_model_that_judges_no_answer_at_all_is_stood_in_for_and_a_replay_asks_it_again(world: World) -> None:
    world.model.fails |= dict.fromkeys(ANSWERED, NONSENSE)
    job, row = await world.ended(await world.start())
    assert (job.status, row.processing_status, row.reason) == (Status.COMPLETED, "completed", NONSENSE.message)
    assert {answer.judged_by for answer in row.answers} == {"offline"}
    assert row.answered_by == "mixed", "a model has told the questions apart"
    assert all(answer.judgement and answer.judgement.scores and not answer.judgement.error for answer in row.answers)
    world.model.forget()
    heard = list(world.ears.heard)
    again, row = await world.ended(await world.replay(job, "score"))
    assert (again.status, row.processing_status, row.job_id) == (Status.COMPLETED, "completed", again.id)
    assert ({answer.judged_by for answer in row.answers}, row.reason) == ({"anthropic"}, None)
    assert {call.step for call in world.model.calls} == {"score", "store"}
    assert world.ears.heard == heard


async def test_a_model_that_tells_nothing_apart_and_sums_nothing_up_is_stood_in_for(world: World) -> None:
    world.model.fails |= {"parse": NONSENSE, "overall": NONSENSE}
    world.ears.transcript = spoken(by="deepgram")
    job, row = await world.ended(await world.start())
    assert (job.status, row.answered_by) == (Status.COMPLETED, "mixed")
    assert row.reason == NONSENSE.message
    assert [answer.question.question for answer in row.answers] == list(ASKED)
    assert {answer.judged_by for answer in row.answers} == {"anthropic"}
    assert ("parse_questions", "failed") in steps_of(job)
    assert ("store", "failed") in steps_of(job)


async def test_a_replay_begins_where_it_is_told_to(offline: World) -> None:
    job, before = await offline.ended(await offline.start())
    for step in STEPS[2:]:
        again, row = await offline.ended(await offline.replay(job, step))
        assert (again.status, row.job_id) == (Status.COMPLETED, again.id), step
        assert [answer.question for answer in row.answers] == [answer.question for answer in before.answers]
    assert offline.ears.heard == [0, 10, 20]
    again, _ = await offline.ended(await offline.replay(job, "transcribe"))
    assert again.status == Status.COMPLETED
    assert offline.ears.heard == [0, 10, 20] * 2


async def test_a_replay_of_what_is_no_longer_kept_says_so(offline: World) -> None:
    job, row = await offline.ended(await offline.start())
    await offline.parts.database.execute("UPDATE interviews SET parsed_by = NULL WHERE id = $1", row.id)
    again, _ = await offline.ended(await offline.replay(job, "score"))
    assert (again.status, again.error and again.error.code) == (Status.FAILED, "draft_gone")
    await offline.parts.database.execute("UPDATE interviews SET transcript = NULL WHERE id = $1", row.id)
    again, _ = await offline.ended(await offline.replay(job, "parse_questions"))
    assert (again.status, again.error and again.error.code) == (Status.FAILED, "draft_gone")


async def test_the_trend_is_against_what_the_same_judge_said_before(offline: World) -> None:
    owner = uuid4().hex
    offline.ears.transcript = spoken([(0, ASKED[0]), (1, "I do not know what to say about that at all, sorry.")])
    await offline.ended(await offline.start(owner))
    offline.ears.forget()
    _, second = await offline.ended(await offline.start(owner))
    assert second.analysis
    assert second.analysis.trend
    assert second.analysis.trend.startswith("Better than")
    offline.model.missing = None
    _, third = await offline.ended(await offline.start(owner))
    assert third.analysis
    assert third.analysis.trend is None, "a model does not mean the same by a number"


async def test_a_cancel_reaches_the_ears_and_what_was_heard_is_not_heard_again(offline: World) -> None:
    offline.ears.hangs = 2
    job_id = await offline.start()
    await offline.ears.reached.wait()
    job = await offline.parts.row(job_id)
    interview_id = UUID(job.payload["timelineItemId"])
    assert len(await offline.analysing.work.pieces(job_id)) == 2
    assert await offline.parts.jobs.cancel(job_id, reason=None, by="somebody")
    job, row = await offline.ended(job_id)
    assert (job.status, row.processing_status) == (Status.CANCELED, "failed")
    assert row.error
    assert row.error.code == "canceled"
    await until(lambda: _set(offline))
    offline.ears.forget()
    _, row = await offline.ended(await offline.again(interview_id, row.user_id))
    assert (row.processing_status, row.error) == ("completed", None)


async def _set(world: World) -> bool:
    return world.ears.gone.is_set()


async def test_an_end_that_is_lost_after_the_transcript_was_kept_has_nothing_heard_again(
    offline: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, written = offline.analysing.work, list[UUID]()
    keep = work.keep_transcript

    async def lost(job_id: UUID, interview_id: UUID, transcript: Transcript) -> None:
        await keep(job_id, interview_id, transcript)
        written.append(job_id)
        if len(written) == 1:
            raise VendorError("the worker dies here", code="connection")

    monkeypatch.setattr(work, "keep_transcript", lost)
    job, row = await offline.ended(await offline.start())
    assert (job.status, len(row.answers)) == (Status.COMPLETED, len(ASKED))
    assert written == [job.id] * 2
    assert offline.ears.heard == [0, 10, 20]


async def test_progress_goes_by_the_second_while_somebody_listens(offline: World) -> None:
    offline.ears.hangs = 1
    job_id = await offline.start()

    async def at(second: int) -> bool:
        items = (await offline.parts.row(job_id)).items
        return bool(items and items.unit == "second" and items.done == second and items.total == 30)

    await until(lambda: at(10))
    offline.ears.go_on(hangs=2)
    await until(lambda: at(20))
    row = await offline.parts.row(job_id)
    assert row.progress.percent == int(100 * (1 + 20 / 30) / 5)
    assert row.progress.eta_seconds is not None
    assert await offline.parts.jobs.cancel(job_id, reason=None, by="somebody")
    await offline.ended(job_id)


@pytest.mark.parametrize("code", ["not_configured", "silent_audio", "file_gone", "no_questions"])
async def test_what_cannot_be_analysed_says_why(offline: World, code: str) -> None:
    owner = uuid4().hex
    interview_id = await offline.analysing.give(owner, offline.folder)
    if code == "not_configured":
        offline.ears.missing = "no Deepgram key is set"
    elif code == "silent_audio":
        offline.ears.transcript = spoken([])
    elif code == "file_gone":
        await offline.analysing.store.delete(str(interview_id))
    else:
        offline.ears.transcript = spoken([(0, "We hold these truths to be self-evident, that all are equal.")])
    job, row = await offline.ended(await offline.again(interview_id, owner))
    if code == "no_questions":
        assert (row.processing_status, row.answers) == ("completed", ())
        assert row.analysis
        assert row.analysis.summary.startswith("No question")
        return
    assert (job.status, row.processing_status) == (Status.FAILED, "failed")
    assert row.error
    assert row.error.code == code


async def test_words_stay_out_of_the_engine(world: World) -> None:
    answer = f"{ANSWERED[0]} m4rker"
    world.ears.transcript = spoken([(0, ASKED[0]), (1, answer)])
    job_id = await world.start()
    await world.ended(job_id)
    assert await _calls(world, step="score")
    history = await world.parts.client.get_workflow_handle(str(job_id)).fetch_history()
    payloads = b"".join(event.SerializeToString() for event in history.events)
    assert b"timelineItemId" in payloads, "they can be read here"
    told = str([event.data for event in await world.parts.events.after(job_id)])
    for secret in ("m4rker", "billing", "PostgreSQL"):
        assert secret.encode() not in payloads
        assert secret not in told
