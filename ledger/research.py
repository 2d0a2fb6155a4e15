"""The `research_*` tables: evidence while a job works, briefings an owner can look through."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.research import Briefing, CompanyResearchRequest, Evidence

if TYPE_CHECKING:
    from datetime import datetime

    from ledger.database import Database


class Research:
    """Evidence is replaced as a whole by its step, so a retried step repeats nothing."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def put(self, job_id: UUID, step: str, evidence: Sequence[Evidence]) -> None:
        """Replace what the step found; once step or job have ended, a late writer changes nothing."""
        rows = [
            (job_id, e.id, step, n, e.kind, e.url, e.title, e.quote, e.topic, e.offset, e.technology)
            for n, e in enumerate(evidence)
        ]
        async with self._database.acquire() as connection, connection.transaction():
            # two statements: what the lock waited for is seen by the second alone
            await connection.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", job_id)
            if await connection.fetchval(
                """SELECT EXISTS (SELECT FROM jobs WHERE id = $1 AND finished_at IS NOT NULL) OR EXISTS (
                    SELECT FROM job_steps WHERE job_id = $1 AND activity_id = $2 AND finished_at IS NOT NULL)""",
                job_id,
                step,
            ):
                return
            await connection.execute("DELETE FROM research_evidence WHERE job_id = $1 AND step = $2", job_id, step)
            await connection.executemany(
                "INSERT INTO research_evidence VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", rows
            )

    async def read(self, job_id: UUID) -> list[Evidence]:
        """All evidence of a job, pages first, in reading order."""
        rows = await self._database.fetch(
            "SELECT * FROM research_evidence WHERE job_id = $1 ORDER BY kind, step, position", job_id
        )
        return [Evidence.model_validate({**row, "offset": row["text_offset"]}) for row in rows]

    async def store(self, job_id: UUID, request: CompanyResearchRequest, briefing: Briefing) -> None:
        """Into the owner's history; the working evidence goes, the cited part lives on in the briefing."""
        words = " ".join(
            [
                request.company_name,
                request.role,
                *(c.quote for c in briefing.evidence),
                *(t.name for t in briefing.stack),
            ]
        )
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute(
                """INSERT INTO research_briefings (job_id, owner, company, role, deep, briefing, words)
                SELECT id, owner, $2, $3, $4, $5, to_tsvector('simple', $6) FROM jobs WHERE id = $1
                ON CONFLICT (job_id) DO UPDATE SET briefing = excluded.briefing, words = excluded.words""",
                job_id,
                request.company_name,
                request.role,
                request.deep_mode,
                briefing.model_dump(mode="json", by_alias=True),
                words,
            )

    async def history(
        self, owner: str, *, search: str | None = None, limit: int = 50, before: "datetime | None" = None
    ) -> list[dict[str, Any]]:
        """Past briefings, newest first: {jobId, companyName, role, deepMode, createdAt, briefing}."""
        rows = await self._database.fetch(
            """SELECT job_id AS "jobId", company AS "companyName", role, deep AS "deepMode", created_at AS "createdAt",
                briefing FROM research_briefings
            WHERE owner = $1 AND ($2::text IS NULL OR words @@ websearch_to_tsquery('simple', $2))
                AND ($3::timestamptz IS NULL OR created_at < $3)
            ORDER BY created_at DESC LIMIT $4""",
            owner,
            search,
            before,
            limit,
        )
        return [dict(row) for row in rows]
