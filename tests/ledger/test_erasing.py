"""No table is forgotten when a user's data is erased."""

from uuid import UUID, uuid4

import pytest

from domain.job import Status
from domain.users import UserRequest
from ledger import users
from ledger.users import Users
from tests.ledger.book import Book, new_job

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Their rows go by themselves: with the last waiting job of the owner, and when the erasure has ended.
PASSING = {"lanes", "erasures"}
# Ended by the engine's hand before the rest: each is a schedule there too.
ENDED_BEFORE = {"schedules"}


async def test_every_table_that_knows_a_job_or_an_owner_is_erased(book: Book) -> None:
    rows = await book.database.fetch(
        """SELECT DISTINCT c.table_name AS name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'longrun' AND t.table_type = 'BASE TABLE'
            AND c.column_name IN ('owner', 'user_id', 'job_id', 'email', 'payload')"""
    )
    statements = " ".join([*users.OF_JOBS, *users.OF_USER])
    left = {row["name"] for row in rows if f" {row['name']} " not in statements}
    assert left == PASSING | ENDED_BEFORE


async def test_only_that_users_ended_jobs_are_blanked(book: Book) -> None:
    ann, bob = uuid4().hex, uuid4().hex
    given = {"payload": {"secret": ann}, "tags": (ann,), "metadata": {"a": ann}, "title": ann, "idempotency_key": ann}
    ended = await book.running(owner=ann, **given)
    await book.end(ended, Status.FAILED)
    kept = await book.running(owner=bob, payload={"b": 1})
    await book.end(kept, result={"said": 1})
    open_job = await book.running(owner=ann)
    there = Users(book.database)
    assert (await there.put(ann, UserRequest(tier="premium"))) is not None

    assert list(await there.open_jobs(ann)) == [open_job]
    assert list(await there.ended_jobs(ann)) == [ended]
    erasure = await there.forget(ann, uuid4())
    assert await there.get(ann) is None
    await there.erase_jobs([ended])
    await there.erase_jobs([ended])
    await there.erase_user(erasure, ann)

    blank = await book.row(ended)
    assert (blank.owner, blank.payload, blank.tags, blank.metadata, blank.title) == ("", {}, (), {}, "")
    assert (blank.status, blank.error.code if blank.error else None) == (Status.FAILED, "vendor_error")
    assert await there.ended_jobs(ann) == []
    told = [event.type for event in await book.events.after(ended)]
    assert told == ["job", "job", "job", "erased"]
    again = await book.open(owner=ann, idempotency_key=ann)
    assert again.why == "opened", "nobody knows the key any more"
    other = await book.row(kept)
    assert (other.owner, other.payload, other.result) == (bob, {"b": 1}, {"said": 1})


async def test_an_erasure_is_one_until_it_is_done(book: Book) -> None:
    ann, there = uuid4().hex, Users(book.database)
    first = await _asked(book, ann)
    assert await _asked(book, ann) == first
    assert await there.put(ann, UserRequest()) is None
    await book.end(first, Status.FAILED)
    second = await _asked(book, ann)
    assert second != first
    assert await there.erasing(first) is None
    assert await there.erasing(second) == ann
    await there.erase_user(second, ann)
    assert await there.erasing(second) is None
    assert await there.put(ann, UserRequest()) is not None
    assert await _asked(book, ann) not in (first, second)


async def _asked(book: Book, user_id: str) -> UUID:
    erasure = await Users(book.database).forget(user_id, uuid4())
    await book.jobs.open([new_job(id=erasure)])
    return erasure
