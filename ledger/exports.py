"""Exports of runners' years that wait for their import: files among the `blob*` tables, and how an import ended."""

from collections.abc import AsyncIterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.running.imports import ImportResult
from ledger.blobs import BlobGone, Blobs

if TYPE_CHECKING:
    from ledger.blobs import Blob
    from ledger.database import Database

PREFIX = "export:"


class Exports:
    """An export is its owner's under the hash of its content, until it is imported."""

    def __init__(self, database: "Database") -> None:
        self._database, self._blobs = database, Blobs(database)

    async def put(self, user_id: str, content: AsyncIterable[bytes], content_hash: str, *, max_bytes: int) -> "Blob":
        """Keep an export. Raises PayloadTooLarge."""
        return await self._blobs.put(content, owner=user_id, name=PREFIX + content_hash, max_bytes=max_bytes)

    async def known(self, user_id: str, content_hash: str) -> bool:
        row = await self._database.row(
            "SELECT FROM blob_uses WHERE owner = $1 AND name = $2 AND hash = $3",
            user_id,
            PREFIX + content_hash,
            content_hash,
        )
        return row is not None

    async def to_file(self, user_id: str, content_hash: str, path: Path) -> None:
        """Write it there. Raises BlobGone, also when it is somebody else's."""
        if not await self.known(user_id, content_hash):
            raise BlobGone
        await self._blobs.to_file(content_hash, path)

    async def drop(self, user_id: str, content_hash: str) -> None:
        await self._blobs.delete(user_id, PREFIX + content_hash)

    async def ended(self, job_id: UUID) -> ImportResult:
        """What came of the export's files, counted from the import's items."""
        row = await self._database.row(
            """SELECT count(*) AS total, count(*) FILTER (WHERE status = 'done') AS imported,
                count(*) FILTER (WHERE status = 'done' AND NOT (outcome ->> 'isRun')::boolean) AS not_runs,
                count(*) FILTER (WHERE outcome ->> 'code' = 'known') AS known,
                count(*) FILTER (WHERE status = 'failed') AS refused,
                count(*) FILTER (WHERE status = 'skipped' AND outcome ->> 'code' <> 'known') AS passed_over
            FROM job_items WHERE job_id = $1""",
            job_id,
        )
        values: dict[str, Any] = {**row} if row else {}
        return ImportResult(**values)
