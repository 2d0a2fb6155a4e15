"""What a job does with an interview: a recording heard piece by piece, its questions, how each answer was judged."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.interviews.audio import AudioInfo
from domain.interviews.item import Answer
from domain.interviews.questions import Analysis, Judgement, Question
from domain.interviews.transcript import Piece, Transcript
from domain.model import Model
from ledger.interviews import ANSWERS, as_json

if TYPE_CHECKING:
    from ledger.database import Database

# Only the job that is at an interview writes: one that was replaced changes nothing any more.
BEGIN = """
WITH mine AS (
    UPDATE interviews i SET job_id = j.id, processing_status = 'processing', updated_at = now()
    FROM jobs j WHERE j.id = $1 AND i.id = $2 AND j.owner IN ('', i.user_id) RETURNING i.*
), noted AS (
    INSERT INTO interview_jobs (job_id, interview_id) SELECT $1, id FROM mine ON CONFLICT (job_id) DO NOTHING
)
SELECT user_id, posting_id, source, audio, parsed_by, reason, created_at FROM mine
"""


class Recording(Model):
    """What a job finds when it comes to an interview."""

    user_id: str
    posting_id: UUID | None = None
    source: str | None = None
    audio: AudioInfo | None = None
    parsed_by: str | None = None
    reason: str | None = None
    created_at: datetime


class InterviewWork:
    """Every write may be repeated. What is written for a row that is gone, or that another job is at, is lost."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def begin(self, job_id: UUID, interview_id: UUID) -> Recording | None:
        """Note that the job is at it; None when the interview is gone, or belongs to another than the job's owner."""
        row = await self._database.row(BEGIN, job_id, interview_id)
        return Recording.model_validate(dict(row)) if row else None

    async def pieces(self, job_id: UUID) -> list[Piece]:
        """What the job has heard by now, in the order of time."""
        rows = await self._database.fetch(
            "SELECT piece FROM interview_pieces WHERE job_id = $1 ORDER BY begins", job_id
        )
        return [Piece.model_validate(row["piece"]) for row in rows]

    async def keep_piece(self, job_id: UUID, piece: Piece) -> None:
        await self._database.execute(
            """INSERT INTO interview_pieces (job_id, begins, piece)
            SELECT job_id, $2, $3 FROM interview_jobs WHERE job_id = $1
            ON CONFLICT (job_id, begins) DO UPDATE SET piece = excluded.piece""",
            job_id,
            piece.start,
            as_json(piece),
        )

    async def keep_transcript(self, job_id: UUID, interview_id: UUID, transcript: Transcript) -> None:
        """Keep what was heard, whole; what was made of what had been heard before goes with that.

        The pieces stay until there are questions: that this step has ended is not written yet.
        """
        async with self._database.acquire() as connection, connection.transaction():
            mine = await connection.fetchval(
                """UPDATE interviews SET transcript = $3, parsed_by = NULL, analysis = NULL, updated_at = now()
                WHERE id = $2 AND job_id = $1 RETURNING true""",
                job_id,
                interview_id,
                as_json(transcript),
            )
            if mine:
                await connection.execute("DELETE FROM interview_questions WHERE interview_id = $1", interview_id)

    async def transcript(self, interview_id: UUID) -> Transcript | None:
        row = await self._database.row("SELECT transcript FROM interviews WHERE id = $1", interview_id)
        return Transcript.model_validate(row["transcript"]) if row and row["transcript"] else None

    async def keep_questions(
        self, job_id: UUID, interview_id: UUID, questions: Sequence[Question], by: str, reason: str | None
    ) -> None:
        """The questions, in place of those before; none of them is judged yet. `reason`: why no model found them."""
        async with self._database.acquire() as connection, connection.transaction():
            mine = await connection.fetchval(
                """UPDATE interviews SET parsed_by = $3, reason = $4, analysis = NULL, updated_at = now()
                WHERE id = $2 AND job_id = $1 RETURNING true""",
                job_id,
                interview_id,
                by,
                reason,
            )
            if not mine:
                return
            await connection.execute("DELETE FROM interview_pieces WHERE job_id = $1", job_id)
            await connection.execute("DELETE FROM interview_questions WHERE interview_id = $1", interview_id)
            await connection.executemany(
                "INSERT INTO interview_questions (interview_id, position, question) VALUES ($1, $2, $3)",
                [(interview_id, place, as_json(question)) for place, question in enumerate(questions, 1)],
            )

    async def answers(self, interview_id: UUID) -> list[Answer]:
        """Its questions in order, with how they are judged by now."""
        return [Answer.model_validate(dict(row)) for row in await self._database.fetch(ANSWERS, interview_id)]

    async def judge(
        self, job_id: UUID, interview_id: UUID, position: int, judgement: Judgement, by: str | None, model: str | None
    ) -> None:
        await self._database.execute(
            """UPDATE interview_questions q SET judgement = $4, judged_by = $5, model = $6, job_id = $1
            FROM interviews i WHERE i.id = $2 AND i.job_id = $1 AND q.interview_id = i.id AND q.position = $3""",
            job_id,
            interview_id,
            position,
            as_json(judgement),
            by,
            model,
        )

    async def before(self, user_id: str, created_at: datetime, *, limit: int) -> list[list[Answer]]:
        """The answers of the user's completed interviews before then, the latest first."""
        rows = await self._database.fetch(
            """SELECT q.interview_id, q.position, q.question, q.judgement, q.judged_by, q.model, q.job_id
            FROM interview_questions q JOIN (
                SELECT id, created_at FROM interviews
                WHERE user_id = $1 AND created_at < $2 AND processing_status = 'completed'
                ORDER BY created_at DESC LIMIT $3) i ON i.id = q.interview_id
            ORDER BY i.created_at DESC, q.interview_id, q.position""",
            user_id,
            created_at,
            limit,
        )
        found: dict[UUID, list[Answer]] = {}
        for row in rows:
            found.setdefault(row["interview_id"], []).append(Answer.model_validate(dict(row)))
        return list(found.values())

    async def complete(
        self,
        job_id: UUID,
        interview_id: UUID,
        analysis: Analysis,
        answered_by: str,
        reason: str | None,
        model: str | None,
    ) -> bool:
        """False when the interview is gone, or another job is at it."""
        row: Any = await self._database.row(
            """UPDATE interviews SET analysis = $3, answered_by = $4, reason = $5, model = $6,
                processing_status = 'completed', updated_at = now() WHERE id = $2 AND job_id = $1 RETURNING true""",
            job_id,
            interview_id,
            as_json(analysis),
            answered_by,
            reason,
            model,
        )
        return row is not None
