"""The `blob*` tables: files that users gave, kept once by their SHA-256 until the last who has one lets go of it."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from domain.errors import JobError, PayloadTooLarge

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.database import Database

PIECE = 1024 * 1024


class BlobGone(JobError):
    """Its owner has deleted the file meanwhile."""

    code = "file_gone"

    def __init__(self) -> None:
        super().__init__("the file is not there any more")


@dataclass(frozen=True)
class Blob:
    """A file that is kept: SHA-256 in hex, size in bytes."""

    hash: str
    size: int


class Spool:
    """Bytes on their way in: hashed as they come, in memory up to 1 MiB, in a file without a name beyond."""

    def __init__(self, max_bytes: int) -> None:
        self._file = cast("BinaryIO", tempfile.SpooledTemporaryFile(PIECE))  # noqa: SIM115 - closed by `close`
        self._hash, self._max, self.size = hashlib.sha256(), max_bytes, 0

    def write(self, data: bytes) -> None:
        """Raises PayloadTooLarge."""
        self.size += len(data)
        if self.size > self._max:
            raise PayloadTooLarge(f"a file holds at most {self._max // 1000} kB")
        self._hash.update(data)
        self._file.write(data)

    @property
    def blob(self) -> Blob:
        return Blob(self._hash.hexdigest(), self.size)

    def pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def close(self) -> None:
        self._file.close()


@contextmanager
def spooling(max_bytes: int) -> Generator[Spool]:
    spool = Spool(max_bytes)
    try:
        yield spool
    finally:
        spool.close()


class Blobs:
    """Files by content. A use is an owner's name for a file; erasing the owner ends all of theirs."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def put(self, content: AsyncIterable[bytes], *, owner: str, name: str, max_bytes: int) -> Blob:
        """Keep a file under the owner's name for it, in place of what had that name. Raises PayloadTooLarge.

        The ledger is not held while the bytes arrive; nothing is kept of what does not arrive whole.
        """
        with spooling(max_bytes) as spool:
            async for data in content:
                await asyncio.to_thread(spool.write, data)
            async with self._database.acquire() as connection, connection.transaction():
                await keep(connection, spool, owner=owner, name=name)
            return spool.blob

    async def pieces(self, blob_hash: str) -> AsyncGenerator[bytes]:
        """The file, 1 MiB at a time. Raises BlobGone, also when it is deleted meanwhile."""
        row = await self._database.row("SELECT size FROM blobs WHERE hash = $1", blob_hash)
        if row is None:
            raise BlobGone
        for position in range(-(-row["size"] // PIECE)):
            piece = await self._database.row(
                "SELECT data FROM blob_pieces WHERE hash = $1 AND position = $2", blob_hash, position
            )
            if piece is None:
                raise BlobGone
            yield piece["data"]

    async def whole(self, blob_hash: str) -> bytes:
        """A small file at once. Raises BlobGone."""
        rows = await self._database.fetch(
            """SELECT coalesce(p.data, '') AS data FROM blobs b LEFT JOIN blob_pieces p USING (hash)
            WHERE hash = $1 ORDER BY p.position""",
            blob_hash,
        )
        if not rows:
            raise BlobGone
        return b"".join(row["data"] for row in rows)

    async def to_file(self, blob_hash: str, path: Path) -> None:
        """Write the file there. Raises BlobGone."""
        with path.open("wb") as file:
            async for piece in self.pieces(blob_hash):
                await asyncio.to_thread(file.write, piece)

    async def delete(self, owner: str, name: str) -> None:
        """End a use; the bytes go with the last one."""
        await self._database.execute("DELETE FROM blob_uses WHERE owner = $1 AND name = $2", owner, name)


async def keep(connection: "PoolConnectionProxy", spool: Spool, *, owner: str, name: str) -> None:
    """Keep what has been spooled, inside the caller's transaction; known bytes are not written again."""
    blob = spool.blob
    # an update, though it changes nothing: the row is locked, so that no last use that ends now takes it along
    is_new = await connection.fetchval(
        """INSERT INTO blobs (hash, size) VALUES ($1, $2)
        ON CONFLICT (hash) DO UPDATE SET size = excluded.size RETURNING xmax = 0""",
        blob.hash,
        blob.size,
    )
    if is_new:
        for position, piece in enumerate(spool.pieces()):
            await connection.execute("INSERT INTO blob_pieces VALUES ($1, $2, $3)", blob.hash, position, piece)
    await connection.execute(
        """INSERT INTO blob_uses (owner, name, hash) VALUES ($1, $2, $3)
        ON CONFLICT (owner, name) DO UPDATE SET hash = excluded.hash""",
        owner,
        name,
        blob.hash,
    )
