"""An export is its owner's until it is imported, and is not kept for ever when it never is."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.job import Status
from domain.running.imports import KIND
from ledger.blobs import BlobGone
from ledger.exports import Exports
from ledger.retention import Keep, Retention
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def put(book: Book, user: str, content: bytes) -> str:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    export = hashlib.sha256(content).hexdigest()
    await Exports(book.database).put(user, pieces(), export, max_bytes=1000)
    return export


async def test_an_export_is_its_owners_alone(book: Book, tmp_path: Path) -> None:
    ann, bob, exports = uuid4().hex, uuid4().hex, Exports(book.database)
    export = await put(book, ann, ann.encode())
    assert await exports.known(ann, export)
    assert not await exports.known(bob, export)
    with pytest.raises(BlobGone):
        await exports.to_file(bob, export, tmp_path / "b")
    await exports.to_file(ann, export, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == ann.encode()
    await exports.drop(ann, export)
    assert not await exports.known(ann, export)


async def test_one_that_nobody_imports_goes_after_a_week(book: Book) -> None:
    ann, bob, exports = uuid4().hex, uuid4().hex, Exports(book.database)
    old, waiting, new = [await put(book, user, uuid4().bytes) for user in (ann, bob, ann)]
    await book.database.execute(
        "UPDATE blobs SET created_at = now() - interval '8 days' WHERE hash = ANY($1)", [old, waiting]
    )
    job = await book.open(owner=bob, kind=KIND)
    tidy = Retention(book.database, Keep())
    assert (await tidy.run(60))["exports"] == 1
    assert [await exports.known(*each) for each in ((ann, old), (bob, waiting), (ann, new))] == [False, True, True]
    await book.end(job.id, Status.FAILED)
    assert (await tidy.run(60))["exports"] == 1
    assert not await exports.known(bob, waiting)
