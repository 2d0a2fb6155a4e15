"""An interview (on the wire: timeline item): what its job is asked and answers, and the row as it stands."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from domain.interviews.audio import AudioInfo
from domain.interviews.questions import Analysis, Judgement, Question
from domain.interviews.transcript import TranscribedBy, Transcript
from domain.job import Failure, Ongoing
from domain.model import Model, Request
from domain.portions import Again
from domain.waiting import Waiting

KIND = "analyse-interview"
# To a store elsewhere the largest recording takes minutes; one that takes longer than this was lost on the way.
ARRIVES_WITHIN = timedelta(hours=1)
Judge = Literal["anthropic", "openai", "offline"]
AnsweredBy = Literal["anthropic", "openai", "offline", "mixed"]
ProcessingStatus = Literal["pending", "processing", "completed", "failed"]


class AnalyseRequest(Request):
    """Which row."""

    timeline_item_id: UUID


class AnalyseResult(Model):
    """The row has the rest. `reason`: why no model answered, or not all of it; `failed`: questions without scores."""

    timeline_item_id: UUID
    answered_by: AnsweredBy
    reason: str | None = None
    seconds: float = 0
    questions: int = 0
    failed: int = 0


class Loaded(Model):
    """What lies in the store."""

    seconds: float
    container: str


class Heard(Ongoing):
    """How much was said, and who has heard it; or where that is awaited."""

    seconds: float
    words: int = 0
    by: TranscribedBy | None = None
    waiting: Waiting | None = None

    @property
    def goes_on(self) -> bool:
        return self.waiting is not None


class Found(Model):
    """How many questions were asked, and who has told them apart; `reason`: why no model has."""

    questions: int
    by: Judge
    reason: str | None = None


class ScorePortion(Model):
    """What a portion of the questions is told."""

    asked: AnalyseRequest
    again: Again


class Answer(Model):
    """A question with how its answer was judged, once it was; `job_id` is that of the job which judged it."""

    position: int
    question: Question
    judgement: Judgement | None = None
    judged_by: Judge | None = None
    model: str | None = None
    job_id: UUID | None = None


class Interview(Model):
    """The row. Without `audio` the recording does not lie in the store; `source` says from where it is fetched, and
    without that it is being uploaded. Lists leave out `transcript` and `answers`."""

    id: UUID
    user_id: str
    posting_id: UUID | None
    source: str | None
    audio: AudioInfo | None
    audio_bytes: int | None
    transcript: Transcript | None = None
    answers: tuple[Answer, ...] = ()
    analysis: Analysis | None
    processing_status: ProcessingStatus
    error: Failure | None
    job_id: UUID | None
    answered_by: AnsweredBy | None
    reason: str | None
    model: str | None
    created_at: datetime
    updated_at: datetime

    def arriving(self, now: datetime) -> bool:
        """Whether its upload may still be under way."""
        return self.audio is None and self.source is None and now - self.created_at < ARRIVES_WITHIN


def together(parts: Iterable[str]) -> AnsweredBy:
    """Who answered, when each of the parts was answered by those: the model's vendor if nothing was done offline,
    `offline` if all was, else `mixed`. Who transcribes for a fee counts with any vendor of models."""
    said = set(parts)
    if said == {"offline"}:
        return "offline"
    if said - {"deepgram"} == {"anthropic"}:
        return "anthropic"
    if said - {"deepgram"} == {"openai"}:
        return "openai"
    return "mixed"
