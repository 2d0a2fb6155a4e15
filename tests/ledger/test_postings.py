"""Job postings: an address is known once a user, the row follows its job, and everything goes with the user."""

import asyncio
from uuid import uuid4

import pytest

from domain.job import Status
from domain.posting import Company, Details, Evidence, Finding, Salary
from domain.postings.asking import Said
from domain.postings.enriching import Reading, url_key
from domain.tool_use import ToolUse
from ledger.plans import Call, Plans
from ledger.postings import PostingRow, Postings
from ledger.users import Users
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://jobs.example.com/posting/17"
READING = Reading(
    text="# Data Engineer\n\nPay: $90,000 a year",
    tiers=(
        {
            "salary": Finding(value=Salary(min=90000, currency="USD"), source="label", quote="$90,000", confidence=1),
            "locations": Finding(value=("Berlin", "Bonn"), source="label", quote="Berlin", confidence=0.9),
        },
    ),
)
SAID = Said(
    is_posting=True,
    findings={"title": Finding(value="Data Engineer", source="model", quote="Data Engineer", confidence=0.6)},
    answered_by="anthropic",
    model="claude-haiku-5-5",
)
FOUND = Details(
    title="Data Engineer",
    company=Company(name="Acme"),
    evidence={"title": Evidence(source="label", quote="Data Engineer", confidence=0.9)},
)


async def given(book: Book, user_id: str = "ann", url: str = URL) -> PostingRow:
    row, _ = await Postings(book.database).put(user_id, url=url, key=url_key(url))
    return row


async def test_a_job_of_somebody_else_gets_nothing_of_a_posting(book: Book) -> None:
    """However it came to the payload: by a start, a replay with another one, a schedule."""
    postings, row = Postings(book.database), await given(book, uuid4().hex)
    theirs = await book.running(owner="somebody else")
    assert await postings.begin(theirs, row.id) is None
    found = await postings.get(row.id)
    assert found
    assert (found.job_id, found.processing_status) == (None, "pending")
    for owner in (row.user_id, ""):
        assert await postings.begin(await book.running(owner=owner), row.id)


async def test_an_address_in_any_spelling_is_one_row_of_its_user(book: Book) -> None:
    postings, user_id = Postings(book.database), uuid4().hex
    spellings = (
        URL,
        "HTTPS://Jobs.Example.com:443/posting/17/?utm_source=mail&gh_src=1#apply",
        "http://jobs.example.com/posting/17",
    )
    rows = await asyncio.gather(*(postings.put(user_id, url=one, key=url_key(one)) for one in spellings * 3))
    assert len({row.id for row, _ in rows}) == 1
    assert sum(is_new for _, is_new in rows) == 1
    other, is_new = await postings.put(f"{user_id}-2", url=URL, key=url_key(URL))
    assert is_new
    assert other.id != rows[0][0].id
    assert url_key(f"{URL}?id=2") != url_key(URL) != url_key(f"{URL}8")


async def test_a_pasted_text_is_a_row_each_time_and_may_hold_anything(book: Book) -> None:
    postings = Postings(book.database)
    first, _ = await postings.put("bob", given="A\x00 job \ud800 at Acme")
    second, is_new = await postings.put("bob", given="A job  at Acme")
    assert first.given == "A job ? at Acme"
    assert is_new
    assert first.id != second.id
    sketched = await postings.sketch(first.id, FOUND.model_copy(update={"description": "\x00a\ud800b"}))
    assert sketched
    assert (sketched.details.title, sketched.details.description) == ("Data Engineer", "a?b")
    assert (sketched.processing_status, sketched.job_id) == ("pending", None)


async def test_the_row_goes_from_pending_over_processing_to_completed(book: Book) -> None:
    postings, row, job_id = Postings(book.database), await given(book, uuid4().hex), await book.running()
    await postings.assign(row.id, job_id)
    source = await postings.begin(job_id, row.id)
    assert source
    assert source.url == URL
    await postings.assign(row.id, job_id)
    there = await postings.get(row.id)
    assert there
    assert there.processing_status == "processing", "to say again which job it is sets nothing back"
    await postings.keep(job_id, row.id, READING)
    await postings.keep_said(job_id, SAID)
    assert await postings.draft(job_id) == (READING, SAID)
    assert await postings.store(job_id, row.id, FOUND, "anthropic", None, "claude-haiku-5-5")
    await book.end(job_id)
    there = await postings.get(row.id)
    assert there
    assert (there.processing_status, there.details, there.model) == ("completed", FOUND, "claude-haiku-5-5")
    assert await postings.draft(job_id) is None
    late = await postings.sketch(row.id, Details())
    assert late
    assert late.details == FOUND, "what a job found stands"


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED, Status.TIMED_OUT])
async def test_a_row_whose_job_ended_otherwise_has_failed(book: Book, status: Status, begun: bool) -> None:
    """Also when nobody could write that: the worker was killed, or the execution terminated."""
    postings, row, job_id = Postings(book.database), await given(book, uuid4().hex), await book.running()
    await postings.assign(row.id, job_id)
    if begun:
        await postings.begin(job_id, row.id)
    await book.end(job_id, status)
    there = await postings.get(row.id)
    assert there
    assert (there.processing_status, there.error and there.error.code) == (
        "failed",
        "canceled" if status == Status.CANCELED else "vendor_error",
    )
    again = await book.running()
    await postings.assign(row.id, again)
    there = await postings.get(row.id)
    assert there
    assert (there.processing_status, there.error) == ("pending", None)


async def test_rows_without_a_job_are_found(book: Book) -> None:
    postings, user_id = Postings(book.database), uuid4().hex
    left, started = await given(book, user_id), await given(book, user_id, f"{URL}0")
    await postings.assign(started.id, await book.running())
    found = [row.id for row in await postings.without_job(seconds=0) if row.user_id == user_id]
    assert found == [left.id]
    assert user_id not in {row.user_id for row in await postings.without_job(seconds=3600)}


async def test_pages_go_from_the_newest_to_the_oldest(book: Book) -> None:
    postings, user_id = Postings(book.database), uuid4().hex
    rows = [await given(book, user_id, f"{URL}/{n}") for n in range(5)]
    first = await postings.page(user_id, limit=3)
    rest = await postings.page(user_id, limit=3, before=(first[-1].created_at, first[-1].id))
    assert [row.id for row in (*first, *rest)] == [row.id for row in reversed(rows)]


async def test_all_of_it_goes_with_its_user(book: Book) -> None:
    postings, users, user_id = Postings(book.database), Users(book.database), uuid4().hex
    row, kept = await given(book, user_id), await given(book, f"{user_id}-2")
    # by a server that named no owner
    job_id = await book.running()
    await postings.begin(job_id, row.id)
    await postings.keep(job_id, row.id, READING)
    plans, call = Plans(book.database), Call(job_id, "enrich", "1.0")
    await plans.ask(job_id, "enrich", [ToolUse(id="1.0", tool="find_website", arguments={"company": "Acme"})])
    await plans.end(call, (await plans.begin(call, tool=None, given={}, once=False)).attempt, output={"url": "u"})
    assert await plans.used(job_id, "enrich")
    await users.erase_user(await users.forget(user_id, uuid4()), user_id)
    assert await postings.get(row.id) is None
    assert await postings.draft(job_id) is None
    assert await plans.used(job_id, "enrich") == []
    assert await postings.begin(job_id, row.id) is None
    await postings.keep(job_id, row.id, READING)
    assert await postings.draft(job_id) is None
    assert not await postings.store(job_id, row.id, FOUND, "offline", "no model key is set", None)
    assert await postings.get(kept.id) is not None
