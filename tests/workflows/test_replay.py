"""A job asked for again, from the first step or from a later one."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import InvalidPayload, JobError, StepNotFinished, UnknownStep
from domain.job import Status
from domain.usage import Call, Spent, Usage
from engine.replay import Replays
from ledger.jobs import JobFilter
from ledger.rows import JobRow
from ledger.spend import Spend
from tests.support.stack_parts import Parts, steps_of
from tests.support.toys import Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def again(parts: Parts, old: JobRow, toys: Toys, **changed: Any) -> JobRow:
    """The replay, once it has ended; the toys' calls are its own."""
    toys.calls.clear()
    opened = await Replays(parts.jobs, parts.catalog).replay(old, **changed)
    return await parts.ended(opened.id)


async def failed_at_three(parts: Parts, toys: Toys, payload: dict[str, Any] | None = None, **options: Any) -> JobRow:
    toys.on("three", JobError("cannot be done"))
    row = await parts.ended(await parts.submit("toy", payload, **options))
    assert row.status == Status.FAILED
    return row


async def told(parts: Parts, job_id: UUID) -> list[tuple[int, str, Any]]:
    """(number, type or step, status) of the events."""
    events = await parts.events.after(job_id)
    return [(event.seq, event.data.get("name", event.type), event.data.get("status")) for event in events]


async def test_steps_before_the_named_one_answer_what_they_answered_before(parts: Parts, toys: Toys) -> None:
    toys.on("one", "what one said then")
    old = await failed_at_three(parts, toys)
    row = await again(parts, old, toys, from_step="three")
    assert (row.status, row.replay_of) == (Status.COMPLETED, old.id)
    assert row.result["said"] == ["what one said then", "said two", "said three"]
    assert toys.calls == ["three"]
    assert steps_of(row) == [("one", "completed"), ("two", "completed"), ("three", "completed")]
    assert [step.deliveries for step in row.steps] == [0, 0, 1]
    assert await told(parts, row.id) == [
        (1, "job", "queued"),
        (2, "replay", None),
        (3, "one", "completed"),
        (4, "two", "completed"),
        (5, "job", "running"),
        (6, "three", "running"),
        (7, "three", "completed"),
        (8, "job", "completed"),
    ]
    [replay] = [event.data for event in await parts.events.after(row.id) if event.type == "replay"]
    assert replay == {"of": str(old.id), "fromStep": "three"}


async def test_what_was_answered_before_stands_in_the_job_at_once(parts: Parts, toys: Toys) -> None:
    old = await failed_at_three(parts, toys)
    opened = await Replays(parts.jobs, parts.catalog).replay(old, from_step="three")
    row = await parts.row(opened.id)
    assert row.progress.text in ("2/3", "3/3")
    await parts.ended(opened.id)


async def test_a_stand_ins_answer_is_its_steps(parts: Parts, toys: Toys) -> None:
    toys.on("two", JobError("cannot be done"))
    old = await failed_at_three(parts, toys, {"standIn": ["two"]})
    row = await again(parts, old, toys, from_step="three")
    assert row.result["said"] == ["said one", "stand-in of two", "said three"]
    assert toys.calls == ["three"]
    assert steps_of(row)[1] == ("two", "completed")


async def test_repeats_come_along(parts: Parts, toys: Toys) -> None:
    toys.on("two#2", JobError("cannot be done"))
    toys.on("two#otherwise", "the second's stand-in")
    old = await failed_at_three(parts, toys, {"twice": ["two"], "standIn": ["two"]})
    row = await again(parts, old, toys, from_step="three")
    assert row.result["said"] == ["said one", "said two", "the second's stand-in", "said three"]
    assert toys.calls == ["three"]


async def test_a_skipped_step_needs_no_output(parts: Parts, toys: Toys) -> None:
    old = await failed_at_three(parts, toys, {"skip": ["two"]})
    row = await again(parts, old, toys, from_step="three")
    assert steps_of(row) == [("one", "completed"), ("two", "skipped"), ("three", "completed")]
    assert toys.calls == ["three"]


async def test_another_payload_meets_the_old_answers(parts: Parts, toys: Toys) -> None:
    toys.on("one", "what one said then")
    old = await failed_at_three(parts, toys)
    row = await again(parts, old, toys, from_step="two", payload={"twice": ["three"]})
    assert row.payload == {"twice": ["three"]}
    assert row.result["said"] == ["what one said then", "said two", "said three", "said three"]
    assert toys.calls == ["two", "three", "three#2"]


async def test_from_the_first_step_everything_is_run_again(parts: Parts, toys: Toys) -> None:
    old = await failed_at_three(parts, toys)
    for changed in ({"from_step": "one"}, {}):
        row = await again(parts, old, toys, **changed)
        assert toys.calls == ["one", "two", "three"]
        assert (await told(parts, row.id))[1][1] == "replay"


async def test_the_options_come_along_and_what_was_spent_does_not(parts: Parts, toys: Toys) -> None:
    options: dict[str, Any] = {
        "owner": "ann",
        "tier": "premium",
        "tags": ["a"],
        "metadata": {"n": 1},
        "retry": {"maxAttempts": 2},
    }
    old = await failed_at_three(parts, toys, **options, budget={"maxTokens": 500})
    await parts.database.execute(
        """UPDATE jobs SET priority = 1, concurrency_key = 'printer', webhook = 'https://app.test/hook',
            email = 'ann@app.test' WHERE id = $1""",
        old.id,
    )
    call = Call(job_id=old.id, step="two", turn=0, attempt=1)
    spent = Spent(
        call=call, vendor="v", model="m", usage=Usage(input_tokens=300, output_tokens=100), cost_usd=Decimal("0.25")
    )
    await Spend(parts.database).record(spent, prompt_hash="p", answer=None)
    row = await again(parts, await parts.row(old.id), toys, from_step="three")
    assert (row.owner, row.tier, row.tags, row.metadata) == ("ann", "premium", ("a",), {"n": 1})
    assert (row.retry, row.max_tokens, row.usage) == ({"maxAttempts": 2}, 500, {})
    assert (row.priority, row.concurrency_key) == (1, "printer")
    assert (row.webhook, row.email) == ("https://app.test/hook", "ann@app.test")
    assert row.steps[2].max_attempts == 2
    assert await parts.jobs.spent(row.id) == (0, Decimal(0))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [({"isolate": ["two"]}, "the step two failed"), ({}, "the step two failed: begin with it, or earlier")],
)
async def test_a_step_that_left_no_answer_is_named_and_nothing_is_opened(
    parts: Parts, toys: Toys, payload: dict[str, Any], reason: str
) -> None:
    toys.on("two", JobError("cannot be done"))
    old = await parts.ended(await parts.submit("toy", payload, owner=f"nothing-{uuid4()}"))
    with pytest.raises(StepNotFinished) as refused:
        await Replays(parts.jobs, parts.catalog).replay(old, from_step="three")
    assert refused.value.message.startswith(reason)
    assert refused.value.pointer == "/fromStep"
    assert len(await parts.jobs.list(JobFilter(owner=old.owner))) == 1


async def test_a_job_that_never_ran_has_nothing_to_begin_after(parts: Parts) -> None:
    job_id = await parts.submit("toy-remembered", {"skip": ["one", "two", "three"]})
    old = await parts.ended(job_id)
    cached = await parts.ended(await parts.submit("toy-remembered", {"skip": ["one", "two", "three"]}))
    assert cached.result["cached"]
    with pytest.raises(StepNotFinished, match="the step one was not run"):
        await Replays(parts.jobs, parts.catalog).replay(cached, from_step="two")
    assert (await Replays(parts.jobs, parts.catalog).replay(old, from_step="two")).id


async def test_an_unknown_step_and_an_unfit_payload_are_refused(parts: Parts, toys: Toys) -> None:
    old = await failed_at_three(parts, toys)
    with pytest.raises(UnknownStep) as refused:
        await Replays(parts.jobs, parts.catalog).replay(old, from_step="four")
    assert (refused.value.pointer, refused.value.message) == (
        "/fromStep", "there is no such step; there are one, two, three",
    )  # fmt: skip
    with pytest.raises(InvalidPayload):
        await Replays(parts.jobs, parts.catalog).replay(old, payload={"unheard": "of"}, from_step="two")


async def test_the_same_call_repeated_opens_one_job(parts: Parts, toys: Toys) -> None:
    """As after a commit whose answer was lost: what the first call wrote is neither told nor copied twice."""
    old, new_id = await failed_at_three(parts, toys), uuid4()
    replays = Replays(parts.jobs, parts.catalog)
    first = await replays.replay(old, from_step="three", new_id=new_id)
    again = await replays.replay(old, from_step="three", new_id=new_id)
    assert first.id == again.id == new_id
    await parts.ended(new_id)
    events = await parts.events.after(new_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events].count("replay") == 1
