"""The table `speech_callbacks`: what a vendor has called back with, from its arrival until the job has read it."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from ledger.database import Database


class SpeechCallbacks:
    """By the waitpoint of the step that waits for it."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def keep(self, waitpoint_id: UUID, body: bytes) -> None:
        """Keep what came first, while somebody waits for it and the interview is there."""
        await self._database.execute(
            """INSERT INTO speech_callbacks (waitpoint_id, job_id, body)
            SELECT id, job_id, $2 FROM waitpoints JOIN interview_jobs USING (job_id)
            WHERE id = $1 AND status = 'waiting' ON CONFLICT DO NOTHING""",
            waitpoint_id,
            body,
        )

    async def body(self, waitpoint_id: UUID) -> bytes | None:
        row = await self._database.row("SELECT body FROM speech_callbacks WHERE waitpoint_id = $1", waitpoint_id)
        return row["body"] if row else None

    async def forget(self, waitpoint_id: UUID) -> None:
        await self._database.execute("DELETE FROM speech_callbacks WHERE waitpoint_id = $1", waitpoint_id)
