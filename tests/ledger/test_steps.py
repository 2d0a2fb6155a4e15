"""The guard of step writes: whoever writes late, twice or from the grave changes nothing."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import JobClosed
from domain.job import Failure, Status
from ledger.steps import Delivery, Ended, Steps
from tests.ledger.book import WRONG, Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHARED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
HOPELESS = Failure(code="hopeless", message="cannot be done", step="one")


async def fail(book: Book, delivery: Delivery, code: str = "vendor_error") -> Ended:
    return await book.steps.end(delivery, "failure", error=WRONG.model_copy(update={"code": code}))


async def test_the_first_start_makes_the_job_run(book: Book) -> None:
    opened = await book.open()
    started = await book.steps.start(at(opened.id))
    row = await book.row(opened.id)
    assert (started.landed, started.stored) == (True, False)
    assert (row.status, row.started_at is not None) == (Status.RUNNING, True)
    assert (row.steps[0].status, row.steps[0].attempt, row.steps[0].max_attempts) == ("running", 1, 3)
    assert await book.told(opened.id) == [("job", "queued"), ("job", "running"), ("one", "running")]


async def test_an_end_is_written_once(book: Book) -> None:
    job_id = await book.running()
    assert (await book.steps.end(at(job_id), "completed", output='{"n": 1}')).landed
    assert not (await book.steps.end(at(job_id), "completed", output='{"n": 2}')).landed
    assert not (await fail(book, at(job_id))).landed
    step = await book.step(job_id)
    assert (step["status"], step["output"], step["failures"]) == ("completed", {"n": 1}, 0)
    assert (await book.told(job_id)).count(("one", "completed")) == 1


async def test_a_start_that_comes_again_changes_nothing(book: Book) -> None:
    job_id = await book.running()
    again = await book.steps.start(at(job_id))
    assert (again.landed, again.stored) == (False, False)
    assert (await book.told(job_id)).count(("one", "running")) == 1


async def test_a_zombie_of_an_older_delivery_changes_nothing(book: Book) -> None:
    job_id = await book.running()
    await book.steps.start(at(job_id, 2))
    assert not (await book.steps.end(at(job_id, 1), "completed", output='"old"')).landed
    assert not (await fail(book, at(job_id, 1))).landed
    assert not (await book.steps.start(at(job_id, 1))).landed
    step = await book.step(job_id)
    assert (step["status"], step["delivery"], step["failures"], step["output"]) == ("running", 2, 0, None)


async def test_a_reset_counts_from_zero_and_beats_every_older_writer(book: Book) -> None:
    job_id = await book.running()
    await fail(book, at(job_id, 1))
    await book.steps.start(at(job_id, 2))
    await fail(book, at(job_id, 2))
    assert (await book.steps.start(at(job_id, 1, reset=1))).landed
    assert not (await fail(book, at(job_id, 7))).landed
    step = await book.step(job_id)
    assert (step["status"], step["delivery"], step["failures"]) == ("running", 1, 0)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELED, Status.TIMED_OUT, Status.EXPIRED])
async def test_no_step_starts_in_a_closed_job(book: Book, status: Status) -> None:
    job_id = await book.running()
    await book.end(job_id, status)
    before = await book.told(job_id)
    with pytest.raises(JobClosed):
        await book.steps.start(at(job_id, activity_id="two"))
    for number in (1, 2):
        assert not (await book.steps.end(at(job_id, number), "completed", output="1")).landed
    await book.steps.note(at(job_id, activity_id="two"), "skipped", None)
    assert await book.told(job_id) == before
    assert (await book.row(job_id)).steps[1].status == "skipped"


async def test_no_step_starts_once_a_cancel_is_asked_for(book: Book) -> None:
    job_id = await book.running()
    await book.jobs.cancel_many([job_id], reason=None, by="key:test")
    before = await book.told(job_id)
    for delivery in (at(job_id, 2), at(job_id, activity_id="two")):
        started = await book.steps.start(delivery)
        assert (started.canceling, started.landed, started.stored) == (True, False, False)
    assert await book.told(job_id) == before
    assert (await book.steps.end(at(job_id), "completed", output='"done"')).landed
    stored = await book.steps.start(at(job_id, reset=1))
    assert (stored.stored, stored.output) == (True, "done")


async def test_an_unknown_job_takes_no_step(book: Book) -> None:
    with pytest.raises(JobClosed):
        await book.steps.start(at(uuid4()))
    with pytest.raises(JobClosed):
        await book.steps.end(at(uuid4()), "completed", output="1")


@pytest.mark.parametrize("reset", [0, 1])
async def test_a_stored_output_answers_the_next_start(book: Book, reset: int) -> None:
    job_id = await book.running()
    await book.steps.end(at(job_id), "completed", output='{"n": 1}')
    again = await book.steps.start(at(job_id, 2 - reset, reset=reset))
    assert (again.stored, again.output, again.landed) == (True, {"n": 1}, False)
    assert (await book.told(job_id)).count(("one", "running")) == 1


async def test_a_stored_null_is_an_answer_too(book: Book) -> None:
    job_id = await book.running()
    await book.steps.end(at(job_id), "completed", output="null")
    again = await book.steps.start(at(job_id, 2))
    assert (again.stored, again.output) == (True, None)


async def test_an_end_without_its_output_lets_the_step_run_again(book: Book) -> None:
    job_id = await book.running()
    await book.steps.end(at(job_id), "completed", output=None)
    again = await book.steps.start(at(job_id, 2))
    assert (again.stored, again.landed) == (False, True)


async def test_an_output_stored_while_a_start_waits_answers_it(book: Book) -> None:
    job_id = await book.running()
    async with book.in_between() as connection:
        await Steps(One(connection)).end(at(job_id), "completed", output='"done"')  # pyright: ignore[reportArgumentType]
        late = await book.waiting(book.steps.start(at(job_id, 2)))
    started = await late
    assert (started.stored, started.output) == (True, "done")


async def test_the_vendors_failures_add_up_to_a_failed_step(book: Book) -> None:
    job_id = await book.running()
    for number, status in ((1, "retrying"), (2, "retrying"), (3, "failed")):
        await book.steps.start(at(job_id, number))
        ended = await fail(book, at(job_id, number))
        assert (ended.landed, ended.status, ended.failures) == (True, status, number)
    told = await book.told(job_id)
    assert told[2:] == [("one", "running"), ("one", "retrying")] * 2 + [("one", "running"), ("one", "failed")]
    step = (await book.row(job_id)).steps[0]
    assert (step.attempt, step.max_attempts, step.error) == (3, 3, WRONG)


async def test_deliveries_without_an_end_count_no_failure(book: Book) -> None:
    job_id = await book.running()
    for number in range(2, 9):
        assert (await book.steps.start(at(job_id, number))).landed
    assert (await fail(book, at(job_id, 8))).failures == 1


async def test_a_hopeless_failure_fails_the_step_at_once(book: Book) -> None:
    job_id = await book.running()
    ended = await book.steps.end(at(job_id), "fatal", error=HOPELESS)
    assert (ended.status, ended.failures) == ("failed", 1)


async def test_waiting_counts_nothing_while_the_patience_lasts(book: Book) -> None:
    job_id = await book.running()
    seen: list[tuple[str | None, int]] = []
    for number in range(1, 6):
        await book.steps.start(at(job_id, number))
        ended = await book.steps.end(at(job_id, number), "wait", error=WRONG, wait=50, patience=120)
        seen.append((ended.status, ended.failures))
    assert seen == [("retrying", 0), ("retrying", 0), ("retrying", 1), ("retrying", 2), ("failed", 3)]


async def test_a_failure_written_twice_is_told_as_it_stands(book: Book) -> None:
    """The first commit's answer was lost: who asks again must hear `retrying`, or the step would be given up."""
    job_id = await book.running()
    await fail(book, at(job_id))
    again = await fail(book, at(job_id))
    assert (again.status, again.failures) == ("retrying", 1)
    assert (await book.told(job_id)).count(("one", "retrying")) == 1


async def test_a_note_speaks_for_a_time_out_and_a_skip(book: Book) -> None:
    job_id = await book.running()
    late = Failure(code="step_timeout", message="too late", step="one", retryable=True)
    await book.steps.note(at(job_id, reset=5), "failed", late)
    await book.steps.note(at(job_id, activity_id="two", reset=5), "skipped", None)
    assert not (await book.steps.end(at(job_id), "completed", output="1")).landed
    row = await book.row(job_id)
    assert [(step.status, step.error) for step in row.steps] == [("failed", late), ("skipped", None)]


async def test_a_note_never_covers_a_stored_output(book: Book) -> None:
    job_id = await book.running()
    await book.steps.end(at(job_id), "completed", output="1")
    await book.steps.note(at(job_id, reset=5), "failed", HOPELESS)
    assert (await book.step(job_id))["status"] == "completed"


WRITES = st.permutations([(kind, number) for number in (1, 2, 3) for kind in ("start", "failure")] + [("completed", 4)])


@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(order=WRITES)
async def test_the_order_in_which_late_writers_arrive_changes_no_end(book: Book, order: list[tuple[str, int]]) -> None:
    """Delivery 4 has started and ended; whatever still comes of 1, 2 and 3 comes too late."""
    job_id = await book.running()
    await book.steps.start(at(job_id, 4))
    for kind, number in order:
        await write(book, at(job_id, number), kind)
    assert await book.step(job_id) == {
        "status": "completed",
        "scheduled_at": at(job_id).scheduled_at,
        "delivery": 4,
        "failures": 0,
        "waited_seconds": 0.0,
        "output": {"delivery": 4},
        "code": None,
        "finished": True,
    }
    assert await book.told(job_id) == [
        ("job", "queued"),
        ("job", "running"),
        ("one", "running"),
        ("one", "running"),
        ("one", "completed"),
    ]


async def write(book: Book, delivery: Delivery, kind: str) -> None:
    if kind == "start":
        await book.steps.start(delivery)
    elif kind == "completed":
        await book.steps.end(delivery, "completed", output=f'{{"delivery": {delivery.number}}}')
    else:
        await fail(book, delivery)


@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(
    order=st.permutations(
        [("start", n, r) for n in (1, 2) for r in (0, 1)] + [("failure", n, r) for n in (1, 2) for r in (0, 1)]
    )
)
async def test_what_stands_never_moves_back(book: Book, order: list[tuple[str, int, int]]) -> None:
    """In whatever order writers of two schedules come: (scheduled_at, delivery, rank) only grows."""
    job_id = await book.running()
    rank = {"running": 1, "retrying": 2, "completed": 3, "failed": 3}
    stood = None
    for kind, number, reset in order:
        await write(book, at(job_id, number, reset=reset), kind)
        step = await book.step(job_id)
        stands = (step["scheduled_at"], step["delivery"], rank[step["status"]])
        assert stood is None or stands >= stood
        stood = stands
    assert stood is not None
    assert stood[:2] == (at(job_id, reset=1).scheduled_at, 2)


async def test_events_have_no_gaps_and_tell_each_step_in_order_under_many_writers(book: Book) -> None:
    job_id = await book.running()

    async def step(name: str) -> None:
        for number in (1, 2):
            await book.steps.start(at(job_id, number, activity_id=name))
            await fail(book, at(job_id, number, activity_id=name))
        await book.steps.start(at(job_id, 3, activity_id=name))
        await book.steps.end(at(job_id, 3, activity_id=name), "completed", output="1")

    names = [f"step{n}" for n in range(12)]
    seen: list[int] = []

    async def read() -> None:
        while (await book.row(job_id)).event_seq < 3 + 12 * 6:
            seen.extend(event.seq for event in await book.events.after(job_id, seen[-1] if seen else 0))

    await asyncio.gather(read(), *(step(name) for name in names))
    seen.extend(event.seq for event in await book.events.after(job_id, seen[-1] if seen else 0))
    assert seen == list(range(1, 3 + 12 * 6 + 1))
    told = await book.told(job_id)
    expected = ["running", "retrying", "running", "retrying", "running", "completed"]
    for name in names:
        assert [status for who, status in told if who == name] == expected


class One:
    """A ledger that is one connection, inside its transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def row(self, query: str, *args: Any) -> Any:
        return await self._connection.fetchrow(query, *args)


async def test_an_end_leaves_no_step_open_that_started_meanwhile(book: Book) -> None:
    job_id = await book.running()
    async with book.in_between() as connection:
        await Steps(One(connection)).start(at(job_id, activity_id="two"))  # pyright: ignore[reportArgumentType]
        ending = await book.waiting(book.end(job_id, Status.CANCELED))
    await ending
    assert [step.status for step in (await book.row(job_id)).steps] == ["failed", "failed"]


async def test_a_result_whose_step_failed_meanwhile_is_not_kept_for_others(book: Book) -> None:
    question = f"question-{uuid4()}"
    job_id = await book.running(cache_key=question)
    async with book.in_between() as connection:
        steps = Steps(One(connection))  # pyright: ignore[reportArgumentType]
        await steps.end(at(job_id), "fatal", error=HOPELESS)
        ending = await book.waiting(book.end(job_id, result={"n": 1}))
    await ending
    assert (await book.open(cache_key=question)).status == Status.QUEUED
