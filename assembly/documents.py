"""Documents: who reads and cuts them, where they are kept, and what says what they mean."""

import shutil
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from activities.documents import Indexer, Meaning, Sizes
from activities.portions import Portions
from assembly.parts import Activities, Parts
from ledger.blobs import Blobs
from ledger.documents import Documents
from ledger.items import JobItems
from ledger.search import Search
from ledger.spend import Spend
from ledger.vectors import Vectors
from providers.documents.limits import Limits
from providers.documents.pool import DocumentPool
from providers.embedding import chosen
from providers.files import Files

if TYPE_CHECKING:
    from domain.protocols import Embedder

log = structlog.get_logger()


async def activities(parts: Parts) -> Activities:
    settings, database = parts.settings, parts.database
    limits = Limits(max_bytes=settings.document_max_bytes, tesseract=shutil.which("tesseract"))
    parser = await parts.opened.enter_async_context(DocumentPool(limits, settings.document_readers))
    indexer = Indexer(
        Documents(database),
        Blobs(database),
        parser,
        Files(parts.guarded(max_bytes=settings.document_max_bytes)),
        Portions(
            JobItems(database),
            ledger_patience=settings.ledger_patience_seconds,
            rate_limit_patience=settings.rate_limit_patience_seconds,
        ),
        sizes=Sizes(settings.chunk_tokens, settings.chunk_overlap, settings.document_max_bytes),
        at_once=settings.documents_at_once,
        meaning=await _meaning(parts),
    )
    if limits.tesseract is None:
        log.info("no tesseract: pages without a text layer are not read")
    return {"cpu": [indexer.index, indexer.reindex]}


def search(parts: Parts) -> Search:
    """Who finds chunks (fits domain.protocols.DocumentSearch)."""
    return Search(parts.database, Vectors(parts.database), _embedder(parts))


async def _meaning(parts: Parts) -> Meaning | None:
    """What is lacking for it is said once, at the start."""
    vectors, embedder = Vectors(parts.database), _embedder(parts)
    if embedder is None:
        log.info("no embeddings: documents are found by their words alone")
        return None
    if not await vectors.enable():
        log.warning("PostgreSQL has no pgvector: documents are found by their words alone")
        return None
    return Meaning(embedder, vectors)


@lru_cache(1)
def _embedder(parts: Parts) -> "Embedder | None":
    """One for all rooms: the local model is large."""
    settings = parts.settings
    try:
        return chosen(
            parts.opened,
            Spend(parts.database, patience=settings.ledger_patience_seconds),
            model=settings.embeddings,
            openai_key=settings.openai_api_key,
            openai_base_url=settings.openai_base_url,
        )
    except ValueError as error:
        raise SystemExit(f"LONGRUN_EMBEDDINGS cannot be used: {error}") from None
