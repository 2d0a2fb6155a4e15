"""What is written about runs: a letter and a coaching insight for each, and reviews of more than one."""

import re
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from domain.model import Model, Request
from domain.running.figures import Fact
from domain.workout import Sport

Half = Literal["letter", "insight"]
HALVES: tuple[Half, ...] = ("letter", "insight")
About = Literal["week", "comparison", "trends", "suggestion"]
AnsweredBy = Literal["anthropic", "openai", "offline"]
Pattern = Literal["negative_split", "even", "positive_split"]
# pending: never asked for. generating: a job is at it. failed: the last job that was at it ended without it.
Standing = Literal["pending", "generating", "completed", "failed"]
WEEK = re.compile(r"(\d{4})-W(\d{2})")


class Sheet(Model):
    """What a writer is told. `facts` are the figures that a text may cite, and all of them; `notes` say in words what
    is to be known of them: what was estimated, what was repaired."""

    user_id: str
    # in words: a run's name, a week
    title: str
    facts: dict[str, Fact]
    notes: tuple[str, ...] = ()


class RunSheet(Sheet):
    """One run. `started_at` is in the runner's timezone."""

    workout_id: UUID
    sport: Sport
    started_at: datetime
    pacing: Pattern | None = None
    # of the zones: the runner's highest heart rate had to be guessed
    estimated: bool = False


class ReviewSheet(Sheet):
    """More than one run. `key` tells reviews of one sort apart: the Monday of a week, the two runs, the day."""

    about: About
    key: str
    # whose names the text may use
    named: tuple[str, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether no figure is of anything that was run or is to be: dates and counts of days alone say nothing."""
        return all(fact.unit in ("", "count") for fact in self.facts.values())


class Words(Model):
    """A text, plain, every number of it among the facts of its sheet. `reason` says why no model's text stands."""

    text: str
    answered_by: AnsweredBy
    model: str | None = None
    reason: str | None = None


class Written(Model):
    """What travels of a text: who wrote it, and why nobody better."""

    answered_by: AnsweredBy
    reason: str | None = None


class Cost(Model):
    """What the turns of a text took, refused ones included. Unknown price: None."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0


class HalfFailed(Model):
    """Why a half is missing."""

    code: str
    message: str


class Content(Model):
    """A letter or an insight as it stands. While it is written anew the text before it stays."""

    activity_id: UUID
    status: Standing
    text: str | None = None
    error: HalfFailed | None = None
    facts: dict[str, Fact] = Field(default_factory=dict)
    answered_by: AnsweredBy | None = None
    reason: str | None = None
    model: str | None = None
    usage: Cost = Cost()
    created_at: datetime | None = None
    job_id: UUID | None = None


class Review(Model):
    """Words on more than one run, and the figures they were written on."""

    about: About
    key: str = Field(examples=["2026-06-08"])
    text: str
    facts: dict[str, Fact]
    answered_by: AnsweredBy
    reason: str | None = None
    model: str | None = None
    usage: Cost = Cost()
    created_at: datetime
    job_id: UUID | None = None


class ContentRequest(Request):
    """The run to write about, and whose it is."""

    activity_id: UUID
    user_id: str = Field(min_length=1, max_length=256)


class ContentResult(Model):
    """The text itself is read at `GET /api/activities/{activityId}/letter` and `/insight`."""

    activity_id: UUID
    answered_by: AnsweredBy


class BothResult(Model):
    """A half that failed has its reason, and leaves the other alone."""

    activity_id: UUID
    answered_by: Literal["anthropic", "openai", "offline", "mixed"]
    letter: Written | HalfFailed
    insight: Written | HalfFailed

    @classmethod
    def of(cls, activity_id: UUID, letter: Written | HalfFailed, insight: Written | HalfFailed) -> Self:
        who: set[AnsweredBy] = {half.answered_by for half in (letter, insight) if isinstance(half, Written)}
        answered_by = who.pop() if len(who) == 1 else "mixed"
        return cls(activity_id=activity_id, answered_by=answered_by, letter=letter, insight=insight)


def _week(text: str) -> str:
    try:
        year, number = (int(part) for part in WEEK.fullmatch(text).groups())  # pyright: ignore[reportOptionalMemberAccess]
        date.fromisocalendar(year, number, 1)
    except (AttributeError, ValueError):
        raise ValueError("this is no ISO week, such as 2026-W24") from None
    return text


class DigestRequest(Request):
    """Without a week the digest is of the last one that has ended, where the user is."""

    user_id: str = Field(min_length=1, max_length=256)
    week: Annotated[str, AfterValidator(_week)] | None = Field(default=None, examples=["2026-W24"])

    @property
    def monday(self) -> date | None:
        return date.fromisocalendar(int(self.week[:4]), int(self.week[6:]), 1) if self.week else None


class ReviewRequest(Request):
    """What to write about: two runs `a` and `b`, the months up to now, or the seven days to come."""

    user_id: str = Field(min_length=1, max_length=256)
    about: Literal["comparison", "trends", "suggestion"]
    a: UUID | None = None
    b: UUID | None = None

    @model_validator(mode="after")
    def _two_runs(self) -> Self:
        if (self.about == "comparison") != (self.a is not None and self.b is not None) or (
            self.about != "comparison" and (self.a or self.b)
        ):
            raise ValueError("a comparison names the runs a and b, and nothing else does")
        return self


class ReviewResult(Model):
    """The text itself is read at `GET /api/run-history/{userId}/reviews?about=…`."""

    about: About
    key: str
    answered_by: AnsweredBy
