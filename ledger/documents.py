"""The tables `documents` and `chunks`: owners' documents, and the chunks by which each is found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.documents import Chunk, Parsed
from domain.errors import CallerError, JobClosed
from domain.library import Document, DocumentChanged, DocumentNotFound, Remark
from ledger.blobs import Spool, keep
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database

SHOWN = """SELECT *, CASE WHEN EXISTS (SELECT FROM jobs WHERE jobs.id = processed_by AND finished_at IS NULL)
    THEN 'processing' ELSE status END AS shown_status FROM documents d """
DELETE = """WITH gone AS (
        DELETE FROM documents WHERE owner = $1 AND id = $2 RETURNING owner, id
    )
    DELETE FROM blob_uses u USING gone WHERE u.owner = gone.owner AND u.name = 'documents/' || gone.id"""
PORTION = 500


@dataclass(frozen=True)
class Given:
    """A document that somebody gives: its bytes, and what is said of it. None of the last two: as it was."""

    id: str
    filename: str
    spool: Spool
    file_type: str | None = None
    project_id: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Cut:
    """A document as it was read and cut, ready to be found."""

    parsed: Parsed
    chunks: Sequence[Chunk]
    chunk_size: int
    overlap: int
    notes: tuple[Remark, ...] = ()
    project_id: str | None = None
    tags: tuple[str, ...] = ()


UNKNOWN = """SELECT relid::regclass::text AS "table" FROM pg_stat_user_tables
WHERE relid IN ('documents'::regclass, 'chunks'::regclass) AND last_analyze IS NULL AND last_autoanalyze IS NULL"""


class Documents:
    """Documents of owners, by the ids that these know them by."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def give(self, owner: str, given: Sequence[Given]) -> list[Document]:
        """Keep documents, all or none; one whose id is known takes the place of what was there."""
        documents: list[Document] = []
        async with self._database.acquire() as connection, connection.transaction():
            # in one order, so that two who give the same wait for each other instead of forever
            for one in sorted(given, key=lambda one: one.spool.blob.hash):
                await keep(connection, one.spool, owner=owner, name=f"documents/{one.id}")
            for one in given:
                blob = one.spool.blob
                row = await connection.fetchrow(
                    """INSERT INTO documents AS d (owner, id, filename, file_type, size, content_hash, project_id, tags)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::text[], '{}'))
                    ON CONFLICT (owner, id) DO UPDATE SET filename = excluded.filename, size = excluded.size,
                        file_type = excluded.file_type, content_hash = excluded.content_hash, updated_at = now(),
                        project_id = coalesce(excluded.project_id, d.project_id), tags = coalesce($8, d.tags)
                    RETURNING *""",
                    owner,
                    one.id,
                    one.filename,
                    one.file_type,
                    blob.size,
                    blob.hash,
                    one.project_id,
                    one.tags,
                )
                assert row  # noqa: S101 - an upsert answers
                documents.append(_document(row))
        return documents

    async def get(self, owner: str | None, document_id: str) -> Document:
        """Without an owner: whosever. Raises DocumentNotFound; CallerError where several owners have one of that id."""
        rows = await self._database.fetch(
            SHOWN + "WHERE id = $1 AND ($2::text IS NULL OR owner = $2) LIMIT 2", document_id, owner
        )
        if not rows:
            raise DocumentNotFound
        if len(rows) > 1:
            raise CallerError("several owners have a document of this id: say whose", pointer="?owner")
        return _document(rows[0])

    async def begin(self, owner: str, document_id: str, job_id: UUID) -> Document:
        """Note that the job works on it. Raises DocumentNotFound."""
        row = await self._database.row(
            "UPDATE documents SET processed_by = $3 WHERE owner = $1 AND id = $2 RETURNING *",
            owner,
            document_id,
            job_id,
        )
        if row is None:
            raise DocumentNotFound
        return _document(row)

    async def index(self, document: Document, job_id: UUID, cut: Cut) -> None:
        """Let it be found by these chunks and no others, from one moment to the next. `document` is as it was read.

        Raises DocumentNotFound; DocumentChanged when it has other content by now, and JobClosed when the job has ended:
        then it is found as before.
        """
        key = document.key
        rows = [_row(position, chunk) for position, chunk in enumerate(cut.chunks, 1)]
        async with self._database.acquire() as connection, connection.transaction():
            stands = await connection.fetchrow(
                """SELECT content_hash, EXISTS (SELECT FROM jobs WHERE id = $2 AND finished_at IS NULL) AS open,
                    to_regclass('chunk_vectors') IS NOT NULL AS meant
                FROM documents WHERE key = $1 FOR NO KEY UPDATE""",
                key,
                job_id,
            )
            if stands is None:
                raise DocumentNotFound
            if not stands["open"]:
                raise JobClosed("the job has ended")
            if stands["content_hash"] != document.content_hash:
                raise DocumentChanged
            await connection.execute("DELETE FROM chunks WHERE document = $1", key)
            for at in range(0, len(rows), PORTION):
                await connection.execute(sql("put_chunks"), key, rows[at : at + PORTION])
            await connection.execute(
                sql("indexed"),
                key,
                cut.parsed.file_type,
                cut.parsed.title,
                len(cut.parsed.pages),
                cut.chunk_size,
                cut.overlap,
                [note.model_dump(by_alias=True) for note in (*cut.parsed.notes, *cut.notes)],
                cut.project_id,
                list(cut.tags),
            )
            if stands["meant"]:
                await connection.execute(
                    """DELETE FROM chunk_vectors v WHERE document = $1
                        AND NOT EXISTS (SELECT FROM chunks c WHERE c.document = $1 AND c.digest = v.digest)""",
                    key,
                )

    async def fail(self, owner: str, document_id: str, why: Remark) -> None:
        """Note why it could not be indexed; what it is found by stays."""
        await self._database.execute(
            """UPDATE documents SET error = $3, status = CASE WHEN chunk_count = 0 THEN 'failed' ELSE status END,
                processed_by = NULL, updated_at = now() WHERE owner = $1 AND id = $2""",
            owner,
            document_id,
            why.model_dump(by_alias=True),
        )

    async def survey(self) -> None:
        """Have PostgreSQL count in the tables where it never has. Of tables that it knows nothing of, as after the
        first large job, it plans searches that take seconds; later its autovacuum sees to it."""
        for row in await self._database.fetch(UNKNOWN):
            await self._database.execute(f"ANALYZE {row['table']}")

    async def delete(self, owner: str, document_id: str) -> None:
        """Take it away, its chunks with it, and its bytes unless somebody else has the same."""
        await self._database.execute(DELETE, owner, document_id)


def _document(row: "Record") -> Document:
    return Document.model_validate({**row, "status": row.get("shown_status", row["status"])})


def _row(position: int, chunk: Chunk) -> dict[str, Any]:
    return {
        "position": position,
        "id": chunk.id,
        "starts": chunk.start,
        "ends": chunk.end,
        "page": chunk.page,
        "heading_path": chunk.heading_path,
        "table_header": chunk.table_header,
        "text": chunk.text,
        "digest": chunk.digest,
    }
