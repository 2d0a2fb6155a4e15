"""Documents become findable: their bytes are read, cut into chunks and indexed, each document by itself."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio import activity

from activities.portions import Do, Pace
from activities.scratch import scratch
from domain.errors import RateLimited, VendorError
from domain.library import (
    Asked,
    Chunking,
    Document,
    DocumentChanged,
    DocumentNotFound,
    Indexing,
    IndexPortion,
    ReindexPortion,
    Remark,
)
from domain.portions import Portion
from domain.usage import Call
from ledger.blobs import spooling
from ledger.documents import Cut, Given
from ledger.items import Item, Settled

if TYPE_CHECKING:
    from activities.portions import Portions
    from domain.documents import Chunk, DocumentParser, Parsed
    from domain.job import Failure
    from domain.portions import Again
    from domain.protocols import Embedder, FileFetcher
    from ledger.blobs import Blobs
    from ledger.documents import Documents
    from ledger.vectors import Vectors

STEP = "index"
# what is larger is handed to its reader as a file, and embeddings are kept so many at a time
IN_MEMORY, TEXTS = 1024 * 1024, 16
UNREAD = Remark(code="not_embedded", message="found by its words alone: nobody could say what they mean")


@dataclass(frozen=True)
class Meaning:
    """Who says what chunks mean, and where that is kept."""

    embedder: "Embedder"
    vectors: "Vectors"


@dataclass(frozen=True)
class Sizes:
    """Tokens of a chunk and of what neighbours share; the most bytes of a document."""

    chunk: int
    overlap: int
    max_bytes: int


class Indexer:
    """A document that is tried again is indexed anew, and stands in the index once: by its newest chunks."""

    def __init__(
        self,
        documents: "Documents",
        blobs: "Blobs",
        parser: "DocumentParser",
        files: "FileFetcher",
        portions: "Portions",
        *,
        sizes: Sizes,
        at_once: int,
        meaning: Meaning | None = None,
    ) -> None:
        """`at_once`: how many documents of a job are in hand at a time."""
        self._documents, self._blobs, self._parser, self._files = documents, blobs, parser, files
        self._portions, self._sizes, self._meaning = portions, sizes, meaning
        self.pace = Pace(at_once, 0)

    @activity.defn(name="index_documents")
    async def index(self, portion: IndexPortion) -> Portion:
        """Index the next documents. Raises BudgetExceeded, JobClosed, LedgerUnavailable."""

        async def one(item: Item) -> Settled:
            asked = Asked.model_validate(item.item)
            # text that is tried again was brought before; another may have been given since
            if asked.text is None or not (item.attempts or item.waited_seconds):
                await self._bring(portion, asked, last=_last(item, portion.again))
            sizes = self._sizes.chunk, self._sizes.overlap
            return await self._newest(portion, asked.id, item, sizes, portion.asked)

        return await self._do(portion.owner, portion.again, one, lambda item: str(item["id"]))

    @activity.defn(name="reindex_documents")
    async def reindex(self, portion: ReindexPortion) -> Portion:
        """Cut and index the next documents anew. Raises as `index` does."""
        asked: Chunking = portion.asked

        async def one(item: Item) -> Settled:
            return await self._newest(portion, item.item, item, (asked.new_chunk_size, asked.new_overlap))

        return await self._do(portion.owner, portion.again, one, str)

    async def _do(
        self, owner: str, again: "Again", one: Callable[[Item], Awaitable[Settled]], name: Callable[[Any], str]
    ) -> Portion:
        async def begin(_: Sequence[Item]) -> Do:
            return one

        async def gave_up(item: Item, failure: "Failure") -> None:
            await self._documents.fail(owner, name(item.item), Remark(code=failure.code, message=failure.message))

        done = await self._portions.do(self.pace, again, begin, gave_up)
        await self._documents.survey()
        return done

    async def _bring(self, portion: IndexPortion, asked: Asked, *, last: bool) -> None:
        """Keep what was brought along or is to be fetched. Raises DocumentNotFound where it cannot be, VendorError."""
        if asked.text is None and asked.url is None:
            return
        try:
            content = await self._files.fetch(str(asked.url)) if asked.text is None else asked.text.encode()
        except VendorError as error:
            if error.again and not last:
                raise
            raise DocumentNotFound(f"it could not be fetched: {error.message}") from error
        with spooling(self._sizes.max_bytes) as spool:
            spool.write(content)
            said: Indexing = portion.asked
            given = Given(asked.id, asked.filename, spool, asked.file_type, said.project_id, said.tags or None)
            await self._documents.give(portion.owner, [given])

    async def _newest(
        self,
        portion: IndexPortion | ReindexPortion,
        document_id: str,
        item: Item,
        sizes: tuple[int, int],
        said: Indexing | None = None,
    ) -> Settled:
        """Index what stands: read anew when it was given anew meanwhile, for what comes last is to be found."""
        while True:
            document = await self._documents.begin(portion.owner, document_id, _job())
            with suppress(DocumentChanged):
                return await self._cut(document, item, portion.again, *sizes, said)

    async def _cut(
        self, document: Document, item: Item, again: "Again", size: int, overlap: int, said: Indexing | None = None
    ) -> Settled:
        """Read, cut, embed and index. Raises DocumentRefused, DocumentChanged, VendorError."""
        parsed = await self._read(document)
        chunks = await self._parser.chunks_of(parsed, size, overlap)
        notes = [Remark(code=note.code, message=note.message) for note in parsed.notes]
        try:
            await self._embed(document, chunks, item.attempts + 1)
        except VendorError as error:
            if isinstance(error, RateLimited) or (error.again and not _last(item, again)):
                raise
            notes.append(UNREAD)
        project, tags = (said.project_id, said.tags) if said else (None, ())
        cut = Cut(parsed, chunks, size, overlap, tuple(notes), project, tags)
        await self._documents.index(document, _job(), cut)
        outcome: dict[str, Any] = {"status": "indexed", "chunks": len(chunks)}
        if notes:
            outcome["notes"] = [note.model_dump(by_alias=True) for note in notes]
        return Settled(item.position, "done", outcome)

    async def _read(self, document: Document) -> "Parsed":
        if document.size <= IN_MEMORY:
            return await self._parser.parse(await self._blobs.whole(document.content_hash), document.filename)
        with scratch() as folder:
            path = folder / "document"
            await self._blobs.to_file(document.content_hash, path)
            return await self._parser.parse(path, document.filename)

    async def _embed(self, document: Document, chunks: Sequence["Chunk"], attempt: int) -> None:
        """Ask what chunks mean of which that is not known yet; what has been answered is kept at once."""
        if self._meaning is None:
            return
        embedder, vectors = self._meaning.embedder, self._meaning.vectors
        texts = {chunk.digest: chunk.indexed_text for chunk in chunks}
        known = await vectors.known(document.key, embedder.model, list(texts))
        missing = [digest for digest in texts if digest not in known]
        for at in range(0, len(missing), TEXTS):
            some = missing[at : at + TEXTS]
            call = Call(job_id=_job(), step=STEP, item=document.id, turn=at, attempt=attempt)
            answers = await embedder.embed([texts[digest] for digest in some], call)
            await vectors.put(document.key, embedder.model, dict(zip(some, answers, strict=True)))


def _last(item: Item, again: "Again") -> bool:
    """Whether the item is not offered again when it fails now."""
    return item.attempts + 1 >= again.attempts


def _job() -> UUID:
    return UUID(activity.info().workflow_id)
