"""Jobs that outlive a run: continue-as-new, deadlines, jobs inside jobs, and a fixed deploy."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.errors import JobError
from domain.job import Status
from domain.usage import Call, Spent, Usage
from engine.query import live_progress
from ledger.database import Database
from ledger.jobs import JobFilter
from ledger.rows import JobRow
from ledger.spend import Spend
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack, steps_of, toy_kinds, until
from tests.support.toys import Mended, Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_repeats_count_on_across_runs_and_the_snapshot_comes_along(parts: Parts, toys: Toys) -> None:
    job_id = await parts.submit("toy-rounds", {"left": 5, "perRun": 2})
    row = await parts.ended(job_id)
    assert row.status == Status.COMPLETED
    assert toys.calls == ["begin", "round", "round#2", "round#3", "round#4", "round#5"]
    assert steps_of(row) == [("begin", "completed"), ("round", "completed")]
    live = await live_progress(parts.client, job_id)
    assert [(step["name"], step["status"]) for step in live["steps"]] == steps_of(row)
    assert live["progress"]["text"] == "2/2"


@pytest.mark.parametrize(("seconds", "longest"), [(60, 4), (4, 3600)])
async def test_a_deadline_is_kept_across_runs(parts: Parts, toys: Toys, seconds: float, longest: int) -> None:
    """Whether it is the job's or the workflow's own: whichever comes first is told."""

    async def slowly() -> str:
        await asyncio.sleep(0.4)
        return "went round"

    for n in range(2, 21):
        toys.on(f"round#{n}", slowly)
    asked = {"left": 20, "perRun": 1, "seconds": seconds}
    row = await parts.ended(await parts.submit("toy-rounds", asked, max_duration=longest))
    assert row.status == Status.TIMED_OUT
    assert row.error is not None
    assert (row.error.code, row.error.message) == ("max_duration", "the job took longer than 0:00:04")
    assert "round#2" in toys.calls
    assert "round#20" not in toys.calls
    assert await parts.closed(row.id) == WorkflowExecutionStatus.FAILED


async def children(parts: Parts, parent: UUID) -> list[JobRow]:
    return list(await parts.jobs.list(JobFilter(parent_id=parent)))


async def test_a_child_is_a_job_of_its_own_with_what_is_left_of_the_budget(parts: Parts, toys: Toys) -> None:
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "prepared"

    toys.on("prepare", wait)
    job_id = await parts.submit("toy-parent", owner="alice", budget={"maxTokens": 1000, "maxCostUsd": "1.00"})
    await parts.started(job_id, "prepare")
    call = Call(job_id=job_id, step="prepare", turn=0, attempt=1)
    spent = Spent(
        call=call, vendor="v", model="m", usage=Usage(input_tokens=300, output_tokens=100), cost_usd=Decimal("0.25")
    )
    await Spend(parts.database).record(spent, prompt_hash="p", answer=None)
    gate.set()
    row = await parts.ended(job_id)
    [child] = await children(parts, job_id)
    assert (row.status, child.status) == (Status.COMPLETED, Status.COMPLETED)
    assert row.result["said"] == child.result["said"] == ["said one", "said two", "said three"]
    assert (child.kind, child.owner, child.max_tokens, child.max_usd) == ("toy", "alice", 600, Decimal("0.75"))
    assert (await live_progress(parts.client, child.id))["progress"]["text"] == "3/3"


async def test_a_cancel_of_the_parent_reaches_the_child(parts: Parts, toys: Toys) -> None:
    toys.on("two", asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
    job_id = await parts.submit("toy-parent")
    [child] = await until(lambda: children(parts, job_id))
    await parts.started(child.id, "two")
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    assert (await parts.ended(job_id)).status == Status.CANCELED
    assert (await parts.ended(child.id)).status == Status.CANCELED
    assert "three" not in toys.calls


async def test_a_cancel_of_the_child_fails_the_parent(parts: Parts, toys: Toys) -> None:
    toys.on("two", asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
    job_id = await parts.submit("toy-parent")
    [child] = await until(lambda: children(parts, job_id))
    await parts.started(child.id, "two")
    assert await parts.jobs.cancel(child.id, reason=None, by="bob")
    assert (await parts.ended(child.id)).cancel_requested_by == "bob"
    row = await parts.ended(job_id)
    assert row.status == Status.FAILED


async def test_a_failure_of_the_child_is_the_parents(parts: Parts, toys: Toys) -> None:
    toys.on("two", JobError("cannot be done", code="hopeless"))
    row = await parts.ended(await parts.submit("toy-parent"))
    assert row.status == Status.FAILED
    assert row.error is not None
    assert (row.error.code, row.error.message) == ("hopeless", "cannot be done")


async def test_a_child_never_takes_another_jobs_answer(parts: Parts, toys: Toys) -> None:
    """An answer from the cache is a job that has ended already: a workflow cannot run as it."""
    await parts.ended(await parts.submit("toy-remembered", {"skip": ["one"]}))
    row = await parts.ended(await parts.submit("toy-parent", {"kind": "toy-remembered", "child": {"skip": ["one"]}}))
    assert (row.status, row.error) == (Status.COMPLETED, None)
    assert row.result["said"] == ["said two", "said three"]


async def test_a_child_of_no_kind_fails_its_parent_at_once(parts: Parts, toys: Toys) -> None:
    row = await parts.ended(await parts.submit("toy-parent", {"kind": "toy-unheard-of"}))
    assert row.status == Status.FAILED
    assert row.error is not None
    assert row.error.code == "unknown_kind"


async def test_a_programmers_error_suspends_the_job_until_a_fixed_deploy(
    postgres_url: str, template: str, temporal_address: str, toys: Toys
) -> None:
    engine = await own_namespace(temporal_address)
    async with cloned(postgres_url, template) as url:
        database = Database(url)
        async with stack(database, engine, [toys.work]) as parts, parts.dispatching():
            async with parts.working(max_cached_workflows=0):  # so that nobody waits for the worker that is gone
                job_id = await parts.submit("toy-wrong")
                handle = parts.client.get_workflow_handle(str(job_id))
                await parts.started(job_id, "one", "completed")
                await parts.happened(job_id, lambda event: event.HasField("workflow_task_failed_event_attributes"))
                assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
                assert (await parts.row(job_id)).status == Status.RUNNING
            async with (
                stack(database, engine, [toys.work], kinds=toy_kinds(wrong=Mended)) as fixed,
                fixed.working(),
            ):
                row = await parts.ended(job_id, 60)
        await database.close()
    assert (row.status, row.result["said"]) == (Status.COMPLETED, ["said one", "remembered"])
    assert toys.calls == ["one"]
