"""What comes of an interview: its questions, the scores of the answers, what to do better."""

from enum import StrEnum

from pydantic import Field

from domain.job import Failure
from domain.model import Model


class Dimension(StrEnum):
    """`fit` is asked only of an interview to which a job position is linked."""

    RELEVANCE = "relevance"
    STRUCTURE = "structure"
    SPECIFICITY = "specificity"
    DEPTH = "depth"
    CLARITY = "clarity"
    PROBLEM_SOLVING = "problem_solving"
    SELF_AWARENESS = "self_awareness"
    FIT = "fit"


class Question(Model):
    """What was asked and what was answered, follow-ups joined. Seconds of the recording; the answer is
    `words[first:last]` of the transcript, what others say in between included."""

    question: str
    answer: str
    start: float
    end: float
    first: int
    last: int


class Score(Model):
    """1 to 5, or None where the dimension does not apply; each quote stands in the answer word for word."""

    score: int | None = Field(default=None, ge=1, le=5)
    quotes: tuple[str, ...] = ()
    reason: str = ""
    confidence: float = Field(default=1.0, ge=0, le=1)


class Feedback(Model):
    """What was good, one concrete change, and how a better answer would go."""

    strengths: tuple[str, ...] = ()
    change: str = ""
    outline: tuple[str, ...] = ()


class Measures(Model):
    """Counted, not judged. Shares are between 0 and 1; None where it cannot be counted."""

    words: int = 0
    words_per_minute: float | None = None
    fillers: int = 0
    fillers_per_minute: float | None = None
    pause_share: float | None = None
    longest_pause_seconds: float | None = None
    talk_ratio: float | None = None
    numbers: int = 0


class Judgement(Model):
    """Of one answer; `error` where nobody could judge it, and then neither scores nor feedback."""

    scores: dict[Dimension, Score] = Field(default_factory=dict[Dimension, Score])
    feedback: Feedback | None = None
    measures: Measures = Measures()
    error: Failure | None = None


class Analysis(Model):
    """Of the whole interview. `trend` says how it stands against the user's earlier ones."""

    summary: str
    improvements: tuple[str, ...] = ()
    trend: str | None = None
    measures: Measures = Measures()
