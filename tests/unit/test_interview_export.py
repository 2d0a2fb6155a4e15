"""An interview as a file for people; who answered when several did."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from markdown_it import MarkdownIt

from domain.interviews.audio import AudioInfo
from domain.interviews.export import as_markdown, escaped
from domain.interviews.item import Answer, Interview, together
from domain.interviews.questions import Analysis, Dimension, Feedback, Judgement, Measures, Question, Score
from domain.interviews.transcript import Transcript, Word
from domain.job import Failure

AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
PARSER = MarkdownIt("commonmark").enable("table")
QUESTION = Question(question="Why *us*?", answer="# I like | pipes", start=61, end=3700, first=0, last=4)
SCORES = {
    Dimension.DEPTH: Score(score=4, quotes=("like | pipes",), reason="It goes <b>deep</b>"),
    Dimension.STRUCTURE: Score(reason="not asked for"),
}
FEEDBACK = Feedback(strengths=("You name it",), change="1. Say why", outline=("Begin", "End"))
SPOKEN = Measures(words=90, words_per_minute=131.6, fillers=4, longest_pause_seconds=2.25, talk_ratio=0.624)
BRIEF = Measures(words=1, fillers=1)


def interview(*judged: Judgement | None) -> Interview:
    words = tuple(
        Word(text=text, start=at, end=at + 1, speaker=at // 2) for at, text in enumerate(["Why", "us", "I", "like"])
    )
    return Interview(
        id=uuid4(),
        user_id="ann",
        posting_id=None,
        source=None,
        audio=AudioInfo(container="wav", seconds=3725),
        audio_bytes=10,
        transcript=Transcript(words=words, duration_seconds=3725, transcribed_by="deepgram"),
        answers=tuple(Answer(position=n, question=QUESTION, judgement=one) for n, one in enumerate(judged, 1)),
        analysis=Analysis(
            summary="Good & short", improvements=("Say _more_",), trend="Better than before.", measures=SPOKEN
        ),
        processing_status="completed",
        error=None,
        job_id=None,
        answered_by="mixed",
        reason="no model key is set",
        model=None,
        created_at=AT,
        updated_at=AT,
    )


def seen(text: str) -> str:
    """What a reader sees of Markdown."""
    tokens = [token for token in PARSER.parse(text) if token.type == "inline"]
    return "\n".join("".join(child.content for child in token.children or ()) for token in tokens)


def test_people_read_all_of_it() -> None:
    failed = Judgement(error=Failure(code="bad_answer", message="the answer was not understood"))
    text = seen(as_markdown(interview(Judgement(scores=SCORES, feedback=FEEDBACK, measures=BRIEF), failed, None)))
    for part in (
        "Interview of 2026-05-01",
        "Length: 1:02:05",
        "Transcribed by: deepgram",
        "Answered by: mixed (no model key is set)",
        "How it was spoken: 132 words a minute, 4 fillers, longest pause 2.2 s, 62% of the time",
        "How it was spoken: 1 filler\n",
        "Good & short",
        "Say _more_",
        "Better than before.",
        "1. Why *us*?",
        "1:01 to 1:01:40",
        "# I like | pipes",
        "It goes <b>deep</b> “like | pipes”",
        "Change: 1. Say why",
        "Not scored: the answer was not understood",
        "[0:02] Speaker 2: I like",
    ):
        assert part in text, part
    assert text.splitlines().count("n/a") == 1


@pytest.mark.parametrize(
    "text", ["# a", "- a", "+ a", "1. a", "12) a", "a *b* _c_ `d`", "[a](b) <i>&amp;", "a | b\n\nc \\"]
)
def test_what_others_said_marks_nothing_up(text: str) -> None:
    [open_, inline, close] = PARSER.parse(escaped(text))
    assert (open_.type, close.type) == ("paragraph_open", "paragraph_close")
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children or ()) == " ".join(text.split())


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["deepgram", "anthropic", "anthropic"], "anthropic"),
        (["deepgram", "openai"], "openai"),
        (["offline", "offline"], "offline"),
        (["offline", "anthropic"], "mixed"),
        (["deepgram", "anthropic", "offline"], "mixed"),
        (["deepgram", "anthropic", "openai"], "mixed"),
        (["deepgram", "offline"], "mixed"),
    ],
)
def test_who_answered(parts: list[str], whole: str) -> None:
    assert together(parts) == whole
