"""What the dispatcher asks of the ledger: admission and outbox in one, under one advisory lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from ledger.database import sql
from ledger.rows import Claimed

if TYPE_CHECKING:
    from ledger.database import Database

LOCK = 0x10_4E_67_73
CLAIM = timedelta(seconds=15)


@dataclass(frozen=True)
class Turn:
    """What one turn may do: jobs to start, and started jobs whose cancel is to be sent."""

    starts: Sequence[Claimed] = ()
    cancels: Sequence[UUID] = ()


class Dispatch:
    """Claims hold 15 s: a claimed row is in somebody's hands, so a cancel of it goes through the engine."""

    def __init__(self, database: "Database", *, in_flight: int = 500) -> None:
        self._database = database
        self._in_flight = in_flight

    async def claim(self, at_most: int) -> Turn:
        """Admit up to `at_most` jobs; nothing when another process holds the lock."""
        async with self._database.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))", LOCK):
                return Turn()
            starts = await connection.fetch(sql("claim_starts"), at_most, self._in_flight, CLAIM)
            cancels = await connection.fetch(sql("claim_cancels"), at_most, CLAIM)
        return Turn([Claimed(**row) for row in starts], [row["id"] for row in cancels])

    async def started(self, job_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Mark jobs as in the engine; returns those for which a cancel was asked meanwhile."""
        rows = await self._database.fetch(
            """UPDATE jobs SET engine_started_at = coalesce(engine_started_at, now()), claimed_until = now()
            WHERE id = ANY($1) RETURNING id, cancel_requested_at IS NOT NULL AND cancel_sent_at IS NULL AS cancel""",
            job_ids,
        )
        return [row["id"] for row in rows if row["cancel"]]

    async def cancel_sent(self, job_id: UUID) -> None:
        await self._database.execute(
            "UPDATE jobs SET cancel_sent_at = now(), claimed_until = now() WHERE id = $1", job_id
        )

    async def later(self, job_ids: Sequence[UUID], seconds: float) -> None:
        """The engine did not answer: keep the claim, so that nobody ends the row, and try again soon."""
        await self._database.execute(
            "UPDATE jobs SET claimed_until = now() + make_interval(secs => $2) WHERE id = ANY($1)", job_ids, seconds
        )
