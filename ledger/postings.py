"""The tables `postings` and `posting_drafts`: job postings of users, and what jobs have read of them so far."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from domain.job import Failure
from domain.posting import Details
from domain.postings.asking import Said
from domain.postings.enriching import AnsweredBy, Reading
from domain.storable import storable
from ledger.user_rows import UserRows

if TYPE_CHECKING:
    from asyncpg import Record

ProcessingStatus = Literal["pending", "processing", "completed", "failed"]
SELECT = "SELECT * FROM postings_now "
KNOWN = "SELECT * FROM postings_now WHERE id = (SELECT id FROM postings WHERE user_id = $1 AND url_key = $2)"


@dataclass(frozen=True, slots=True)
class PostingRow:
    """A posting as it stands; `given` is the text that was pasted. Either that or `url` is there."""

    id: UUID
    user_id: str
    url: str | None
    given: str | None
    details: Details
    processing_status: ProcessingStatus
    error: Failure | None
    job_id: UUID | None
    answered_by: AnsweredBy | None
    reason: str | None
    model: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: "Record") -> Self:
        error = Failure.model_validate(row["error"]) if row["error"] else None
        values: dict[str, Any] = {**row, "details": Details.model_validate(row["details"]), "error": error}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a posting is to be read from: an address, or the text itself."""

    url: str | None
    given: str | None


class Postings(UserRows[PostingRow]):
    """Every write may be repeated."""

    table, select = "postings", SELECT

    def _of(self, row: "Record") -> PostingRow:
        return PostingRow.of(row)

    async def put(
        self, user_id: str, *, url: str | None = None, key: str | None = None, given: str | None = None
    ) -> tuple[PostingRow, bool]:
        """Keep what a user gave; the row, and whether it is new. An address that the user has given is known by its
        `key` (domain.postings.enriching.url_key)."""
        async with self._database.acquire() as connection:
            while True:
                added = await connection.fetchval(
                    """INSERT INTO postings (user_id, url, url_key, given, details) VALUES ($1, $2, $3, $4, '{}')
                    ON CONFLICT (user_id, url_key) DO NOTHING RETURNING id""",
                    user_id,
                    url,
                    key,
                    storable(given) if given is not None else None,
                )
                row = (
                    await connection.fetchrow(SELECT + "WHERE id = $1", added)
                    if added
                    else await connection.fetchrow(KNOWN, user_id, key)
                )
                # none of both: the known one was erased between the two
                if row:
                    return PostingRow.of(row), added is not None

    async def get(self, posting_id: UUID) -> PostingRow | None:
        row = await self._database.row(SELECT + "WHERE id = $1", posting_id)
        return PostingRow.of(row) if row else None

    async def known(self, user_id: str, key: str) -> PostingRow | None:
        """The user's posting of that address."""
        row = await self._database.row(KNOWN, user_id, key)
        return PostingRow.of(row) if row else None

    async def sketch(self, posting_id: UUID, details: Details) -> PostingRow | None:
        """Keep what a quick reading found, unless a job has found more by now."""
        await self._database.execute(
            "UPDATE postings SET details = $2 WHERE id = $1 AND processing_status <> 'completed'",
            posting_id,
            _json(details),
        )
        return await self.get(posting_id)

    async def begin(self, job_id: UUID, posting_id: UUID) -> Source | None:
        """Note that the job is at it; None when the posting is gone, or belongs to another than the job's owner."""
        row = await self._database.row(
            """UPDATE postings p SET job_id = j.id, processing_status = 'processing', updated_at = now()
            FROM jobs j WHERE j.id = $1 AND p.id = $2 AND j.owner IN ('', p.user_id) RETURNING url, given""",
            job_id,
            posting_id,
        )
        return Source(row["url"], row["given"]) if row else None

    async def keep(self, job_id: UUID, posting_id: UUID, reading: Reading) -> None:
        """What the job has read by now; what a model said of another reading is dropped."""
        await self._database.execute(
            """INSERT INTO posting_drafts (job_id, posting_id, reading) SELECT $1, id, $3 FROM postings WHERE id = $2
            ON CONFLICT (job_id) DO UPDATE SET reading = excluded.reading, said = NULL""",
            job_id,
            posting_id,
            _json(reading),
        )

    async def keep_said(self, job_id: UUID, said: Said) -> None:
        await self._database.execute("UPDATE posting_drafts SET said = $2 WHERE job_id = $1", job_id, _json(said))

    async def draft(self, job_id: UUID) -> tuple[Reading, Said | None] | None:
        row = await self._database.row("SELECT reading, said FROM posting_drafts WHERE job_id = $1", job_id)
        if row is None:
            return None
        return Reading.model_validate(row["reading"]), Said.model_validate(row["said"]) if row["said"] else None

    async def store(
        self, job_id: UUID, posting_id: UUID, details: Details, answered_by: str, reason: str | None, model: str | None
    ) -> bool:
        """Complete the posting and forget the draft. False when the posting is gone."""
        async with self._database.acquire() as connection, connection.transaction():
            there = await connection.fetchval(
                """UPDATE postings SET details = $2, answered_by = $3, reason = $4, model = $5, job_id = $6,
                    processing_status = 'completed', updated_at = now() WHERE id = $1 RETURNING true""",
                posting_id,
                _json(details),
                answered_by,
                reason,
                model,
                job_id,
            )
            await connection.execute("DELETE FROM posting_drafts WHERE job_id = $1", job_id)
        return bool(there)


def _json(model: Any) -> Any:
    return storable(model.model_dump(mode="json", by_alias=True))
