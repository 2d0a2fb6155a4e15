"""Steps that wait for somebody outside: the ledger holds the answer, a signal only sends the workflow there."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from activities.waiting import Waits
from domain.job import Failure, Status
from domain.keyring import Keyring
from domain.waiting import RESOLVED, waitpoint_of
from engine.courier import Courier
from engine.query import live_progress
from ledger.database import Database
from ledger.rows import Event
from ledger.waitpoints import Waitpoints
from tests.conftest import own_namespace
from tests.support.approvals import APPROVAL
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack, steps_of, until
from tests.support.toys import Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO = Failure(code="task_failed", message="not like that")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(postgres_url: str, template: str, temporal_address: str, played: Toys) -> AsyncGenerator[Parts]:
    """Everything runs but the courier: the tests carry answers."""
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        waits = Waits(Waitpoints(database), Keyring(["a key"]))
        activities = [played.work, waits.open_wait, waits.settle_wait]
        opened = stack(database, engine, activities, kinds=[APPROVAL])
        async with opened as parts, parts.working(), parts.dispatching():
            yield parts
        await database.close()


@pytest.fixture
def points(parts: Parts) -> Waitpoints:
    return Waitpoints(parts.database)


@pytest.fixture
def courier(parts: Parts, points: Waitpoints) -> Courier:
    return Courier(parts.client, points)


async def waiting(parts: Parts, **payload: Any) -> UUID:
    """A job whose two steps wait."""
    job_id = await parts.submit("toy-approval", payload)
    handle = parts.client.get_workflow_handle(str(job_id))

    async def timers() -> bool:
        events = [event.event_type async for event in handle.fetch_history_events()]
        return events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 3  # the job's deadline and two waits

    await parts.started(job_id, "review")
    await until(timers)
    return job_id


async def said(points: Waitpoints, job_id: UUID, step: str, output: Any) -> None:
    assert await points.resolve(waitpoint_of(job_id, step), "completed", output=output, by="somebody")


async def told(parts: Parts, job_id: UUID, kind: str) -> list[Event]:
    return [event for event in await parts.events.after(job_id) if event.type == kind]


async def test_who_waits_goes_on_with_what_was_said(parts: Parts, points: Waitpoints, courier: Courier) -> None:
    job_id = await waiting(parts)
    row = await parts.row(job_id)
    assert row.status == Status.RUNNING
    assert steps_of(row) == [("approve", "running"), ("review", "running"), ("tell", "pending")]
    live = await live_progress(parts.client, job_id)
    assert [step["status"] for step in live["steps"]] == ["running", "running", "pending"]
    audit = await told(parts, job_id, "waiting")
    assert {(event.data["name"], event.data["for"]) for event in audit} == {
        ("approve", "the boss"),
        ("review", "a reviewer"),
    }
    description = await parts.client.get_workflow_handle(str(job_id)).describe()
    assert not description.raw_description.pending_activities, "waiting holds no activity"

    await said(points, job_id, "approve", {"approved": True})
    await courier.turn()
    row = await parts.started(job_id, "approve", "completed")
    assert dict(steps_of(row))["review"] == "running"
    await said(points, job_id, "review", "fine")
    await courier.turn()
    row = await parts.ended(job_id)
    assert row.result["said"] == ["{'approved': True}", "fine", "told"]
    assert [step.attempt for step in row.steps] == [1, 1, 1]
    assert [event.data["by"] for event in await told(parts, job_id, "resolved")] == ["somebody"] * 2
    assert not await points.to_tell(10)


async def test_a_failure_may_be_isolated_and_is_told_once(parts: Parts, points: Waitpoints, courier: Courier) -> None:
    job_id = await waiting(parts, spared=True)
    await said(points, job_id, "approve", "yes")
    assert await points.resolve(waitpoint_of(job_id, "review"), "failed", error=NO, by="somebody")
    await courier.turn()
    row = await parts.ended(job_id)
    assert row.result["said"] == ["yes", "without: task_failed", "told"]
    assert steps_of(row) == [("approve", "completed"), ("review", "failed"), ("tell", "completed")]
    failed = [event.data for event in await told(parts, job_id, "step") if event.data["status"] == "failed"]
    assert [(data["name"], data["error"]["code"], data["error"]["step"]) for data in failed] == [
        ("review", "task_failed", "review")
    ]


async def test_a_failure_that_is_not_isolated_ends_the_job(parts: Parts, points: Waitpoints, courier: Courier) -> None:
    job_id = await waiting(parts)
    assert await points.resolve(waitpoint_of(job_id, "approve"), "failed", error=NO, by="somebody")
    await courier.turn()
    row = await parts.ended(job_id)
    assert row.status == Status.FAILED
    assert row.error == NO.model_copy(update={"step": "approve"})
    assert not await points.resolve(waitpoint_of(job_id, "review"), "completed", output="late", by="somebody")


async def test_nobody_says_anything_in_time(parts: Parts, points: Waitpoints) -> None:
    row = await parts.ended(await parts.submit("toy-approval", {"within": 300}))
    assert row.error is not None
    assert (row.status, row.error.code) == (Status.FAILED, "wait_timed_out")
    stands = {point.id: point.status for point in await points.of_job(row.id)}
    # the other wait began in the same moment or later: it may have been cut short
    assert stands[waitpoint_of(row.id, row.error.step or "")] == "timed_out"


async def test_an_answer_whose_signal_is_lost_counts_at_the_deadline(parts: Parts, points: Waitpoints) -> None:
    job_id = await parts.submit("toy-approval", {"within": 3000})

    async def opened() -> bool:
        return len(await points.of_job(job_id)) == 2

    await until(opened)
    for step in ("approve", "review"):
        await said(points, job_id, step, "yes")
    await points.told([point.id for point in await points.of_job(job_id)])
    row = await parts.ended(job_id)
    assert row.result["said"] == ["yes", "yes", "told"]


async def test_signals_that_mean_nothing_change_nothing(parts: Parts, points: Waitpoints, courier: Courier) -> None:
    job_id = await waiting(parts)
    handle = parts.client.get_workflow_handle(str(job_id))
    for stray in (waitpoint_of(job_id, "approve"), waitpoint_of(job_id, "nothing"), job_id):
        await handle.signal(RESOLVED, stray)
    for step in ("approve", "review"):
        await said(points, job_id, step, "yes")
    for _ in range(2):
        await points.tell_later([point.id for point in await points.of_job(job_id)], 0)
        await courier.turn()
    assert (await parts.ended(job_id)).result["said"] == ["yes", "yes", "told"]


async def test_a_cancel_ends_the_wait(parts: Parts, points: Waitpoints, courier: Courier) -> None:
    job_id = await waiting(parts)
    assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
    row = await parts.ended(job_id)
    assert row.status == Status.CANCELED
    live = await live_progress(parts.client, job_id)
    assert [step["status"] for step in live["steps"]] == [step.status for step in row.steps if step.name != "tell"] + [
        "pending"
    ]
    assert {point.status for point in await points.of_job(job_id)} == {"canceled"}
    assert not await points.resolve(waitpoint_of(job_id, "approve"), "completed", output="late", by="somebody")


async def test_an_answer_to_a_job_that_the_engine_has_lost_is_not_carried_for_ever(
    parts: Parts, points: Waitpoints, courier: Courier
) -> None:
    job_id = await waiting(parts)
    await said(points, job_id, "approve", "yes")
    await parts.client.get_workflow_handle(str(job_id)).terminate()
    assert not await courier.turn()
    [again] = await parts.database.fetch(
        "SELECT tell_after - now() > interval '20 s' AS later FROM waitpoints WHERE job_id = $1 AND tell_after > now()",
        job_id,
    )
    assert again["later"]
    await parts.database.execute("UPDATE waitpoints SET tell_after = now() WHERE job_id = $1", job_id)
    await parts.database.execute("UPDATE jobs SET status = 'canceled', finished_at = now() WHERE id = $1", job_id)
    await courier.turn()
    assert not await parts.database.fetch("SELECT FROM waitpoints WHERE tell_after IS NOT NULL")
