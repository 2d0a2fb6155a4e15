"""What a document becomes: its text with its structure, the chunks that are indexed, or the reason why neither."""

from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol

from domain.errors import JobError
from domain.model import Model

FileType = Literal["pdf", "docx", "pptx", "xlsx", "html", "md", "txt", "csv", "json", "eml"]
RefusalCode = Literal[
    "encrypted",
    "no_text_layer",
    "corrupt",
    "empty",
    "too_large",
    "bomb",
    "unsupported_type",
    "too_many_pages",
    "parse_timeout",
    "parse_memory",
]
NoteCode = Literal["wrong_extension", "ocr", "pages_without_text", "text_repaired"]


class DocumentRefused(JobError):
    """No text comes out of this document, ever; the message is for its owner and quotes nothing of it."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message, code=code)


class Note(Model):
    """What the owner of a document that was read should know of it."""

    code: NoteCode
    message: str


class Heading(Model):
    """`offset`: where its title begins in the text; `level` 1 is the highest, 6 the lowest."""

    offset: int
    level: int
    title: str


class Table(Model):
    """`text[start:end]` is the table in Markdown, of which `header` (names and rule, two lines) is the beginning.

    In a PDF it is the lines that look like one, with the first of them for a header.
    """

    start: int
    end: int
    header: str


class Parsed(Model):
    """A document's text and structure. Offsets count characters of `text`, which holds no NUL and no lone surrogate.

    `content_hash` is the SHA-256 of the bytes, in hex. `pages` holds where each page (pdf), slide (pptx) or sheet
    (xlsx) begins; formats without them have none.
    """

    content_hash: str
    file_type: FileType
    text: str
    title: str | None = None
    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[Note, ...] = ()


class Chunk(Model):
    """A piece of a document: `parsed.text[start:end] == text`.

    `id` stays the same for the same document, settings and place. `page` counts from 1. `heading_path` are the
    headings that `start` stands under, outermost first. `table_header` is the header of the table that the chunk
    begins inside of.
    """

    id: str
    start: int
    end: int
    text: str
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    table_header: str | None = None

    @property
    def indexed_text(self) -> str:
        """What is searched and embedded: the headings and the table's header make a piece mean what it meant."""
        return "\n".join(part for part in (" > ".join(self.heading_path), self.table_header, self.text) if part)

    @property
    def digest(self) -> str:
        """SHA-256 of `indexed_text`: what has the same digest has the same embedding, under any settings."""
        return sha256(self.indexed_text.encode()).hexdigest()


class DocumentParser(Protocol):
    """Reads and cuts documents out of harm's way. Both raise DocumentRefused, and stop at once when cancelled."""

    async def parse(self, source: Path | bytes, filename: str) -> Parsed:
        """The type is told by the content; `filename` decides only between kinds of plain text."""
        ...

    async def chunks_of(self, parsed: Parsed, chunk_size: int, overlap: int) -> list[Chunk]:
        """Cut into chunks of at most `chunk_size` tokens. Raises ValueError unless 0 <= overlap < chunk_size."""
        ...
