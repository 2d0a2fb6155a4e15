"""Interviews (timeline items) as the wire shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, HttpUrl, TypeAdapter, ValidationError, field_validator

from api.wire import JOB_ID
from domain.interviews.audio import Container
from domain.interviews.item import AnsweredBy, Judge, ProcessingStatus
from domain.interviews.questions import Dimension, Feedback, Measures, Score
from domain.interviews.transcript import TranscribedBy, Word
from domain.job import Failure
from domain.model import Model
from intake.interviews import is_address

if TYPE_CHECKING:
    from domain.interviews.item import Answer, Interview

ITEM_ID = "0b8f5f0e-4f6a-4d0b-8a53-6a1c0f6e3d21"
POSITION_ID = "5f0c7d1e-8a43-4b0e-9d65-2f1b6a7c8d90"
LONGEST = 2_000
ADDRESS = TypeAdapter(HttpUrl)


class ItemGiven(Model):
    """Where a recording lies: an address, or (for servers) `bucket/path` in the product's store."""

    model_config = ConfigDict(extra="ignore")
    audio: str = Field(min_length=3, max_length=LONGEST, examples=["https://example.com/interview.mp3"])
    job_position_id: UUID | None = Field(default=None, description="scores the fit too", examples=[POSITION_ID])
    user_id: str | None = Field(default=None, max_length=256, description="a token of one user need not say it")

    @field_validator("audio")
    @classmethod
    def _address_or_path(cls, audio: str) -> str:
        if is_address(audio):
            try:
                found = ADDRESS.validate_python(audio)
            except ValidationError:
                raise ValueError("this is no address") from None
            if found.username or found.password:
                raise ValueError("an address names no user")
            return str(found)
        parts = audio.split("/")
        if (
            len(parts) < 2
            or "://" in audio
            or any(part in ("", ".", "..") for part in parts)
            or not audio.isprintable()
        ):
            raise ValueError("say http(s)://… or bucket/path")
        return audio


class TranscriptView(Model):
    """What was said: words with seconds from the start, speakers as numbers in the order in which they are heard."""

    text: str
    words: tuple[Word, ...]
    transcribed_by: TranscribedBy
    model: str | None


class QuestionView(Model):
    """A question. Until it is judged, `scores` is empty and `feedback` null; with `error` it will not be."""

    question: str
    answer: str
    start: float
    end: float
    scores: dict[Dimension, Score]
    feedback: Feedback | None
    measures: Measures | None
    error: Failure | None
    judged_by: Judge | None

    @classmethod
    def of(cls, answer: "Answer") -> Self:
        asked, judged = answer.question, answer.judgement
        return cls(
            question=asked.question,
            answer=asked.answer,
            start=asked.start,
            end=asked.end,
            scores=judged.scores if judged else {},
            feedback=judged.feedback if judged else None,
            measures=judged.measures if judged else None,
            error=judged.error if judged else None,
            judged_by=answer.judged_by,
        )


class ItemSummary(Model):
    """An interview in a list. `answeredBy` is null until it is completed; `reason` says why no model has answered."""

    id: UUID = Field(examples=[ITEM_ID])
    user_id: str
    job_position_id: UUID | None
    processing_status: ProcessingStatus
    error: Failure | None
    duration_seconds: float | None
    container: Container | None
    summary: str | None
    improvements: tuple[str, ...]
    trend: str | None
    metrics: Measures | None
    answered_by: AnsweredBy | None
    reason: str | None
    model: str | None
    job_id: UUID | None = Field(examples=[JOB_ID])
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: "Interview") -> Self:
        return cls.model_validate(_summary(row))


class Item(ItemSummary):
    """An interview. `scores` of a question hold 1 to 5, or null where a dimension does not apply."""

    transcript: TranscriptView | None
    questions: tuple[QuestionView, ...]

    @classmethod
    def of(cls, row: "Interview") -> Self:
        said = row.transcript
        shown = said and TranscriptView(
            text=said.text, words=said.words, transcribed_by=said.transcribed_by, model=said.model
        )
        questions = [QuestionView.of(answer) for answer in row.answers]
        return cls.model_validate(_summary(row) | {"transcript": shown, "questions": questions})


class ItemPage(Model):
    """Newest first, transcripts and questions left out; `nextCursor` is null on the last page."""

    timeline_items: list[ItemSummary]
    next_cursor: str | None = None


def _summary(row: "Interview") -> dict[str, Any]:
    found = row.analysis
    return {
        **{name: getattr(row, name) for name in ItemSummary.model_fields if hasattr(row, name)},
        "job_position_id": row.posting_id,
        "duration_seconds": row.audio.seconds if row.audio else None,
        "container": row.audio.container if row.audio else None,
        "summary": found.summary if found else None,
        "improvements": found.improvements if found else (),
        "trend": found.trend if found else None,
        "metrics": found.measures if found else None,
    }
