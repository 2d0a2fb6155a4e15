"""Interviews: the row follows its job, work is kept as it comes, and everything goes with the row and with the user."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.interviews.audio import AudioInfo
from domain.interviews.item import Interview
from domain.interviews.questions import Analysis, Dimension, Judgement, Question, Score
from domain.interviews.transcript import Piece, Transcript, Word
from domain.job import Status
from domain.usage import Call, Spent, Usage
from ledger.interview_work import InterviewWork
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.postings import Postings
from ledger.spend import Spend
from ledger.users import Users
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
INFO = AudioInfo(container="mp3", seconds=61.5)
WORDS = tuple(Word(text=text, start=at, end=at + 0.4, speaker=at % 2) for at, text in enumerate(("Why?", "Because.\0")))
HEARD = Transcript(words=WORDS, duration_seconds=61.5, transcribed_by="offline")
PIECES = [Piece(start=30.0 * number, end=30.0 * number + 30, words=WORDS) for number in range(2)]
QUESTIONS = [
    Question(question=f"Why {number}?", answer="Because.", start=0, end=2, first=1, last=2) for number in (1, 2)
]
JUDGED = Judgement(scores={Dimension.DEPTH: Score(score=2, quotes=("Because.",), reason="short")})
SHOWN = Analysis(summary="Say more.", improvements=("Say why.",))


async def given(book: Book, user_id: str | None = None, **more: Any) -> UUID:
    interviews, interview_id = Interviews(book.database), uuid4()
    await interviews.put(interview_id, user_id or uuid4().hex, **more)
    assert await interviews.keep_audio(interview_id, INFO, 1000)
    return interview_id


async def row(book: Book, interview_id: UUID) -> Interview:
    found = await Interviews(book.database).get(interview_id)
    assert found
    return found


async def analysed(book: Book, interview_id: UUID) -> UUID:
    """A job that has done all of it; its id."""
    work, job_id = InterviewWork(book.database), await book.running()
    assert await work.begin(job_id, interview_id)
    await work.keep_transcript(job_id, interview_id, HEARD)
    await work.keep_questions(job_id, interview_id, QUESTIONS, "offline", "no key")
    for position in (1, 2):
        await work.judge(job_id, interview_id, position, JUDGED, "offline", None)
    assert await work.complete(job_id, interview_id, SHOWN, "offline", "no key", None)
    return job_id


async def test_a_row_shows_what_is_there_by_now(book: Book) -> None:
    interview_id, work, job_id = await given(book), InterviewWork(book.database), await book.running()
    fresh = await row(book, interview_id)
    assert (fresh.processing_status, fresh.audio, fresh.audio_bytes, fresh.job_id) == ("pending", INFO, 1000, None)
    begun = await work.begin(job_id, interview_id)
    assert begun
    assert (begun.audio, begun.source, begun.parsed_by) == (INFO, None, None)
    for piece in PIECES:
        await work.keep_piece(job_id, piece)
        await work.keep_piece(job_id, piece)
    assert [piece.start for piece in await work.pieces(job_id)] == [0.0, 30.0]
    await work.keep_transcript(job_id, interview_id, HEARD)
    assert len(await work.pieces(job_id)) == 2, "who was killed right now hears nothing twice"
    heard = await row(book, interview_id)
    assert (heard.processing_status, heard.answers) == ("processing", ())
    assert heard.transcript
    assert heard.transcript.words[1].text == "Because.", "no NUL can be kept"
    assert await work.transcript(interview_id) == heard.transcript
    await work.keep_questions(job_id, interview_id, QUESTIONS, "anthropic", None)
    assert await work.pieces(job_id) == []
    await work.judge(job_id, interview_id, 2, JUDGED, "anthropic", "claude-haiku-5-5")
    first, second = (await row(book, interview_id)).answers
    assert (first.question, first.judgement) == (QUESTIONS[0], None)
    assert (second.judgement, second.judged_by, second.model, second.job_id) == (
        JUDGED,
        "anthropic",
        "claude-haiku-5-5",
        job_id,
    )
    assert await work.complete(job_id, interview_id, SHOWN, "mixed", None, "claude-haiku-5-5")
    await book.end(job_id)
    done = await row(book, interview_id)
    assert (done.processing_status, done.analysis, done.answered_by, done.error) == ("completed", SHOWN, "mixed", None)


async def test_what_is_heard_anew_takes_along_what_was_made_of_it(book: Book) -> None:
    interview_id = await given(book)
    await analysed(book, interview_id)
    work, again = InterviewWork(book.database), await book.running()
    await work.begin(again, interview_id)
    assert len((await row(book, interview_id)).answers) == 2
    await work.keep_transcript(again, interview_id, HEARD)
    heard = await row(book, interview_id)
    assert (heard.answers, heard.analysis) == ((), None)


async def test_a_job_that_was_replaced_writes_nothing_any_more(book: Book) -> None:
    interview_id, work = await given(book), InterviewWork(book.database)
    old = await analysed(book, interview_id)
    await work.begin(await book.running(), interview_id)
    await work.keep_transcript(old, interview_id, HEARD.model_copy(update={"words": ()}))
    await work.keep_questions(old, interview_id, [], "openai", None)
    await work.judge(old, interview_id, 1, Judgement(), "openai", None)
    assert not await work.complete(old, interview_id, Analysis(summary="old"), "openai", None, None)
    there = await row(book, interview_id)
    assert there.transcript
    assert there.transcript.words
    assert [answer.judgement for answer in there.answers] == [JUDGED, JUDGED]


async def test_a_job_of_somebody_else_gets_nothing_of_an_interview(book: Book) -> None:
    interview_id, work = await given(book), InterviewWork(book.database)
    user_id = (await row(book, interview_id)).user_id
    assert await work.begin(await book.running(owner="somebody else"), interview_id) is None
    assert (await row(book, interview_id)).processing_status == "pending"
    for owner in (user_id, ""):
        assert await work.begin(await book.running(owner=owner), interview_id)


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED, Status.TIMED_OUT])
async def test_a_row_whose_job_ended_otherwise_has_failed(book: Book, status: Status) -> None:
    interview_id, job_id = await given(book), await book.running()
    await InterviewWork(book.database).begin(job_id, interview_id)
    await book.end(job_id, status)
    there = await row(book, interview_id)
    assert there.processing_status == "failed"
    assert there.error
    assert there.error.code == ("canceled" if status == Status.CANCELED else "vendor_error")


async def test_pages_go_from_the_newest_to_the_oldest_and_leave_out_what_was_said(book: Book) -> None:
    interviews, user_id = Interviews(book.database), uuid4().hex
    ids = [await given(book, user_id) for _ in range(4)]
    await analysed(book, ids[0])
    first = await interviews.page(user_id, limit=3)
    rest = await interviews.page(user_id, limit=3, before=(first[-1].created_at, first[-1].id))
    assert [one.id for one in (*first, *rest)] == ids[::-1]
    assert (rest[0].transcript, rest[0].answers, rest[0].analysis) == (None, (), SHOWN)


async def test_a_job_position_is_linked_only_where_it_is_the_users(book: Book) -> None:
    user_id = uuid4().hex
    posting, _ = await Postings(book.database).put(user_id, given="A job at Acme")
    linked, other = await given(book, user_id, posting_id=posting.id), await given(book, posting_id=posting.id)
    assert (await row(book, linked)).posting_id == posting.id
    assert (await row(book, other)).posting_id is None


async def test_the_trend_is_made_of_what_was_completed_before(book: Book) -> None:
    user_id, work = uuid4().hex, InterviewWork(book.database)
    ids = [await given(book, user_id) for _ in range(3)]
    for interview_id in ids[1:]:
        await analysed(book, interview_id)
    last = await row(book, ids[2])
    [[one, two]] = await work.before(user_id, last.created_at, limit=5)
    assert [one.judgement, two.judgement] == [JUDGED, JUDGED]


async def test_seconds_are_the_progress_until_there_are_items(book: Book) -> None:
    items, job_id = JobItems(book.database), await book.running()
    await items.reach(job_id, 12, 60, 0.5)
    counts = await items.counts(job_id)
    assert (counts.done, counts.total, counts.unit, counts.pace) == (12, 60, "second", 0.5)
    await items.fill(job_id, [1, 2])
    await items.reach(job_id, 60, 60, 0.5)
    counts = await items.counts(job_id)
    assert (counts.done, counts.total, counts.unit) == (0, 2, None)
    await items.fill(job_id, [1, 2, 3])
    assert (await items.counts(job_id)).total == 2


async def test_nothing_that_was_said_is_left_of_a_deleted_interview(book: Book) -> None:
    interviews, interview_id, other = Interviews(book.database), await given(book), await given(book)
    job_id = await analysed(book, interview_id)
    spent = Spent(call=Call(job_id=job_id, step="score"), vendor="anthropic", model="m", usage=Usage(input_tokens=7))
    await Spend(book.database).record(spent, prompt_hash="h", answer={"quote": "Because."})
    await interviews.delete(interview_id)
    assert await interviews.get(interview_id) is None
    for table in ("interview_questions", "interview_jobs"):
        assert await book.database.fetch(f"SELECT FROM {table} WHERE interview_id = $1", interview_id) == []
    [paid] = await book.database.fetch("SELECT answer, input_tokens FROM spend WHERE job_id = $1", job_id)
    assert (paid["answer"], paid["input_tokens"]) == (None, 7)
    gone = await interviews.gone()
    assert str(interview_id) in gone
    assert str(other) not in gone
    await interviews.forget(str(interview_id))
    assert str(interview_id) not in await interviews.gone()
    work = InterviewWork(book.database)
    await work.keep_piece(job_id, PIECES[0])
    assert await work.pieces(job_id) == []
    assert not await interviews.keep_audio(interview_id, INFO, 1)


async def test_what_is_said_to_a_job_that_is_to_end_is_paid_and_not_kept(book: Book) -> None:
    """An interview is deleted while a vendor listens to it: the answer may come before the cancel has arrived."""
    interviews, interview_id, job_id = Interviews(book.database), await given(book), await book.running()
    assert await InterviewWork(book.database).begin(job_id, interview_id)
    assert await book.jobs.cancel_many([job_id], reason="deleted", by=None)
    await interviews.delete(interview_id)
    heard = Spent(call=Call(job_id=job_id, step="transcribe"), vendor="deepgram", model="nova-3", audio_seconds=30)
    await Spend(book.database).record(heard, prompt_hash="h", answer={"words": ["Because."]})
    [paid] = await book.database.fetch("SELECT answer, audio_seconds FROM spend WHERE job_id = $1", job_id)
    assert (paid["answer"], paid["audio_seconds"]) == (None, 30)


async def test_recordings_that_are_gone_are_told_by_how_long(book: Book) -> None:
    interviews, interview_id = Interviews(book.database), await given(book)
    await interviews.delete(interview_id)
    assert str(interview_id) in await interviews.gone(limit=1000)
    assert str(interview_id) not in await interviews.gone(limit=1000, seconds=60)


async def test_all_of_it_goes_with_its_user(book: Book) -> None:
    users, interviews, user_id = Users(book.database), Interviews(book.database), uuid4().hex
    mine, kept = await given(book, user_id), await given(book)
    job_id = await analysed(book, mine)
    await InterviewWork(book.database).keep_piece(job_id, PIECES[0])
    await analysed(book, kept)
    spent = Spent(call=Call(job_id=job_id, step="score"), vendor="anthropic", model="m", usage=Usage())
    await Spend(book.database).record(spent, prompt_hash="h", answer={"quote": "Because."})
    await users.erase_user(await users.forget(user_id, uuid4()), user_id)
    assert await interviews.get(mine) is None
    assert str(mine) in await interviews.gone(limit=1000)
    assert await InterviewWork(book.database).pieces(job_id) == []
    [paid] = await book.database.fetch("SELECT answer FROM spend WHERE job_id = $1", job_id)
    assert paid["answer"] is None
    assert len((await row(book, kept)).answers) == 2


async def test_rows_without_a_job_are_found(book: Book) -> None:
    interviews, user_id = Interviews(book.database), uuid4().hex
    left, started = await given(book, user_id), await given(book, user_id)
    await interviews.assign(started, await book.running())
    found = [one.id for one in await interviews.without_job(seconds=0) if one.user_id == user_id]
    assert found == [left]
    assert user_id not in {one.user_id for one in await interviews.without_job(seconds=3600)}


async def test_open_jobs_of_an_interview_are_those_at_it_and_the_one_that_is_to_be(book: Book) -> None:
    interviews, interview_id = Interviews(book.database), await given(book)
    ended, at_it, to_be = await book.running(), await book.running(), await book.running()
    for job_id in (ended, at_it):
        await InterviewWork(book.database).begin(job_id, interview_id)
    await book.end(ended)
    await interviews.assign(interview_id, to_be)
    assert set(await interviews.open_jobs(interview_id)) == {at_it, to_be}
