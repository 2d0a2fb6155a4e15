"""A document is found by one set of chunks, whole, until the next one is whole."""

from uuid import uuid4

import pytest

from domain.errors import CallerError, JobClosed
from domain.job import Status
from domain.library import DocumentChanged, DocumentNotFound, Remark
from ledger.documents import Documents
from ledger.users import Users
from ledger.vectors import Vectors
from tests.ledger.book import Book
from tests.ledger.shelf import Shelf, cut

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = "One small step for a man. " * 40


async def chunks(book: Book, key: int) -> list[str]:
    rows = await book.database.fetch("SELECT text FROM chunks WHERE document = $1 ORDER BY position", key)
    return [row["text"] for row in rows]


async def test_what_is_given_is_kept_as_it_was_said(book: Book) -> None:
    shelf = Shelf(book)
    await shelf.give(content=b"12345", file_type="txt", project_id="p", tags=("a", "b"))
    document = await shelf.get()
    assert (document.status, document.size, document.filename) == ("uploaded", 5, "doc.txt")
    assert (document.project_id, document.tags, document.chunk_count) == ("p", ("a", "b"), 0)
    again = await shelf.give(content=b"123456")
    assert (again.key, again.size, again.project_id, again.tags) == (document.key, 6, "p", ("a", "b"))


async def test_nobody_else_has_it(book: Book) -> None:
    shelf, other = Shelf(book), Shelf(book)
    name = uuid4().hex
    await shelf.give(name)
    with pytest.raises(DocumentNotFound):
        await other.get(name)
    with pytest.raises(DocumentNotFound):
        await other.documents.begin(other.owner, name, uuid4())
    assert (await shelf.documents.get(None, name)).owner == shelf.owner
    await other.give(name)
    with pytest.raises(CallerError, match="whose"):
        await shelf.documents.get(None, name)


async def test_a_document_is_processing_while_its_job_is_open(book: Book) -> None:
    shelf = Shelf(book)
    document, job_id = await shelf.give(), await book.running()
    await shelf.documents.begin(shelf.owner, "doc", job_id)
    assert (await shelf.get()).status == "processing"
    await book.end(job_id, Status.CANCELED)
    assert (await shelf.get()).status == "uploaded"
    with pytest.raises(JobClosed):
        await shelf.documents.index(document, job_id, cut(TEXT))
    assert await chunks(book, document.key) == []


async def test_a_new_set_takes_the_place_of_the_old_one(book: Book) -> None:
    shelf = Shelf(book)
    note = Remark(code="ocr", message="read by OCR")
    old = cut(TEXT, notes=(note,), project_id="p", tags=("a",))
    job_id = await shelf.index("doc", old)
    document = await shelf.get()
    assert await chunks(book, document.key) == [chunk.text for chunk in old.chunks]
    assert (document.status, document.chunk_count, document.notes) == ("indexed", len(old.chunks), (note,))
    assert (document.chunk_size, document.overlap, document.project_id, document.tags) == (32, 0, "p", ("a",))
    new = cut(TEXT, size=64, overlap=8)
    await shelf.documents.index(document, job_id, new)
    document = await shelf.get()
    assert await chunks(book, document.key) == [chunk.text for chunk in new.chunks]
    assert (document.chunk_count, document.chunk_size, document.overlap) == (len(new.chunks), 64, 8)
    assert (document.project_id, document.tags) == ("p", ("a",))


async def test_what_was_made_of_older_content_does_not_take_the_place_of_newer(book: Book) -> None:
    shelf, late = Shelf(book), await book.running()
    before = await shelf.give(content=b"older")
    newer = cut(TEXT, size=64)
    await shelf.index("doc", newer, content=b"newer")
    with pytest.raises(DocumentChanged):
        await shelf.documents.index(before, late, cut(TEXT))
    assert await chunks(book, before.key) == [chunk.text for chunk in newer.chunks]


async def test_a_failure_leaves_what_is_found(book: Book) -> None:
    shelf, why = Shelf(book), Remark(code="corrupt", message="it cannot be read")
    await shelf.give()
    await shelf.documents.fail(shelf.owner, "doc", why)
    assert ((await shelf.get()).status, (await shelf.get()).error) == ("failed", why)
    await shelf.index("doc", cut(TEXT))
    assert ((await shelf.get()).status, (await shelf.get()).error) == ("indexed", None)
    await shelf.documents.fail(shelf.owner, "doc", why)
    assert ((await shelf.get()).status, (await shelf.get()).error) == ("indexed", why)


async def test_a_deleted_document_leaves_nothing(book: Book) -> None:
    shelf, content = Shelf(book), uuid4().bytes
    job_id = await shelf.index("doc", cut(TEXT), content=content)
    document = await shelf.get()
    await shelf.documents.delete(shelf.owner, "doc")
    assert await chunks(book, document.key) == []
    assert not await book.value("SELECT count(*) FROM blobs WHERE hash = $1", document.content_hash)
    with pytest.raises(DocumentNotFound):
        await shelf.documents.index(document, job_id, cut(TEXT))


async def test_only_vectors_of_its_chunks_are_kept(book: Book) -> None:
    shelf, vectors = Shelf(book), Vectors(book.database)
    assert await vectors.enable()
    job_id = await shelf.index("doc", cut(TEXT))
    document, digests = await shelf.get(), [chunk.digest for chunk in cut(TEXT).chunks]
    await vectors.put(document.key, "m", {digest: [1.0, 0.0] for digest in [*digests, "old"]})
    assert await vectors.known(document.key, "m", ["old", digests[0], "new"]) == {"old", digests[0]}
    assert await vectors.known(document.key, "other", digests) == set()
    await shelf.documents.index(document, job_id, cut(TEXT))
    assert await vectors.known(document.key, "m", ["old", *digests]) == set(digests)
    await shelf.documents.delete(shelf.owner, "doc")
    await vectors.put(document.key, "m", {"late": [1.0, 0.0]})
    assert not await book.value("SELECT count(*) FROM chunk_vectors WHERE document = $1", document.key)


async def test_the_documents_of_an_erased_user_are_gone(book: Book) -> None:
    shelf, other = Shelf(book), Shelf(book)
    content = uuid4().bytes
    for one in (shelf, other):
        await one.index("doc", cut(TEXT), content=content)
    gone, kept = await shelf.get(), await other.get()
    await Users(book.database).erase_user(uuid4(), shelf.owner)
    with pytest.raises(DocumentNotFound):
        await Documents(book.database).get(shelf.owner, "doc")
    assert await chunks(book, gone.key) == []
    assert await chunks(book, kept.key)
    assert await book.value("SELECT count(*) FROM blobs WHERE hash = $1", kept.content_hash) == 1
