"""What a workflow of steps does, on a real engine and a real ledger."""

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.errors import BudgetExceeded, JobError, LedgerUnavailable, RateLimited, VendorError
from domain.job import Failure, Outcome, Status
from engine.query import live_progress
from tests.support.stack_parts import Parts, steps_of
from tests.support.toys import Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")


def broken(n: int) -> list[VendorError]:
    return [VendorError(f"no answer {i}") for i in range(n)]


async def test_steps_are_told_one_by_one_and_counted(parts: Parts, toys: Toys) -> None:
    job_id = await parts.submit("toy")
    row = await parts.ended(job_id)
    assert row.status == Status.COMPLETED
    assert row.result == {"said": ["said one", "said two", "said three"], "answeredBy": None}
    assert (row.progress.text, row.progress.percent) == ("3/3", 100)
    assert toys.calls == ["one", "two", "three"]
    events = await parts.events.after(job_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    told = [(event.data.get("name", "job"), event.data["status"]) for event in events]
    each = [(name, status) for name in ("one", "two", "three") for status in ("running", "completed")]
    assert told == [("job", "queued"), ("job", "running"), *each, ("job", "completed")]


async def test_a_value_stands_in_once_the_vendor_failed_as_often_as_the_step_may(parts: Parts, toys: Toys) -> None:
    toys.on("two", *broken(3))
    row = await parts.ended(await parts.submit("toy", {"isolate": ["two"]}))
    assert row.status == Status.COMPLETED
    assert row.result["said"][1] == "without two: vendor_error"
    two = row.steps[1]
    assert (two.status, two.attempt, two.max_attempts) == ("failed", 3, 3)
    assert two.error == Failure(code="vendor_error", message="no answer 2", step="two", retryable=True)
    assert toys.calls == ["one", "two", "two", "two", "three"]
    assert row.progress.text == "3/3"


async def test_another_activity_stands_in_under_an_id_of_its_own(parts: Parts, toys: Toys) -> None:
    toys.on("two", JobError("cannot be done", code="hopeless"))
    row = await parts.ended(await parts.submit("toy", {"standIn": ["two"]}))
    assert row.status == Status.COMPLETED
    assert row.result["said"][1] == "stand-in of two"
    assert toys.calls == ["one", "two", "two#otherwise", "three"]
    assert steps_of(row) == [("one", "completed"), ("two", "failed"), ("three", "completed")]


async def test_each_repeat_has_a_stand_in_of_its_own(parts: Parts, toys: Toys) -> None:
    toys.on("two", JobError("cannot be done"))
    toys.on("two#2", JobError("cannot be done"))
    toys.on("two#otherwise", "the first")
    toys.on("two#2#otherwise", "the second")
    row = await parts.ended(await parts.submit("toy", {"standIn": ["two"], "twice": ["two"]}))
    assert row.result["said"] == ["said one", "the first", "the second", "said three"]
    assert steps_of(row) == [("one", "completed"), ("two", "failed"), ("three", "completed")]


async def test_repeats_are_kept_apart_and_counted_as_one_step(parts: Parts, toys: Toys) -> None:
    toys.on("two#2", "another two")
    row = await parts.ended(await parts.submit("toy", {"twice": ["two"]}))
    assert toys.calls == ["one", "two", "two#2", "three"]
    assert row.result["said"] == ["said one", "said two", "another two", "said three"]
    assert row.progress.text == "3/3"


async def test_an_exceeded_budget_wins_over_every_stand_in(parts: Parts, toys: Toys) -> None:
    toys.on("two", BudgetExceeded("the budget of this job is spent"))
    row = await parts.ended(await parts.submit("toy", {"isolate": ["two"]}))
    assert row.status == Status.FAILED
    assert row.error == Failure(code="budget_exceeded", message="the budget of this job is spent", step="two")
    assert toys.calls == ["one", "two"]
    assert steps_of(row) == [("one", "completed"), ("two", "failed"), ("three", "skipped")]


async def test_cancel_wins_over_every_stand_in(parts: Parts, toys: Toys) -> None:
    toys.on("two", asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
    job_id = await parts.submit("toy", {"isolate": ["two"]})
    await parts.started(job_id, "two")
    assert await parts.jobs.cancel(job_id, reason="enough", by="somebody")
    row = await parts.ended(job_id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "somebody")
    assert await parts.closed(job_id) == WorkflowExecutionStatus.CANCELED
    assert "three" not in toys.calls


async def test_a_failure_that_will_not_pass_is_not_tried_again(parts: Parts, toys: Toys) -> None:
    toys.on("two", VendorError("not found", code="not_found", retryable=False))
    row = await parts.ended(await parts.submit("toy"))
    assert row.status == Status.FAILED
    assert row.error is not None
    assert (row.error.code, row.error.step) == ("not_found", "two")
    assert toys.calls == ["one", "two"]


async def test_the_vendors_failures_are_counted_apart_from_deliveries(parts: Parts, toys: Toys) -> None:
    busy = [RateLimited("too many", retry_after=0.02) for _ in range(3)]
    toys.on("two", *broken(1), LedgerUnavailable(), *busy, *broken(1))
    row = await parts.ended(await parts.submit("toy"))
    assert row.status == Status.COMPLETED
    two = row.steps[1]
    assert (two.attempt, two.deliveries) == (3, 7)
    assert toys.calls.count("two") == 7


async def test_a_rate_limit_counts_once_the_patience_of_its_step_is_over(parts: Parts, toys: Toys) -> None:
    toys.on("two", *[RateLimited("too many", retry_after=parts.rate_limit_patience * 0.6) for _ in range(4)])
    row = await parts.ended(await parts.submit("toy", {"isolate": ["two"]}))
    assert row.result["said"][1] == "without two: rate_limited"
    assert (row.steps[1].attempt, row.steps[1].deliveries) == (3, 4)


async def test_a_time_out_of_the_engine_is_taken_as_a_failure_too(parts: Parts, toys: Toys) -> None:
    toys.on("hasty", asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
    row = await parts.ended(await parts.submit("toy-hasty"))
    assert (row.status, row.result["said"]) == (Status.COMPLETED, ["step_timeout"])
    [hasty] = row.steps
    assert hasty.status == "failed"
    assert hasty.error is not None
    assert hasty.error.code == "step_timeout"


async def test_a_skipped_step_counts_as_done(parts: Parts, toys: Toys) -> None:
    row = await parts.ended(await parts.submit("toy", {"skip": ["two"]}))
    assert steps_of(row) == [("one", "completed"), ("two", "skipped"), ("three", "completed")]
    assert row.progress.text == "3/3"
    assert toys.calls == ["one", "three"]


async def test_the_query_answers_from_the_workflow_itself(parts: Parts, toys: Toys) -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "said two"

    toys.on("two", wait)
    job_id = await parts.submit("toy")
    await parts.started(job_id, "two")
    live = await live_progress(parts.client, job_id)
    assert live["progress"]["text"] == "1/3"
    assert [(step["name"], step["status"]) for step in live["steps"]] == steps_of(await parts.row(job_id))
    gate.set()
    await parts.ended(job_id)
    assert (await live_progress(parts.client, job_id))["progress"]["text"] == "3/3"


async def test_a_workflow_that_meets_a_closed_job_ends_as_the_ledger_says(parts: Parts, toys: Toys) -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "said two"

    toys.on("two", wait)
    job_id = await parts.submit("toy", {"isolate": ["two", "three"]})
    await parts.started(job_id, "two")
    lost = Failure(code="engine_lost", message="closed behind the workflow's back")
    await parts.jobs.finish(Outcome(job_id=job_id, status=Status.FAILED, error=lost))
    gate.set()
    assert await parts.closed(job_id) == WorkflowExecutionStatus.FAILED
    row = await parts.row(job_id)
    assert (row.status, row.error) == (Status.FAILED, lost)
    assert "three" not in toys.calls


async def test_a_time_out_of_the_workflows_own_fails_the_job_at_once(parts: Parts) -> None:
    row = await parts.ended(await parts.submit("toy-late"))
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error.code == "step_timeout"
