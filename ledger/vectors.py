"""The table `chunk_vectors`: what chunks mean, where PostgreSQL has pgvector."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.database import quoted

if TYPE_CHECKING:
    from ledger.database import Database

PLACE = """SELECT n.nspname AS place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector' AND to_regclass('chunk_vectors') IS NOT NULL"""


def written(vector: Sequence[float]) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(format(value, '.7g') for value in vector)}]"


class Vectors:
    """Vectors of one length a model; chunks of a document with the same digest share one."""

    def __init__(self, database: "Database") -> None:
        self._database, self._place = database, None

    async def enable(self) -> bool:
        """Make ready what is missing, if pgvector can be had here; for those who may change tables."""
        row = await self._database.row("SELECT enable_vectors() AS place")
        self._place = row["place"] if row else None
        return self._place is not None

    async def place(self) -> str | None:
        """The schema of pgvector, quoted; None where there is none."""
        if self._place is None:
            row = await self._database.row(PLACE)
            self._place = row["place"] if row else None
        return quoted(self._place) if self._place else None

    async def known(self, document: int, model: str, digests: Sequence[str]) -> set[str]:
        """Which of them need not be asked for again."""
        rows = await self._database.fetch(
            "SELECT digest FROM chunk_vectors WHERE document = $1 AND model = $2 AND digest = ANY($3)",
            document,
            model,
            digests,
        )
        return {row["digest"] for row in rows}

    async def put(self, document: int, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Keep vectors by digest, those of a document that is gone excepted."""
        place = await self.place()
        async with self._database.acquire() as connection, connection.transaction():
            # held until the end: a vector of a document that is deleted meanwhile would be refused
            if await connection.fetchval("SELECT key FROM documents WHERE key = $1 FOR KEY SHARE", document):
                await connection.executemany(
                    f"""INSERT INTO chunk_vectors (document, model, digest, vector)
                    VALUES ($1, $2, $3, $4::text::{place}.vector) ON CONFLICT DO NOTHING""",  # noqa: S608
                    [(document, model, digest, written(vector)) for digest, vector in vectors.items()],
                )
