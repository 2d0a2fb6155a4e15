"""An owner's documents: what is asked to be done with them, what came of each, and what is found in them."""

import re
import unicodedata
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints, field_validator, model_validator

from domain.errors import CallerError, LongrunError
from domain.model import Model, Request
from domain.options import Tag
from domain.portions import Again

DOCUMENTS = 10_000
CHUNK_TOKENS = 4096
NAME = 200


def tidy(filename: str) -> str:
    """A name to show: of a path its last part, without what cannot be seen or turns the reading round; shortened in
    the middle, so that it ends as it did."""
    last = re.split(r"[/\\]", filename.rstrip("/\\"))[-1]
    seen = "".join(mark for mark in last if unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    if seen.strip(".") == "":
        return "document"
    return seen if len(seen) <= NAME else f"{seen[: NAME - 21]}…{seen[-20:]}"


Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Filename = Annotated[str, AfterValidator(tidy)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=20)]
DocumentStatus = Literal["uploaded", "processing", "indexed", "failed"]


class DocumentNotFound(CallerError):
    """No document of that id, or not the caller's."""

    code = "document_not_found"
    status = 404

    def __init__(self, message: str = "there is no such document") -> None:
        super().__init__(message)


class DocumentChanged(LongrunError):
    """It was given anew while it was read: what was made of it is of the past."""

    code = "document_changed"

    def __init__(self) -> None:
        super().__init__("the document has other content by now")


class Asked(Request):
    """A document to index: one that was uploaded before, or brought along as `text`, or fetched from `url`.

    What an upload answered may be sent as it is; what it says of type, size and content is not relied on.
    """

    id: Id
    filename: Filename
    file_type: str | None = Field(default=None, max_length=100)
    file_size: int | None = Field(default=None, ge=0)
    text: str | None = None
    url: HttpUrl | None = None
    content_hash: str | None = Field(default=None, max_length=64)
    status: str | None = Field(default=None, max_length=20)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.text is not None and self.url is not None:
            raise ValueError("text or url, not both")
        return self


class Indexing(Request):
    """How documents are indexed. The documents themselves are items of the job.

    `projectId` and `tags` narrow searches down; `mode` is the application's own word and stays with the job.
    """

    project_id: Id | None = None
    tags: Tags = ()
    mode: str | None = Field(default=None, max_length=100)


class Upload(Indexing):
    """Documents to index, each by itself."""

    documents: tuple[Asked, ...] = Field(min_length=1, max_length=DOCUMENTS)

    @field_validator("documents")
    @classmethod
    def _each_once(cls, given: tuple[Asked, ...]) -> tuple[Asked, ...]:
        if len({one.id for one in given}) < len(given):
            raise ValueError("each id once")
        return given


class Chunking(Request):
    """New chunks for documents that are the job's items. Sizes in tokens."""

    new_chunk_size: int = Field(ge=16, le=CHUNK_TOKENS)
    new_overlap: int = Field(default=0, ge=0)
    mode: str | None = Field(default=None, max_length=100)

    @model_validator(mode="after")
    def _smaller(self) -> Self:
        if self.new_overlap >= self.new_chunk_size:
            raise ValueError("newOverlap must be smaller than newChunkSize")
        return self


class Reprocess(Chunking):
    """Documents to cut and index anew."""

    document_ids: tuple[Id, ...] = Field(min_length=1, max_length=DOCUMENTS)

    @field_validator("document_ids")
    @classmethod
    def _each_once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(given))


class Remark(Model):
    """What the owner should know of a document: why it could not be indexed, or in how far."""

    code: str
    message: str


class Document(Model):
    """A document of an owner's. `status` says what is found by search and whether an open job works on it; `key` is
    the ledger's own, `size` in bytes."""

    key: int
    owner: str
    id: str
    filename: str
    file_type: str | None
    size: int
    content_hash: str
    status: DocumentStatus
    error: Remark | None
    notes: tuple[Remark, ...]
    title: str | None
    pages: int
    chunk_count: int
    chunk_size: int | None
    overlap: int | None
    project_id: str | None
    tags: tuple[str, ...]


class Indexed(Model):
    """What came of one document. `chunks`: by how many it is found now."""

    id: str
    status: Literal["indexed", "failed"]
    chunks: int = 0
    error: Remark | None = None
    notes: tuple[Remark, ...] = ()


class IndexPortion(Model):
    """What a portion of the documents is told."""

    owner: str
    asked: Indexing
    again: Again


class ReindexPortion(Model):
    """What a portion of the documents is told that are cut anew."""

    owner: str
    asked: Chunking
    again: Again


class DocumentsDone(Model):
    """What came of all of them, in the order asked. The ledger adds `documents` to what the workflow answers."""

    listed: ClassVar[str] = "documents"

    total: int
    indexed: int
    failed: int
    documents: tuple[Indexed, ...] = ()


class Found(Model):
    """A chunk that answers a question: `text` is the document's from character `start` to `end`.

    `highlight` is HTML: an excerpt whose words of the question are in <mark>. `page` counts from 1, where the format
    has pages. `tableHeader` names the columns, where the text begins with later rows of a table. `score` orders the
    answers to one question and means nothing beside it.
    """

    document_id: str
    filename: str
    chunk_id: str
    text: str
    highlight: str
    page: int | None
    heading_path: tuple[str, ...]
    table_header: str | None = None
    start: int
    end: int
    score: float


class Answers(Model):
    """The best chunks, best first. `ranking`: by words alone, or by words and meaning together."""

    ranking: Literal["words", "hybrid"]
    chunks: tuple[Found, ...]
