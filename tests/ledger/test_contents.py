"""What is written about runs: one letter, one insight each, and what stands while they are written anew."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from pydantic_core import to_json

from domain.job import Failure, Status
from domain.running.contents import ReviewSheet, Words
from domain.running.figures import Fact, Facts, Runner
from domain.usage import Call, Spent, Usage
from domain.users import UserRequest
from domain.workout import Workout
from ledger.contents import Contents
from ledger.spend import Spend
from ledger.users import Users
from ledger.workouts import Workouts
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
FACTS = {"distance": Fact(value=10_020, unit="m", basis="GPS", quality="good")}
BEGAN = datetime(2026, 6, 14, 7, 31, tzinfo=UTC)
OURS = Words(text="Ten kilometres of rain.", answered_by="anthropic", model="claude-haiku-5-5")
FACTS_TOLD = to_json(FACTS).decode()
TWINS = Words(text="10.02 km.", answered_by="offline", reason="no model key is set")


async def a_run(book: Book, user_id: str, days: int = 0) -> UUID:
    began = BEGAN + timedelta(days=days)
    workout = Workout(sport="run", name="Morning", started_at=began, source="json", content_hash=uuid4().hex * 2)
    row, _ = await Workouts(book.database).put(user_id, workout, Facts(sport="run", facts=FACTS), Runner(), b"\x00")
    return row.id


def calling(job_id: UUID, item: str = "") -> Call:
    return Call(job_id=job_id, step="one", item=item)


async def pay(book: Book, call: Call, cost: str | None = "0.002") -> None:
    usage = Usage(input_tokens=300, output_tokens=150)
    price = Decimal(cost) if cost else None
    spent = Spent(call=call, vendor="anthropic", model="claude-haiku-5-5", usage=usage, cost_usd=price)
    await Spend(book.database).record(spent, prompt_hash="h", answer=None)


async def test_a_half_goes_from_pending_over_generating_to_completed(book: Book) -> None:
    contents, job_id, run_id = Contents(book.database), await book.running(owner="ann"), await a_run(book, "ann")
    assert (await contents.get(run_id, "letter")).status == "pending"
    assert await contents.begin(job_id, run_id, "ann", ["letter", "insight"])
    assert (await contents.get(run_id, "letter")).status == "generating"
    assert await contents.store(run_id, "letter", OURS, FACTS_TOLD, calling(job_id))
    there = await contents.get(run_id, "letter")
    assert (there.status, there.text, there.facts, there.model) == ("completed", OURS.text, FACTS, OURS.model)
    assert there.created_at is not None
    assert (await contents.get(run_id, "insight")).status == "generating"


async def test_the_text_before_stays_while_a_new_one_is_written_and_when_that_fails(book: Book) -> None:
    contents, first, run_id = Contents(book.database), await book.running(), await a_run(book, "bob")
    await contents.store(run_id, "letter", TWINS, FACTS_TOLD, calling(first))
    second = await book.running()
    assert await contents.begin(second, run_id, "bob", ["letter"])
    meanwhile = await contents.get(run_id, "letter")
    assert (meanwhile.status, meanwhile.text, meanwhile.reason) == ("generating", TWINS.text, TWINS.reason)
    await contents.fail(first, run_id, "letter", Failure(code="vendor_error", message="an older job"))
    assert (await contents.get(run_id, "letter")).status == "generating", "another job is at it"
    await contents.fail(second, run_id, "letter", Failure(code="vendor_error", message="no answer"))
    after = await contents.get(run_id, "letter")
    assert (after.status, after.text, after.error and after.error.code) == ("failed", TWINS.text, "vendor_error")


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED, Status.TIMED_OUT])
async def test_what_a_job_left_when_it_ended_has_failed(book: Book, status: Status) -> None:
    """Also when nobody could write that: the worker was killed, or the execution terminated."""
    contents, job_id = Contents(book.database), await book.running()
    run_id = await a_run(book, f"user-{status}")
    await contents.begin(job_id, run_id, f"user-{status}", ["letter", "insight"])
    await contents.store(run_id, "insight", OURS, FACTS_TOLD, calling(job_id))
    await book.end(job_id, status)
    letter, insight = await contents.get(run_id, "letter"), await contents.get(run_id, "insight")
    assert (letter.status, insight.status) == ("failed", "completed")
    assert (letter.error is not None) == (status is not Status.CANCELED)


async def test_nobody_begins_with_a_run_of_somebody_else_or_of_nobody(book: Book) -> None:
    contents, job_id, run_id = Contents(book.database), await book.running(), await a_run(book, "carl")
    assert not await contents.begin(job_id, run_id, "dora", ["letter"])
    assert not await contents.begin(job_id, uuid4(), "carl", ["letter"])
    assert (await contents.get(run_id, "letter")).status == "pending"


async def test_what_was_written_goes_with_its_run(book: Book) -> None:
    contents, job_id, run_id = Contents(book.database), await book.running(), await a_run(book, "emma")
    await contents.store(run_id, "letter", OURS, FACTS_TOLD, calling(job_id))
    await Workouts(book.database).delete(run_id)
    assert (await contents.get(run_id, "letter")).status == "pending"
    assert not await contents.store(run_id, "letter", OURS, FACTS_TOLD, calling(job_id))


async def test_a_text_says_what_all_its_turns_cost_and_no_others(book: Book) -> None:
    contents, job_id, run_id = Contents(book.database), await book.running(), await a_run(book, "fred")
    for turn in range(2):
        await pay(book, calling(job_id, "7:letter").model_copy(update={"turn": turn}))
    await pay(book, calling(job_id, "7:insight"), None)
    await contents.store(run_id, "letter", OURS, FACTS_TOLD, calling(job_id, "7:letter"))
    await contents.store(run_id, "insight", OURS, FACTS_TOLD, calling(job_id, "7:insight"))
    usage = (await contents.get(run_id, "letter")).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (600, 300, 0.004)
    unknown = (await contents.get(run_id, "insight")).usage
    assert (unknown.input_tokens, unknown.cost_usd) == (300, None)


async def test_a_draft_holds_what_a_job_writes_from_and_has_written(book: Book) -> None:
    contents, job_id = Contents(book.database), await book.running()
    sheet = ReviewSheet(user_id="gil", title="a week", facts=FACTS, about="week", key="2026-06-08")
    assert await contents.draft(job_id) is None
    await contents.keep_sheet(job_id, sheet)
    await contents.keep_words(job_id, OURS)
    given, words = await contents.draft(job_id) or (None, None)
    assert (ReviewSheet.model_validate(given), words) == (sheet, OURS)
    await contents.keep_sheet(job_id, sheet)
    assert (await contents.draft(job_id) or (None, OURS))[1] is None, "words on another sheet"
    await contents.drop_draft(job_id)
    assert await contents.draft(job_id) is None


async def test_a_review_takes_the_place_of_the_one_before(book: Book) -> None:
    contents, job_id = Contents(book.database), await book.running()
    weeks = [
        ReviewSheet(user_id="hal", title="a week", facts=FACTS, about="week", key=key)
        for key in ("2026-06-01", "2026-06-08")
    ]
    for sheet in weeks:
        await contents.store_review(sheet, TWINS, calling(job_id))
    await contents.store_review(weeks[0], OURS, calling(job_id))
    newest = await contents.reviews("hal", "week")
    assert [(one.key, one.text) for one in newest] == [("2026-06-08", TWINS.text)]
    [first] = await contents.reviews("hal", "week", key="2026-06-01")
    assert (first.text, first.facts) == (OURS.text, FACTS)
    assert await contents.reviews("hal", "trends") == await contents.reviews("ida", "week") == []


async def test_nothing_of_it_outlives_its_user(book: Book) -> None:
    contents, users, job_id = Contents(book.database), Users(book.database), await book.running(owner="joy")
    run_id = await a_run(book, "joy")
    sheet = ReviewSheet(user_id="joy", title="a week", facts=FACTS, about="week", key="2026-06-08")
    await contents.begin(job_id, run_id, "joy", ["letter"])
    await contents.store(run_id, "letter", OURS, FACTS_TOLD, calling(job_id))
    await contents.store_review(sheet, OURS, calling(job_id))
    await contents.keep_sheet(job_id, sheet)
    await users.put("joy", UserRequest())
    await book.end(job_id)
    erasure = await users.forget("joy", uuid4())
    await users.erase_jobs([job_id])
    await users.erase_user(erasure, "joy")
    for table in ("run_contents", "run_reviews", "run_drafts"):
        assert await book.value(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%joy%'") == 0
