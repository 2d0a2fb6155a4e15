"""Rows that users give and jobs work on: what the tables of job positions and of interviews have in common."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database

R = TypeVar("R")


class UserRows(ABC, Generic[R]):
    """`table` has `user_id`, `job_id`, `processing_status` and times; `select` what lists show of its view."""

    table: ClassVar[str]
    select: ClassVar[str]

    def __init__(self, database: "Database") -> None:
        self._database = database

    @abstractmethod
    def _of(self, row: "Record") -> R:
        """What `select` answers with."""

    async def page(self, user_id: str, *, limit: int, before: tuple[datetime, UUID] | None = None) -> list[R]:
        """The user's rows, newest first; `before` is (created_at, id) of the last one of the page before."""
        rows = await self._database.fetch(
            self.select
            + """WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
            ORDER BY created_at DESC, id DESC LIMIT $4""",
            user_id,
            *(before or (None, None)),
            limit,
        )
        return [self._of(row) for row in rows]

    async def assign(self, row_id: UUID, job_id: UUID) -> None:
        """Say which job is to be at it; one that has begun already is not set back. May be repeated."""
        await self._database.execute(
            f"""UPDATE {self.table} SET job_id = $2, processing_status = 'pending', updated_at = now()
            WHERE id = $1 AND job_id IS DISTINCT FROM $2""",  # noqa: S608
            row_id,
            job_id,
        )

    async def without_job(self, *, seconds: float, limit: int = 100) -> list[R]:
        """Rows of at least that age whose job could not be started, the oldest first."""
        rows = await self._database.fetch(
            self.select
            + """WHERE job_id IS NULL AND processing_status = 'pending'
                AND created_at < now() - make_interval(secs => $1)
            ORDER BY created_at LIMIT $2""",
            seconds,
            limit,
        )
        return [self._of(row) for row in rows]
