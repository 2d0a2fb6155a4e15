"""What was listened to: paid by the second, shown on the job, and kept from a vendor's call back until it is read."""

from decimal import Decimal
from uuid import uuid4

import pytest

from domain.usage import Call, Spent, Usage
from ledger.spend import Spend
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_seconds_of_sound_are_counted_beside_tokens(book: Book) -> None:
    job_id, spend = await book.running(), Spend(book.database)
    call = Call(job_id=job_id, step="one")
    heard = Spent(call=call, vendor="deepgram", model="nova-3", audio_seconds=90.5, cost_usd=Decimal("0.0117"))
    totals = await spend.record(heard, prompt_hash="a", answer={"words": []})
    assert (totals.tokens, totals.cost_usd) == (0, Decimal("0.0117"))
    usage = (await book.jobs.get(job_id)).usage  # pyright: ignore[reportOptionalMemberAccess]
    assert (usage["audioSeconds"], usage["costUsd"], usage["inputTokens"]) == (90.5, 0.0117, 0)
    judged = Spent(call=call, vendor="openai", model="gpt-6-luna", usage=Usage(input_tokens=7, output_tokens=3))
    await spend.record(judged, prompt_hash="b", answer=None)
    usage = (await book.jobs.get(job_id)).usage  # pyright: ignore[reportOptionalMemberAccess]
    assert (usage["audioSeconds"], usage["costUsd"], usage["inputTokens"]) == (90.5, None, 7)
    assert [(one["model"], one["audioSeconds"]) for one in usage["byModel"]] == [("gpt-6-luna", 0), ("nova-3", 90.5)]


async def test_sound_whose_price_nobody_knows_is_shown_all_the_same(book: Book) -> None:
    job_id = await book.running()
    heard = Spent(call=Call(job_id=job_id, step="one"), vendor="deepgram", model="nova-9", audio_seconds=12)
    await Spend(book.database).record(heard, prompt_hash="a", answer=None)
    usage = (await book.jobs.get(job_id)).usage  # pyright: ignore[reportOptionalMemberAccess]
    assert (usage["audioSeconds"], usage["costUsd"]) == (12, None)


async def test_sound_paid_after_the_end_still_reaches_the_figures(book: Book) -> None:
    owner = str(uuid4())
    job_id = await book.running(owner=owner)
    await book.end(job_id)
    heard = Spent(
        call=Call(job_id=job_id, step="one"), vendor="deepgram", model="nova-3", audio_seconds=60, cost_usd=Decimal(1)
    )
    await Spend(book.database).record(heard, prompt_hash="a", answer=None)
    told = await book.database.fetch("SELECT jobs, usd FROM job_ends WHERE owner = $1 ORDER BY jobs", owner)
    assert [(row["jobs"], row["usd"]) for row in told] == [(0, 1), (1, 0)]
