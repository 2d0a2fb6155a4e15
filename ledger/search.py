"""Finding chunks: by words (BM25) and, where embeddings are kept, by meaning too."""

import html
from typing import TYPE_CHECKING, Any

import structlog

from domain.errors import VendorError
from domain.library import Answers, Found
from ledger.database import numbered, sql
from ledger.vectors import written

if TYPE_CHECKING:
    from asyncpg import Record

    from domain.protocols import Embedder
    from ledger.database import Database
    from ledger.vectors import Vectors

log = structlog.get_logger()
# so many of each ranking are fused
DEEP = 50
# so many chunks of a kind are scored; some tenths of a second when every word is in every chunk
MOST = 2_000
# A plan that fits every owner fits none: it reads all chunks where few are asked for. And none is worth compiling.
PLANNED = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off"


class Search:
    """Fits domain.protocols.DocumentSearch. One statement a question, so that it sees each document's chunks whole."""

    def __init__(
        self, database: "Database", vectors: "Vectors", embedder: "Embedder | None" = None, *, most: int = MOST
    ) -> None:
        self._database, self._vectors, self._embedder, self._most = database, vectors, embedder, most

    async def search(
        self, owner: str, question: str, *, project_id: str | None = None, tag: str | None = None, limit: int = 5
    ) -> Answers:
        given: dict[str, Any] = {
            "owner": owner,
            "project": project_id,
            "tag": tag,
            "question": question.replace("\0", " "),
            "limit": limit,
            "most": self._most,
        }
        place = await self._vectors.place() if self._embedder else None
        vector = await self._meant(question) if place else None
        if place and vector and self._embedder:
            given |= {"vector": vector, "model": self._embedder.model, "deep": max(DEEP, limit)}
            best = sql("best_by_both").replace('"extensions"', place)
        else:
            best = sql("best_by_words")
        statement, fields = numbered(sql("bm25") + best + sql("found"))
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute(PLANNED)
            rows = await connection.fetch(statement, *[given[field] for field in fields])
        return Answers(ranking="hybrid" if vector else "words", chunks=tuple(_found(row) for row in rows))

    async def _meant(self, question: str) -> str | None:
        """What the question means; None when nobody can say so now: its words are left."""
        assert self._embedder  # noqa: S101
        try:
            [vector] = await self._embedder.embed([question])
        except VendorError as error:
            log.warning("a question is answered by its words alone", code=error.code)
            return None
        return written(vector)


def _found(row: "Record") -> Found:
    marked = html.escape(row["highlight"]).replace("\2", "<mark>").replace("\3", "</mark>")
    return Found(
        document_id=row["document_id"],
        filename=row["filename"],
        chunk_id=row["chunk_id"],
        text=row["text"],
        highlight=marked,
        page=row["page"],
        heading_path=tuple(row["heading_path"]),
        table_header=row["table_header"],
        start=row["starts"],
        end=row["ends"],
        score=row["score"],
    )
