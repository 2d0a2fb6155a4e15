"""Cancels that have not come to their end: told and not obeyed, or never told because nothing is there to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from ledger.database import Database

# What a dispatcher needs to carry a cancel to the engine, and a parent to start its child.
MOMENT = timedelta(seconds=1)
AT_MOST = 100
OVERDUE = """
SELECT j.id, j.cancel_requested_by AS by,
    coalesce(j.cancel_sent_at < now() - $1::interval, false) AS over,
    coalesce(p.finished_at IS NULL AND p.id IS NOT NULL, false) AS open_parent
FROM jobs j LEFT JOIN jobs p ON p.id = j.parent_id
WHERE j.cancel_requested_at IS NOT NULL AND j.status IN ('queued', 'delayed', 'running') AND CASE
    WHEN j.cancel_sent_at < now() - $1::interval THEN true
    -- looked at a few times only: what runs may take its time
    WHEN j.cancel_sent_at IS NOT NULL THEN
        now() - j.cancel_sent_at BETWEEN 2 * $2::interval AND 5 * $2::interval
    WHEN j.engine_started_at IS NULL THEN j.claimed_until < now() - $2::interval
    ELSE j.cancel_requested_at < now() - $2::interval END
ORDER BY j.cancel_requested_at LIMIT $3
"""
INSIDE = """
WITH RECURSIVE family AS (
    SELECT id, status FROM jobs WHERE parent_id = $1
    UNION ALL SELECT j.id, j.status FROM jobs j JOIN family f ON j.parent_id = f.id
)
SELECT id FROM family WHERE status IN ('queued', 'delayed', 'running')
"""
ABANDONED = """
SELECT j.id FROM jobs j JOIN jobs p ON p.id = j.parent_id
WHERE j.parent_id IS NOT NULL AND j.cancel_requested_at IS NULL
    AND j.status IN ('queued', 'delayed', 'running') AND p.finished_at < now() - $1::interval
LIMIT $2
"""


@dataclass(frozen=True)
class Overdue:
    """An open job that was to end by now. `over`: it has had its grace, since the engine took the cancel."""

    id: UUID
    by: str
    over: bool
    open_parent: bool


class Cancels:
    """Reads rows that are being canceled or whose parent has ended: few, and found by indexes of their own."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def overdue(self, grace: timedelta) -> list[Overdue]:
        """The oldest first. Nobody is just telling the engine of those that it does not know."""
        rows = await self._database.fetch(OVERDUE, grace, MOMENT, AT_MOST)
        return [Overdue(**row) for row in rows]

    async def inside(self, job_id: UUID) -> Sequence[UUID]:
        """Open jobs that run inside this one, however deep."""
        rows = await self._database.fetch(INSIDE, job_id)
        return [row["id"] for row in rows]

    async def abandoned(self) -> Sequence[UUID]:
        """Open jobs whose parent has ended, and which nobody has asked to end."""
        rows = await self._database.fetch(ABANDONED, MOMENT, AT_MOST)
        return [row["id"] for row in rows]
