"""Documents in tests: the real reader, the real index, and somebody who says what texts mean and counts it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from activities.documents import Indexer, Meaning, Sizes
from activities.portions import Portions
from domain.documents import Chunk, DocumentParser, Parsed
from domain.errors import VendorError
from domain.usage import Call
from ledger.blobs import Blobs, spooling
from ledger.database import Database
from ledger.documents import Documents, Given
from ledger.items import JobItems
from ledger.search import Search
from ledger.vectors import Vectors
from providers.documents.pool import DocumentPool

SIZES = Sizes(chunk=32, overlap=0, max_bytes=10**7)


class Watched:
    """The parser given, which counts what is in hand; `hold` makes documents of such names wait for `go`."""

    def __init__(self, parser: DocumentParser) -> None:
        self._parser = parser
        self.forget()

    def forget(self) -> None:
        self.now = self.most = 0
        self.hold: str | None = None
        self.go, self._moved = asyncio.Event(), asyncio.Condition()

    async def reached(self, count: int) -> None:
        """Return once so many are in hand."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.now == count)

    async def parse(self, source: Path | bytes, filename: str) -> Parsed:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.hold and self.hold in filename:
                async with self._moved:
                    self._moved.notify_all()
                await self.go.wait()
            return await self._parser.parse(source, filename)
        finally:
            self.now -= 1

    async def chunks_of(self, parsed: Parsed, chunk_size: int, overlap: int) -> list[Chunk]:
        return await self._parser.chunks_of(parsed, chunk_size, overlap)


class Counting:
    """Says of each text how long it is, and remembers what it was asked. `fails` so often first."""

    model = "counting"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = 0

    async def embed(self, texts: Sequence[str], call: Call | None = None) -> list[list[float]]:
        if self.fails:
            self.fails -= 1
            raise VendorError("nobody answers", code="connection")
        self.asked += texts
        return [[float(len(text)), 1.0] for text in texts]


class Nowhere:
    """Addresses and what is there."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def fetch(self, url: str) -> bytes:
        if url not in self.files:
            raise VendorError(
                "the document's server knows nothing at that address (404)", code="http_404", retryable=False
            )
        return self.files[url]


class Library:
    """The index over one database, and what stands around it."""

    def __init__(self, database: Database, *, patience: float = 5.0) -> None:
        self.database, self.pool = database, DocumentPool()
        self.parser, self.meaning, self.files = Watched(self.pool), Counting(), Nowhere()
        self.documents, self.vectors = Documents(database), Vectors(database)
        self.search = Search(database, self.vectors)
        self.indexer = Indexer(
            self.documents,
            Blobs(database),
            self.parser,
            self.files,
            Portions(JobItems(database), ledger_patience=patience, rate_limit_patience=patience),
            sizes=SIZES,
            at_once=5,
            meaning=Meaning(self.meaning, self.vectors),
        )

    @property
    def activities(self) -> Sequence[Callable[..., Any]]:
        return [self.indexer.index, self.indexer.reindex]

    async def give(self, owner: str, **contents: bytes) -> None:
        """Documents by their ids; `_` in an id is the dot of its filename."""
        for name, content in contents.items():
            with spooling(10**8) as spool:
                spool.write(content)
                await self.documents.give(owner, [Given(name, name.replace("_", "."), spool)])
