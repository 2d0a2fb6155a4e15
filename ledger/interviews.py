"""The table `interviews`: recordings of users, what was said in them, and what jobs made of that."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.interviews.item import Interview
from domain.storable import storable
from ledger.user_rows import UserRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from domain.interviews.audio import AudioInfo

# what may be megabytes is left out of lists
LISTED = """SELECT id, user_id, posting_id, source, audio, audio_bytes, analysis, processing_status, error, job_id,
    answered_by, reason, model, created_at, updated_at FROM interviews_now """
ANSWERS = """SELECT position, question, judgement, judged_by, model, job_id FROM interview_questions
    WHERE interview_id = $1 ORDER BY position"""


class Interviews(UserRows[Interview]):
    """Rows as the door gives and shows them. Every write may be repeated."""

    table, select = "interviews", LISTED

    def _of(self, row: "Record") -> Interview:
        return _interview(row)

    async def put(
        self, interview_id: UUID, user_id: str, *, source: str | None = None, posting_id: UUID | None = None
    ) -> None:
        """Keep that a recording is there or comes. One whose job position is gone meanwhile has none."""
        await self._database.execute(
            """INSERT INTO interviews (id, user_id, source, posting_id)
            VALUES ($1, $2, $3, (SELECT id FROM postings WHERE id = $4 AND user_id = $2))
            ON CONFLICT (id) DO NOTHING""",
            interview_id,
            user_id,
            source,
            posting_id,
        )

    async def keep_audio(self, interview_id: UUID, info: "AudioInfo", size: int) -> bool:
        """Note that the recording lies in the store, with its bytes. False: the row is gone."""
        row = await self._database.row(
            "UPDATE interviews SET audio = $2, audio_bytes = $3, updated_at = now() WHERE id = $1 RETURNING true",
            interview_id,
            info.model_dump(mode="json"),
            size,
        )
        return row is not None

    async def get(self, interview_id: UUID) -> Interview | None:
        """All of it."""
        async with self._database.acquire() as connection, connection.transaction():
            row = await connection.fetchrow("SELECT * FROM interviews_now WHERE id = $1", interview_id)
            answers = await connection.fetch(ANSWERS, interview_id) if row else []
        return _interview(row, answers) if row else None

    async def listed(self, interview_id: UUID) -> Interview | None:
        """Without transcript and answers."""
        row = await self._database.row(LISTED + "WHERE id = $1", interview_id)
        return _interview(row) if row else None

    async def without_job(self, *, seconds: float, limit: int = 100) -> list[Interview]:
        """Those of at least that age that are there and whose job could not be started, the oldest first."""
        rows = await super().without_job(seconds=seconds, limit=limit)
        return [row for row in rows if not row.arriving(datetime.now(UTC))]

    async def open_jobs(self, interview_id: UUID) -> "list[UUID]":
        """Jobs that are, or are to be, at it."""
        rows = await self._database.fetch(
            """SELECT j.id FROM jobs j WHERE j.finished_at IS NULL AND j.id IN (
                SELECT job_id FROM interviews WHERE id = $1 UNION
                SELECT job_id FROM interview_jobs WHERE interview_id = $1)""",
            interview_id,
        )
        return [row["id"] for row in rows]

    async def delete(self, interview_id: UUID) -> None:
        """Delete transcript, questions, scores, and what models said of them; the recording is to follow (`gone`)."""
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute(
                """UPDATE spend SET answer = NULL
                WHERE job_id IN (SELECT job_id FROM interview_jobs WHERE interview_id = $1)""",
                interview_id,
            )
            await connection.execute(
                """DELETE FROM speech_callbacks
                WHERE job_id IN (SELECT job_id FROM interview_jobs WHERE interview_id = $1)""",
                interview_id,
            )
            await connection.execute("DELETE FROM interviews WHERE id = $1", interview_id)

    async def gone(self, *, limit: int = 100, seconds: float = 0.0) -> "Sequence[str]":
        """Keys of recordings whose row is gone since then, and whose file may still be there, the oldest first."""
        rows = await self._database.fetch(
            """SELECT key FROM recordings_gone WHERE gone_at <= now() - make_interval(secs => $2)
            ORDER BY gone_at LIMIT $1""",
            limit,
            seconds,
        )
        return [row["key"] for row in rows]

    async def forget(self, key: str) -> None:
        """Say that the file is gone too."""
        await self._database.execute("DELETE FROM recordings_gone WHERE key = $1", key)


def _interview(row: "Record", answers: "Sequence[Record]" = ()) -> Interview:
    values: dict[str, Any] = {**row, "answers": [dict(answer) for answer in answers]}
    return Interview.model_validate(values)


def as_json(model: Any) -> Any:
    """A value as the ledger keeps it."""
    return storable(model.model_dump(mode="json"))
