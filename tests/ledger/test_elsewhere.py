"""Copies of rows that the product keeps elsewhere: whose they are, and of which jobs it is still to be told."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.job import Status
from domain.rows import RowKind, TheirRow
from engine.elsewhere import ROWS
from ledger.elsewhere import Elsewhere
from ledger.interviews import Interviews
from ledger.postings import Postings
from ledger.users import Users
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
POSTING = TheirRow(user_id="ann", given="Data\x00 Engineer at Acme")


async def taken(book: Book, row_id: UUID, row: TheirRow = POSTING, kind: RowKind = "posting", **job: Any) -> UUID:
    """A running job that has a copy of the row."""
    elsewhere, job_id = Elsewhere(book.database), await book.running(**job)
    await elsewhere.begin(kind, row_id, job_id)
    assert await elsewhere.copy(kind, row_id, job_id, row)
    return job_id


async def untold(book: Book, row_id: UUID) -> list[UUID]:
    return [one.job_id for one in await Elsewhere(book.database).untold() if one.id == row_id]


async def test_a_copy_is_taken_once_a_job_and_is_never_an_own_row(book: Book) -> None:
    elsewhere, row_id = Elsewhere(book.database), uuid4()
    own, _ = await Postings(book.database).put("ann", given="mine")
    first, second = await taken(book, row_id), await book.running()
    assert await elsewhere.standing("posting", own.id, first) == "own"
    assert await elsewhere.standing("posting", uuid4(), first) == "theirs"
    assert await elsewhere.standing("posting", row_id, first) == "taken"
    assert await elsewhere.standing("posting", row_id, second) == "theirs"
    await elsewhere.begin("posting", row_id, second)
    assert await elsewhere.standing("posting", row_id, second) == "theirs", "begun is not taken"
    copy = await Postings(book.database).get(row_id)
    assert copy
    assert (copy.given, copy.user_id, copy.job_id) == ("Data Engineer at Acme", "ann", first)
    assert await elsewhere.copy("posting", row_id, second, TheirRow(user_id="ann", url="https://acme.example/1"))
    copy = await Postings(book.database).get(row_id)
    assert copy
    assert (copy.given, copy.url, copy.job_id) == (None, "https://acme.example/1", first), "`begin` says who is at it"


async def test_the_product_may_have_many_rows_of_one_address(book: Book) -> None:
    row = TheirRow(user_id=uuid4().hex, url=" https://acme.example/1 ")
    ids = [uuid4(), uuid4()]
    for row_id in ids:
        await taken(book, row_id, row)
    assert {one.id for one in await Postings(book.database).page(row.user_id, limit=9)} == set(ids)


async def test_a_copy_of_anothers_row_is_not_made(book: Book) -> None:
    elsewhere, row_id = Elsewhere(book.database), uuid4()
    job_id = await book.running(owner="bob")
    await elsewhere.begin("posting", row_id, job_id)
    assert not await elsewhere.copy("posting", row_id, job_id, POSTING)
    assert await Postings(book.database).get(row_id) is None
    assert await taken(book, row_id, owner="ann")


async def test_a_recording_from_elsewhere_takes_the_place_of_the_one_before(book: Book) -> None:
    row_id, interviews = uuid4(), Interviews(book.database)
    row = TheirRow(user_id="ann", source="uploads/ann/1.mp3", posting_id=uuid4())
    await taken(book, row_id, row, "interview")
    await book.database.execute(
        """UPDATE interviews SET audio = '{"container": "mp3", "seconds": 3}', audio_bytes = 9 WHERE id = $1""", row_id
    )
    await taken(book, row_id, row, "interview")
    there = await interviews.get(row_id)
    assert there
    assert (there.audio_bytes, there.posting_id) == (9, None), "it need not be fetched again; its posting is unknown"
    posting_id = uuid4()
    await taken(book, posting_id)
    again = TheirRow(user_id="ann", source="uploads/ann/2.mp3", posting_id=posting_id)
    await taken(book, row_id, again, "interview")
    there = await interviews.get(row_id)
    assert there
    assert (there.source, there.audio, there.posting_id) == ("uploads/ann/2.mp3", None, posting_id)


async def test_ends_are_to_be_told_until_they_are(book: Book) -> None:
    elsewhere, row_id = Elsewhere(book.database), uuid4()
    job_id = await taken(book, row_id)
    assert await untold(book, row_id) == [], "it runs"
    await book.end(job_id, Status.FAILED)
    [one] = [one for one in await elsewhere.untold() if one.id == row_id]
    assert (one.job_id, one.status, one.taken, one.error and one.error.code) == (
        job_id,
        Status.FAILED,
        True,
        "vendor_error",
    )
    await elsewhere.tell_later(job_id, 60)
    assert await untold(book, row_id) == []
    await elsewhere.tell_later(job_id, 0)
    assert await untold(book, row_id) == [job_id]
    await elsewhere.told(job_id)
    assert await untold(book, row_id) == []


async def test_a_later_job_says_how_a_row_stands(book: Book) -> None:
    row_id = uuid4()
    first, second = await taken(book, row_id), await taken(book, row_id)
    await book.end(first, Status.FAILED)
    assert await untold(book, row_id) == []
    await book.end(second, Status.CANCELED)
    assert await untold(book, row_id) == [second]


async def test_jobs_that_ended_before_they_began_are_found_once(book: Book) -> None:
    elsewhere, row_id, retried = Elsewhere(book.database), uuid4(), uuid4()
    own, _ = await Postings(book.database).put("ann", given="mine")

    async def canceled(kind: str, field: str, one: UUID) -> UUID:
        opened = await book.open(kind=kind, payload={field: str(one)})
        assert await book.jobs.cancel(opened.id, reason=None, by="ann")
        return opened.id

    ended = [
        await canceled("enrich-job-position", "jobPositionId", row_id),
        await canceled("analyse-interview", "timelineItemId", row_id),
    ]
    await canceled("enrich-job-position", "jobPositionId", own.id)
    await canceled("enrich-job-position", "jobPositionId", retried)
    await book.open(kind="enrich-job-position", payload={"jobPositionId": str(retried)})
    for _ in range(2):
        await elsewhere.adopt(ROWS)
        assert sorted(await untold(book, row_id)) == sorted(ended)
        assert await untold(book, own.id) == await untold(book, retried) == []
    for job_id in ended:
        await elsewhere.told(job_id)
    await elsewhere.adopt(ROWS)
    assert await untold(book, row_id) == []


async def test_a_row_that_is_gone_takes_its_copy_along_and_an_own_one_never(book: Book) -> None:
    elsewhere, row_id = Elsewhere(book.database), uuid4()
    own, _ = await Postings(book.database).put("ann", given="mine")
    await taken(book, row_id)
    await elsewhere.begin("posting", own.id, await book.running())
    for one in (row_id, own.id):
        await elsewhere.forget("posting", one)
    assert await Postings(book.database).get(row_id) is None
    assert await Postings(book.database).get(own.id)


async def test_copies_go_with_their_user(book: Book) -> None:
    row_id, user_id = uuid4(), uuid4().hex
    job_id = await taken(book, row_id, TheirRow(user_id=user_id, given="x"), owner=user_id)
    await book.end(job_id)
    users, erasure_id = Users(book.database), uuid4()
    await users.forget(user_id, erasure_id)
    await users.erase_jobs([job_id])
    await users.erase_user(erasure_id, user_id)
    assert await Postings(book.database).get(row_id) is None
    assert await book.database.row("SELECT true FROM rows_elsewhere WHERE job_id = $1", job_id) is None
