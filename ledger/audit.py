"""The `audit` table: who changed what that belongs to no one job. What is done to a job is among its own events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.database import Database


@dataclass(frozen=True)
class Deed:
    """`by` is a key's fingerprint (`key:1a2b3c4d`) or `owner:<owner>`, `subject` what was changed: `queues/toy`."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    data: dict[str, Any]


class AuditLog:
    """Append and read."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def note(self, by: str, action: str, subject: str, **data: Any) -> None:
        """Keep that `by` did `action` (`queue.pause`) to `subject`; `data` says how, without secrets."""
        await self._database.execute(
            "INSERT INTO audit (by, action, subject, data) VALUES ($1, $2, $3, $4)", by, action, subject, data
        )

    async def read(self, *, subject: str | None = None, before: int | None = None, limit: int = 100) -> Sequence[Deed]:
        """Newest first, older than the deed `before`."""
        rows = await self._database.fetch(
            """SELECT id, at, by, action, subject, data FROM audit
            WHERE ($1::text IS NULL OR subject = $1) AND ($2::bigint IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3""",
            subject,
            before,
            limit,
        )
        return [Deed(**row) for row in rows]
