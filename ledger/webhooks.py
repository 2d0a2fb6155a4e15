"""The `webhooks` table: who wants to be told, where, of what, and by which secret they know us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from ledger.database import Database

ROTATION = timedelta(hours=24)
BY_HAND = "disabled by its owner"


@dataclass(frozen=True)
class Webhook:
    """An endpoint; `owner` '' is told of everybody's jobs. Its secret leaves the ledger with a delivery alone."""

    id: UUID
    owner: str
    url: str
    events: tuple[str, ...]
    status: str
    disabled_reason: str | None
    created_at: datetime


class Webhooks:
    """Endpoints. What does not exist is None."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def create(self, owner: str, url: str, events: Sequence[str], secret: str) -> Webhook:
        [row] = await self._database.fetch(
            "INSERT INTO webhooks (id, owner, url, events, secret) VALUES ($1, $2, $3, $4, $5) RETURNING *",
            uuid4(),
            owner,
            url,
            events,
            secret,
        )
        return _webhook(row)

    async def get(self, webhook_id: UUID) -> Webhook | None:
        row = await self._database.row("SELECT * FROM webhooks WHERE id = $1", webhook_id)
        return _webhook(row) if row else None

    async def list(
        self, owner: str | None = None, *, limit: int, before: tuple[datetime, UUID] | None = None
    ) -> Sequence[Webhook]:
        """Newest first; of one owner, or of all."""
        at, last = before or (None, None)
        rows = await self._database.fetch(
            """SELECT * FROM webhooks
            WHERE ($1::text IS NULL OR owner = $1)
                AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
            ORDER BY created_at DESC, id DESC LIMIT $4""",
            owner,
            at,
            last,
            limit,
        )
        return [_webhook(row) for row in rows]

    async def change(
        self,
        webhook_id: UUID,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        active: bool | None = None,
    ) -> Webhook | None:
        """What is not given stays."""
        row = await self._database.row(
            """UPDATE webhooks SET url = coalesce($2, url), events = coalesce($3, events),
                status = CASE $4::boolean WHEN true THEN 'active' WHEN false THEN 'disabled' ELSE status END,
                disabled_reason = CASE $4 WHEN true THEN NULL WHEN false THEN coalesce(disabled_reason, $5)
                    ELSE disabled_reason END
            WHERE id = $1 RETURNING *""",
            webhook_id,
            url,
            events,
            active,
            BY_HAND,
        )
        return _webhook(row) if row else None

    async def rotate(self, webhook_id: UUID, secret: str) -> Webhook | None:
        """Sign with `secret` from now on; for 24 h with the one before it too."""
        row = await self._database.row(
            """UPDATE webhooks SET previous_secret = secret, previous_until = now() + $3::interval, secret = $2
            WHERE id = $1 RETURNING *""",
            webhook_id,
            secret,
            ROTATION,
        )
        return _webhook(row) if row else None

    async def delete(self, webhook_id: UUID) -> bool:
        """What was told to it stays in the record."""
        row = await self._database.row("DELETE FROM webhooks WHERE id = $1 RETURNING id", webhook_id)
        return row is not None


def _webhook(row: Any) -> Webhook:
    values: dict[str, Any] = {name: row[name] for name in Webhook.__dataclass_fields__}
    values["events"] = tuple(row["events"])
    return Webhook(**values)
