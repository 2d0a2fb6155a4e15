"""The `job_steps` table: a step's start and its end, one guarded statement each (design: the way of a job, 4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from domain.errors import JobClosed
from domain.job import Failure
from ledger.database import sql

if TYPE_CHECKING:
    from ledger.database import Database

End = Literal["completed", "failure", "wait", "fatal"]


@dataclass(frozen=True)
class Delivery:
    """Which attempt writes: (scheduled_at, number) orders all writers of one activity id."""

    job_id: UUID
    activity_id: str
    scheduled_at: datetime
    number: int

    @property
    def step(self) -> str:
        return self.activity_id.split("#", 1)[0]


@dataclass(frozen=True)
class Started:
    """`stored`: the step ended before with `output`. `landed`: this delivery is the newest writer.

    `canceling`: somebody has asked for the job's end, so it takes no step.
    """

    stored: bool
    output: Any
    landed: bool
    canceling: bool


@dataclass(frozen=True)
class Ended:
    """What stands after an end write; `landed` False: it was written before, somebody newer wrote, or the job ended.

    `randomize`: whether the job was asked with waits of random length.
    """

    landed: bool
    status: str | None
    failures: int
    randomize: bool = False


class Steps:
    """Step writes. None of them raises for being late: late writers change nothing."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def start(self, delivery: Delivery) -> Started:
        """Raises JobClosed when the job has ended or is unknown."""
        args = (delivery.job_id, delivery.activity_id, delivery.step, delivery.scheduled_at, delivery.number)
        row = await self._database.row(sql("step_start"), *args)
        if row and not (row["landed"] or row["is_stored"]):
            # an output may have been stored between this statement's snapshot and its lock: look once more
            row = await self._database.row(sql("step_start"), *args)
        if row is None or row["status"] not in ("queued", "delayed", "running"):
            raise JobClosed("the job has ended")
        return Started(row["is_stored"], row["output"], row["landed"], row["canceling"])

    async def end(
        self,
        delivery: Delivery,
        what: End,
        *,
        output: str | None = None,
        error: Failure | None = None,
        wait: float = 0.0,
        patience: float = 0.0,
    ) -> Ended:
        """`output` is JSON text. A `wait` counts no failure until the step has waited `patience` seconds in all."""
        row = await self._database.row(
            sql("step_end"),
            delivery.job_id,
            delivery.activity_id,
            delivery.scheduled_at,
            delivery.number,
            what,
            output,
            error.model_dump(by_alias=True) if error else None,
            wait,
            patience,
        )
        if row is None:
            raise JobClosed("the job is unknown")
        if row["landed"]:
            return Ended(True, row["status"], row["failures"], row["randomize"])
        stands = await self._database.row(
            "SELECT status, failures FROM job_steps WHERE job_id = $1 AND activity_id = $2",
            delivery.job_id,
            delivery.activity_id,
        )
        return Ended(False, stands["status"], stands["failures"]) if stands else Ended(False, None, 0)

    async def note(self, delivery: Delivery, status: Literal["failed", "skipped"], error: Failure | None) -> None:
        """What the interceptor could not see: a Temporal time-out taken as a step's failure, a step skipped."""
        await self._database.row(
            sql("step_note"),
            delivery.job_id,
            delivery.activity_id,
            delivery.step,
            delivery.scheduled_at,
            delivery.number,
            status,
            error.model_dump(by_alias=True) if error else None,
        )
