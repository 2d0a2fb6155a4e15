"""Short words for what these tests do to documents."""

from typing import Any
from uuid import UUID, uuid4

from domain.chunking import chunks_of
from domain.documents import Heading, Parsed
from domain.library import Document
from ledger.blobs import spooling
from ledger.documents import Cut, Documents, Given
from tests.ledger.book import Book


def parsed(text: str, *headings: str) -> Parsed:
    found = tuple(Heading(offset=text.index(title), level=1, title=title) for title in headings)
    return Parsed(content_hash=uuid4().hex, file_type="txt", text=text, headings=found)


def cut(text: str, *headings: str, size: int = 32, overlap: int = 0, **more: Any) -> Cut:
    read = parsed(text, *headings)
    return Cut(read, chunks_of(read, size, overlap), size, overlap, **more)


class Shelf:
    """Documents of one owner."""

    def __init__(self, book: Book, owner: str | None = None) -> None:
        self.book, self.owner = book, owner or uuid4().hex
        self.documents = Documents(book.database)

    async def give(self, document_id: str = "doc", content: bytes = b"content", **said: Any) -> Document:
        with spooling(10**6) as spool:
            spool.write(content)
            given = Given(document_id, f"{document_id}.txt", spool, **said)
            [document] = await self.documents.give(self.owner, [given])
        return document

    async def index(self, document_id: str, made: Cut, **said: Any) -> UUID:
        """Give it and index it, in a job that stays open."""
        document, job_id = await self.give(document_id, **said), await self.book.running(owner=self.owner)
        await self.documents.begin(self.owner, document_id, job_id)
        await self.documents.index(document, job_id, made)
        return job_id

    async def get(self, document_id: str = "doc") -> Document:
        return await self.documents.get(self.owner, document_id)
