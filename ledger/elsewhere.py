"""The table `rows_elsewhere`, and the copies of those rows in the tables of their kinds."""

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from domain.job import Failure, Status
from domain.postings.enriching import MOST_CHARACTERS
from domain.storable import storable
from ledger.database import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.rows import RowKind, TheirRow
    from ledger.database import Database

TABLES: "dict[RowKind, str]" = {"posting": "postings", "interview": "interviews"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A row whose job has ended, of which the product's table was not told."""

    job_id: UUID
    kind: "RowKind"
    id: UUID
    taken: bool
    owner: str
    status: Status
    error: Failure | None


class Elsewhere:
    """Every write may be repeated."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def standing(self, kind: "RowKind", row_id: UUID, job_id: UUID) -> Literal["own", "taken", "theirs"]:
        """Whether the row is the ledger's own, a copy that the job has taken already, or to be looked for elsewhere."""
        row = await self._database.row(
            f"""SELECT EXISTS (SELECT FROM {TABLES[kind]} WHERE id = $2) AS here,
                count(*) > 0 AS copied, bool_or(job_id = $3) AS taken
            FROM rows_elsewhere WHERE kind = $1 AND id = $2 AND taken""",  # noqa: S608
            kind,
            row_id,
            job_id,
        )
        if row is None or not row["here"]:
            return "theirs"
        return "taken" if row["taken"] else "theirs" if row["copied"] else "own"

    async def begin(self, kind: "RowKind", row_id: UUID, job_id: UUID) -> None:
        """Note that the job is about to take a copy: whatever comes of it, its end is to be told."""
        await self._database.execute(
            "INSERT INTO rows_elsewhere (job_id, kind, id) VALUES ($1, $2, $3) ON CONFLICT (job_id) DO NOTHING",
            job_id,
            kind,
            row_id,
        )

    async def copy(self, kind: "RowKind", row_id: UUID, job_id: UUID, row: "TheirRow") -> bool:
        """Keep a copy under the same id, what was found of it before included. False: it is not the job owner's."""
        told = await self._database.row(
            sql("copy_posting") if kind == "posting" else sql("copy_interview"),
            job_id,
            row_id,
            storable(row.user_id),
            *(_posting(row_id, row) if kind == "posting" else (row.source and storable(row.source), row.posting_id)),
        )
        return told is not None

    async def forget(self, kind: "RowKind", row_id: UUID) -> None:
        """The row is gone there: so is its copy, and nobody is to be told."""
        async with self._database.acquire() as connection, connection.transaction():
            copied = await connection.fetch(
                "DELETE FROM rows_elsewhere WHERE kind = $1 AND id = $2 RETURNING taken", kind, row_id
            )
            if any(one["taken"] for one in copied):
                await connection.execute(f"DELETE FROM {TABLES[kind]} WHERE id = $1", row_id)  # noqa: S608

    async def told(self, job_id: UUID) -> None:
        """The product's table knows how that job ended."""
        await self._database.execute("UPDATE rows_elsewhere SET told = true WHERE job_id = $1", job_id)

    async def tell_later(self, job_id: UUID, seconds: float) -> None:
        await self._database.execute(
            "UPDATE rows_elsewhere SET tell_after = now() + make_interval(secs => $2) WHERE job_id = $1",
            job_id,
            seconds,
        )

    async def untold(self, *, limit: int = 100) -> list[Ended]:
        """Rows to be told of whose jobs ended within the last days, the longest due first."""
        return [_ended(dict(row)) for row in await self._database.fetch(sql("untold_elsewhere"), limit)]

    async def adopt(self, fields: "Mapping[str, tuple[RowKind, str]]") -> None:
        """Have those rows told of too whose job ended within the last hour before it could begin. `fields`: by the kind
        of job, the kind of its row and where its payload names it."""
        kinds, places = zip(*fields.values(), strict=True)
        await self._database.execute(sql("adopt_elsewhere"), list(fields), list(kinds), list(places))


def _posting(row_id: UUID, row: "TheirRow") -> tuple[str | None, str | None, str | None]:
    """Address and its key, or text. The product may have many rows of one address."""
    url = storable((row.url or "").strip())
    if not url:
        return None, None, storable((row.given or "")[:MOST_CHARACTERS])
    return url, sha256(str(row_id).encode()).hexdigest(), None


def _ended(row: "dict[str, object]") -> Ended:
    error = Failure.model_validate(row["error"]) if row["error"] else None
    return Ended(**(row | {"status": Status(str(row["status"])), "error": error}))  # pyright: ignore[reportArgumentType]
