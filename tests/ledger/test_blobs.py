"""A file is kept once, whoever has it, and is gone with the last who does."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.errors import PayloadTooLarge
from ledger.blobs import PIECE, BlobGone, Blobs
from ledger.users import Users
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def in_parts(content: bytes, size: int = 300_000) -> AsyncGenerator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def kept(book: Book, blob_hash: str) -> tuple[int, int]:
    """(rows of the file, rows of its bytes)"""
    return (
        await book.value("SELECT count(*) FROM blobs WHERE hash = $1", blob_hash),
        await book.value("SELECT count(*) FROM blob_pieces WHERE hash = $1", blob_hash),
    )


@pytest.mark.parametrize("size", [0, 1, PIECE, 2 * PIECE + 7])
async def test_what_goes_in_comes_out(book: Book, tmp_path: Path, size: int) -> None:
    content, blobs = uuid4().bytes * (size // 16) + b"x" * (size % 16), Blobs(book.database)
    blob = await blobs.put(in_parts(content), owner="ann", name=uuid4().hex, max_bytes=size)
    assert (blob.hash, blob.size) == (hashlib.sha256(content).hexdigest(), size)
    await blobs.to_file(blob.hash, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == await blobs.whole(blob.hash) == content
    assert await kept(book, blob.hash) == (1, -(-size // PIECE))


async def test_too_much_is_refused_and_leaves_nothing(book: Book) -> None:
    blobs, before = Blobs(book.database), await book.value("SELECT count(*) FROM blob_pieces")
    with pytest.raises(PayloadTooLarge):
        await blobs.put(in_parts(b"x" * 1001, 100), owner="ann", name="big", max_bytes=1000)
    assert await book.value("SELECT count(*) FROM blob_pieces") == before
    assert not await book.value("SELECT count(*) FROM blob_uses WHERE name = 'big'")


async def test_the_last_who_has_it_takes_it_along(book: Book) -> None:
    blobs, content = Blobs(book.database), uuid4().bytes
    blob = await blobs.put(in_parts(content), owner="ann", name="a", max_bytes=100)
    assert await blobs.put(in_parts(content), owner="bob", name="b", max_bytes=100) == blob
    await blobs.delete("ann", "a")
    assert await kept(book, blob.hash) == (1, 1)
    await blobs.delete("bob", "b")
    assert await kept(book, blob.hash) == (0, 0)
    with pytest.raises(BlobGone):
        await anext(blobs.pieces(blob.hash))
    with pytest.raises(BlobGone):
        await blobs.whole(blob.hash)


async def test_another_file_of_the_same_name_lets_go_of_the_first(book: Book) -> None:
    blobs = Blobs(book.database)
    first = await blobs.put(in_parts(uuid4().bytes), owner="ann", name="same", max_bytes=100)
    then = await blobs.put(in_parts(uuid4().bytes), owner="ann", name="same", max_bytes=100)
    assert (await kept(book, first.hash), await kept(book, then.hash)) == ((0, 0), (1, 1))


async def test_who_comes_while_the_last_one_leaves_has_it_whole(book: Book) -> None:
    blobs, content = Blobs(book.database), uuid4().bytes
    blob = await blobs.put(in_parts(content), owner="ann", name="race", max_bytes=100)
    async with book.in_between() as other:
        await other.execute("DELETE FROM blob_uses WHERE owner = 'ann' AND name = 'race'")
        again = await book.waiting(blobs.put(in_parts(content), owner="bob", name="race", max_bytes=100))
    assert await again == blob
    assert await kept(book, blob.hash) == (1, 1)
    async with book.in_between() as other:
        await other.execute("UPDATE blobs SET size = size WHERE hash = $1", blob.hash)
        await other.execute("INSERT INTO blob_uses VALUES ('ann', 'race', $1)", blob.hash)
        leaving = await book.waiting(blobs.delete("bob", "race"))
    await leaving
    assert await kept(book, blob.hash) == (1, 1)


async def test_many_at_once_keep_one(book: Book) -> None:
    blobs, content = Blobs(book.database), uuid4().bytes * PIECE
    all_of_them = [blobs.put(in_parts(content), owner="ann", name=f"n{n}", max_bytes=20 * PIECE) for n in range(8)]
    [blob] = set(await asyncio.gather(*all_of_them))
    assert await kept(book, blob.hash) == (1, 16)
    await asyncio.gather(*[blobs.delete("ann", f"n{n}") for n in range(8)])
    assert await kept(book, blob.hash) == (0, 0)


async def test_the_files_of_an_erased_user_are_gone(book: Book) -> None:
    blobs, ann, bob = Blobs(book.database), uuid4().hex, uuid4().hex
    alone = await blobs.put(in_parts(uuid4().bytes), owner=ann, name="a", max_bytes=100)
    content = uuid4().bytes
    shared = await blobs.put(in_parts(content), owner=ann, name="b", max_bytes=100)
    await blobs.put(in_parts(content), owner=bob, name="b", max_bytes=100)
    await Users(book.database).erase_user(uuid4(), ann)
    assert (await kept(book, alone.hash), await kept(book, shared.hash)) == ((0, 0), (1, 1))
