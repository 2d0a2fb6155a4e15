"""The `schedules` table: what was asked of each, as the engine carries it, and what came of its firings."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import asyncpg

from domain.job import Failure
from domain.schedule import Overlap
from ledger.database import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.database import Database


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule. `mark` names its last change, `engine_digest` what the engine made of it.

    `note` says why it is paused, when that is not a caller's doing. Durations are as they were written (`10m`).
    """

    id: str
    owner: str
    kind: str
    payload: dict[str, Any]
    options: dict[str, Any]
    cron: str
    timezone: str
    overlap: Overlap
    catchup_window: str
    jitter: str | None
    deduplication_key: str | None
    mark: str
    paused: bool = False
    note: str | None = None
    engine_digest: str = ""
    next_run_at: datetime | None = None
    last_job_id: UUID | None = None
    last_fired_at: datetime | None = None
    last_error: Failure | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def of(cls, row: "Mapping[str, Any] | asyncpg.Record") -> Self:
        values: dict[str, Any] = {field.name: row[field.name] for field in fields(cls)}
        if error := row["last_error"]:
            values["last_error"] = Failure.model_validate(error)
        return cls(**values)

    def record(self) -> dict[str, Any]:
        """What a change writes, as a JSON object; the rest is the ledger's own and the firings'."""
        record = {name: getattr(self, name) for name in ASKED}
        return record | {"next_run_at": self.next_run_at.isoformat() if self.next_run_at else None}


ASKED = (
    *("id", "owner", "kind", "payload", "options", "cron", "timezone", "overlap", "catchup_window", "jitter"),
    *("deduplication_key", "mark", "paused", "note", "engine_digest"),
)


class Schedules:
    """Schedules in the ledger. Changes are compare-and-set by the mark, for the engine is asked in between."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def create(self, row: ScheduleRow) -> ScheduleRow | None:
        """The row as it stands; None when the owner's deduplication key is taken."""
        stored = await self._database.row(sql("create_schedule"), row.record())
        return ScheduleRow.of(stored) if stored else None

    async def change(self, row: ScheduleRow, known: str) -> ScheduleRow | None:
        """Write what `row` says over the schedule as of the mark `known`; None when it was changed or deleted since.

        Raises DeduplicationTaken when the key is another schedule's.
        """
        try:
            stored = await self._database.row(sql("change_schedule"), row.record(), known)
        except asyncpg.UniqueViolationError:
            raise DeduplicationTaken from None
        return ScheduleRow.of(stored) if stored else None

    async def get(self, schedule_id: str) -> ScheduleRow | None:
        row = await self._database.row("SELECT * FROM schedules WHERE id = $1", schedule_id)
        return ScheduleRow.of(row) if row else None

    async def find(self, owner: str, deduplication_key: str) -> ScheduleRow | None:
        row = await self._database.row(
            "SELECT * FROM schedules WHERE owner = $1 AND deduplication_key = $2", owner, deduplication_key
        )
        return ScheduleRow.of(row) if row else None

    async def list(
        self,
        owners: Sequence[str] | None = None,
        *,
        limit: int = 100,
        before: tuple[datetime, str] | None = None,
    ) -> Sequence[ScheduleRow]:
        """Newest first, of these owners or of all, older than `before` (the last row's created_at and id)."""
        rows = await self._database.fetch(
            """SELECT * FROM schedules
            WHERE ($1::text[] IS NULL OR owner = ANY($1)) AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
            ORDER BY created_at DESC, id DESC LIMIT $2""",
            owners,
            limit,
            *(before or (None, None)),
        )
        return [ScheduleRow.of(row) for row in rows]

    async def delete(self, schedule_id: str) -> None:
        await self._database.execute("DELETE FROM schedules WHERE id = $1", schedule_id)

    async def next_run(self, schedule_id: str, mark: str, at: datetime | None) -> None:
        """Remember what the engine said of the next time."""
        await self._database.execute(
            "UPDATE schedules SET next_run_at = $3 WHERE id = $1 AND mark = $2", schedule_id, mark, at
        )

    async def trigger(self, schedule_id: str) -> datetime | None:
        """A second that no other call has had, now or soon, for a firing by hand; None when the schedule is gone."""
        row = await self._database.row(
            """UPDATE schedules SET triggered_at =
                greatest(date_trunc('second', clock_timestamp()), triggered_at + interval '1 second')
            WHERE id = $1 RETURNING triggered_at""",
            schedule_id,
        )
        return row["triggered_at"] if row else None

    async def firing(self, schedule_id: str, job_id: UUID, workflow_id: str, due_at: datetime) -> ScheduleRow | None:
        """Note which workflow is about to open which job; the schedule, or None when there is none any more."""
        row = await self._database.row(
            """WITH due AS (
                SELECT * FROM schedules WHERE id = $1
            ), noted AS (
                INSERT INTO schedule_firings (job_id, schedule_id, workflow_id, due_at) SELECT $2, id, $3, $4 FROM due
                ON CONFLICT (job_id) DO NOTHING
            )
            SELECT * FROM due""",
            schedule_id,
            job_id,
            workflow_id,
            due_at,
        )
        return ScheduleRow.of(row) if row else None

    async def fired(self, schedule_id: str, job_id: UUID, failure: Failure | None = None) -> None:
        """Note the job that came of a firing, or why none could."""
        await self._database.execute(
            """UPDATE schedules SET last_fired_at = now(), last_error = $3::jsonb,
                last_job_id = CASE WHEN $3::jsonb IS NULL THEN $2::uuid ELSE last_job_id END WHERE id = $1""",
            schedule_id,
            job_id,
            failure.model_dump(by_alias=True) if failure else None,
        )


class DeduplicationTaken(Exception):
    """Another schedule of the same owner has this key."""
