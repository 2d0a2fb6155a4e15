"""The `waitpoints` table: opened by who waits, resolved once from outside, told to the workflow until it has heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from pydantic_core import to_json

from domain.errors import JobClosed
from domain.job import Failure
from domain.keyring import digest
from domain.waiting import OVERDUE, Look, Resolution, WaitStatus
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database

CLAIM = timedelta(seconds=15)
Verdict = Literal["completed", "failed"]


@dataclass(frozen=True)
class Waitpoint:
    """`status` is what stands: one whose job has ended is canceled, one whose time is over has timed out."""

    id: UUID
    job_id: UUID | None
    activity_id: str | None
    about: str
    status: WaitStatus
    output: Any
    error: Failure | None
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None

    @property
    def step(self) -> str | None:
        return self.activity_id.split("#", 1)[0] if self.activity_id else None

    @classmethod
    def of(cls, row: "Record") -> Self:
        values: dict[str, Any] = {**row}
        values["error"] = Failure.model_validate(row["error"]) if row["error"] else None
        return cls(**values)


@dataclass(frozen=True)
class StepWait:
    """Whose waitpoint: the step's activity id, and when its activity was scheduled (the same for all attempts)."""

    job_id: UUID
    activity_id: str
    scheduled_at: datetime


class Waitpoints:
    """A waitpoint is left once; who comes later changes nothing."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def open(
        self, waitpoint_id: UUID, *, token: str, about: str, within: timedelta, wait: StepWait | None = None
    ) -> Waitpoint:
        """The waitpoint of that id, opened unless it stands. A step that was scheduled anew waits anew, unless it has
        its answer. Raises JobClosed when the job is not there."""
        await self._database.execute(
            """INSERT INTO waitpoints AS w (id, job_id, activity_id, scheduled_at, about, token_hash, expires_at)
            SELECT $1::uuid, $2::uuid, $3::text, $4::timestamptz, $5::text, $6::bytea, now() + $7::interval
            WHERE $2::uuid IS NULL OR EXISTS (SELECT FROM jobs WHERE id = $2)
            ON CONFLICT (id) DO UPDATE SET status = 'waiting', error = NULL, resolved_at = NULL, resolved_by = NULL,
                scheduled_at = excluded.scheduled_at, announced_at = NULL, expires_at = excluded.expires_at,
                tell_after = NULL
            WHERE w.status <> 'completed' AND w.scheduled_at < excluded.scheduled_at""",
            waitpoint_id,
            wait.job_id if wait else None,
            wait.activity_id if wait else None,
            wait.scheduled_at if wait else None,
            about,
            digest(token),
            within,
        )
        if (found := await self.get(waitpoint_id)) is None:
            raise JobClosed("the job is gone")
        return found

    async def announce(self, waitpoint_id: UUID) -> None:
        """Tell the audit that the job waits, and for what; once."""
        await self._database.execute(sql("announce_wait"), waitpoint_id)

    async def forget(self, waitpoint_id: UUID) -> None:
        """Nobody needs to wait: the answer came at once."""
        await self._database.execute("DELETE FROM waitpoints WHERE id = $1 AND status = 'waiting'", waitpoint_id)

    async def get(self, waitpoint_id: UUID) -> Waitpoint | None:
        row = await self._database.row(f"{sql('get_waitpoint')} WHERE w.id = $1", waitpoint_id)
        return Waitpoint.of(row) if row else None

    async def of_job(self, job_id: UUID) -> Sequence[Waitpoint]:
        """The job's waitpoints, newest first."""
        query = f"{sql('get_waitpoint')} WHERE w.job_id = $1 ORDER BY w.created_at DESC, w.activity_id DESC"
        return [Waitpoint.of(row) for row in await self._database.fetch(query, job_id)]

    async def resolve(
        self, waitpoint_id: UUID, status: Verdict, *, output: Any = None, error: Failure | None = None, by: str
    ) -> bool:
        """End the wait; False when nobody waits there (any more). The workflow is told afterwards."""
        row = await self._database.row(
            sql("resolve_wait"),
            waitpoint_id,
            status,
            to_json(output).decode() if status == "completed" else None,
            error.model_dump(by_alias=True) if error else None,
            by,
        )
        return bool(row and row["landed"])

    async def settle(self, look: Look) -> Resolution:
        """End the step with what stands, and answer with that; `waiting` if nothing stands and it is not overdue."""
        overdue = OVERDUE.model_dump(by_alias=True)
        row = await self._database.row(sql("settle_wait"), look.waitpoint, look.overdue, overdue)
        if row is None:
            raise JobClosed("the job is gone")
        return Resolution(
            status=row["status"],
            output=row["output"],
            error=Failure.model_validate(row["error"]) if row["error"] else None,
        )

    async def to_tell(self, at_most: int) -> Sequence[tuple[UUID, UUID]]:
        """(waitpoint, job) of answers that a workflow has not heard of; the claim holds 15 s."""
        rows = await self._database.fetch(
            """UPDATE waitpoints SET tell_after = now() + $2::interval WHERE id IN (
                SELECT id FROM waitpoints WHERE tell_after <= now() ORDER BY tell_after LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING id, job_id""",
            at_most,
            CLAIM,
        )
        return [(row["id"], row["job_id"]) for row in rows]

    async def told(self, waitpoint_ids: Sequence[UUID]) -> None:
        """The engine has it: it will not lose it."""
        await self._database.execute("UPDATE waitpoints SET tell_after = NULL WHERE id = ANY($1)", waitpoint_ids)

    async def tell_later(self, waitpoint_ids: Sequence[UUID], seconds: float) -> None:
        """Try again, while the job is open."""
        await self._database.execute(
            """UPDATE waitpoints w SET tell_after = CASE WHEN j.finished_at IS NULL
                THEN now() + make_interval(secs => $2) END
            FROM jobs j WHERE j.id = w.job_id AND w.id = ANY($1) AND w.tell_after IS NOT NULL""",
            waitpoint_ids,
            seconds,
        )
