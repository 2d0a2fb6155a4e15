"""What is written about runs: a letter and a coaching insight for each, and words on more than one."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.model import Model, Request
from domain.running.figures import Fact
from domain.workout import Sport

Half = Literal["letter", "insight"]
AnsweredBy = Literal["anthropic", "openai", "offline"]
# pending: never asked for. generating: a job is at it. failed: the last job that was at it ended without it.
Standing = Literal["pending", "generating", "completed", "failed"]


class Sheet(Model):
    """A run as a writer is told of it. `facts` are the figures that a text may cite, and all of them."""

    workout_id: UUID
    user_id: str
    name: str
    sport: Sport
    # in the runner's timezone
    started_at: datetime
    facts: dict[str, Fact]
    # what is to be known of the figures in words: what was estimated, what was repaired
    notes: tuple[str, ...] = ()


class Words(Model):
    """A text, plain, every number of it among `facts`. `reason` says why no model's text stands."""

    text: str
    facts: dict[str, Fact]
    answered_by: AnsweredBy
    model: str | None = None
    reason: str | None = None


class Written(Model):
    """What travels of a text: who wrote it, and why nobody better."""

    half: Half
    answered_by: AnsweredBy
    reason: str | None = None


class Cost(Model):
    """What the turns of a text took, refused ones included. Unknown price: None."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)


class Content(Model):
    """A letter or an insight as it stands. While it is written anew the text before it stays."""

    activity_id: UUID
    status: Standing
    text: str | None = None
    facts: dict[str, Fact] = Field(default_factory=dict)
    answered_by: AnsweredBy | None = None
    reason: str | None = None
    model: str | None = None
    usage: Cost = Cost()
    created_at: datetime | None = None
    job_id: UUID | None = None


class ContentRequest(Request):
    """The run to write about, and whose it is."""

    activity_id: UUID
    user_id: str = Field(min_length=1, max_length=256)
