"""Waiting for the outside, for days if need be: what is asked for, and what came of it."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from domain.job import Failure, Ongoing
from domain.model import Model

WaitStatus = Literal["waiting", "completed", "failed", "timed_out", "canceled"]
# the signal that sends a workflow to the ledger, where the answer is
RESOLVED = "resolved"
OVERDUE = Failure(code="wait_timed_out", message="nobody answered in time")
OUTPUT_BYTES = 100_000


class WaitRequest(Model):
    """A step's wish to wait. `about` says for whom or what, in words that people see."""

    about: str
    within: timedelta


class Waiting(Model):
    """A waitpoint that a step waits at, and until when."""

    waitpoint: UUID
    until: datetime
    about: str


class Asked(Ongoing):
    """What a step that asks the outside brings back: its output, or where that is to be awaited.

    A step whose activity answers that it is waiting goes on; it ends with the waitpoint.
    """

    output: Any = None
    waiting: Waiting | None = None

    @property
    def goes_on(self) -> bool:
        return self.waiting is not None


class Look(Model):
    """What stands at a waitpoint? When it is `overdue` and nobody has answered, it times out with this."""

    waitpoint: UUID
    overdue: bool = False


class Resolution(Model):
    """What stands at a waitpoint."""

    status: WaitStatus
    output: Any = None
    error: Failure | None = None


def waitpoint_of(job_id: UUID, activity_id: str) -> UUID:
    """The waitpoint of a job's step: the same for every attempt."""
    return uuid5(job_id, activity_id)
