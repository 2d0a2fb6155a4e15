"""A schedule's firings: an ordinary job each, on which overlap acts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Replayer

from domain.job import Status
from domain.schedule import ScheduleRequest
from engine.plugin import plugin
from ledger.jobs import JobFilter
from ledger.rows import JobRow
from ledger.schedules import ScheduleRow
from tests.support.stack_parts import Parts, until
from tests.support.toys import Toys
from workflows.firing import FireSchedule

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEVER = "0 0 1 1 *"


class Gate:
    """What a toy waits for."""

    def __init__(self) -> None:
        self.entered, self.open = asyncio.Event(), asyncio.Event()

    async def reached(self) -> None:
        # as long as for a job that is to be there: see Clock.count
        async with asyncio.timeout(60):
            await self.entered.wait()

    async def __call__(self) -> str:
        self.entered.set()
        await self.open.wait()
        return "said one"


class Clock:
    """A schedule that fires when the test says so."""

    def __init__(self, parts: Parts, row: ScheduleRow) -> None:
        self.parts, self.row, self._second = parts, row, 0

    async def fire(self) -> None:
        # the engine names a firing by its second, and takes two of one second for one
        while int(time.time()) == self._second:
            await asyncio.sleep(0.05)
        self._second = int(time.time())
        await self.parts.scheduling.trigger(self.row)

    async def now(self) -> ScheduleRow:
        row = await self.parts.schedules.get(self.row.id)
        assert row is not None
        return row

    async def jobs(self) -> list[JobRow]:
        """Oldest first."""
        return list(reversed(await self.parts.jobs.list(JobFilter(schedule_id=self.row.id))))

    async def count(self, number: int) -> list[JobRow]:
        async def enough() -> bool:
            return len(await self.jobs()) >= number

        # where a namespace is new, the engine may begin its schedules' worker anew in the middle of a test
        await until(enough, 60)
        return await self.jobs()

    async def idle(self) -> None:
        """Wait until the engine takes no job of this schedule for running."""

        async def none() -> bool:
            return not (await self.actions()).running_actions

        await until(none)

    async def actions(self) -> Any:
        return (await self.parts.client.get_schedule_handle(self.row.id).describe()).info

    async def firing_of(self, job_id: UUID) -> str:
        row = await self.parts.database.row("SELECT workflow_id FROM schedule_firings WHERE job_id = $1", job_id)
        assert row is not None
        return row["workflow_id"]

    async def firing_ended(self, job_id: UUID) -> WorkflowExecutionStatus | None:
        handle = self.parts.client.get_workflow_handle(await self.firing_of(job_id))

        async def over() -> bool:
            return (await handle.describe()).close_time is not None

        await until(over)
        return (await handle.describe()).status

    async def replayed(self, job_id: UUID) -> None:
        """A worker that has forgotten the firing would do the same again."""
        history = await self.parts.client.get_workflow_handle(await self.firing_of(job_id)).fetch_history()
        await Replayer(workflows=[FireSchedule], plugins=[plugin()]).replay_workflow(history)


Wind = Callable[..., Awaitable[Clock]]


@pytest.fixture
def wind(parts: Parts, toys: Toys) -> Wind:
    async def make(kind: str = "toy", payload: dict[str, Any] | None = None, **asked: Any) -> Clock:
        body = {"jobType": kind, "payload": payload or {}, "cron": NEVER, **asked}
        row, _ = await parts.scheduling.create(ScheduleRequest.model_validate(body))
        return Clock(parts, row)

    return make


async def test_a_firing_is_an_ordinary_job_with_what_was_asked(parts: Parts, wind: Wind) -> None:
    options = {"owner": "alice", "tier": "premium", "tags": ["nightly"], "metadata": {"n": 1}, "maxDuration": 60}
    clock = await wind(payload={"skip": ["two"]}, options=options)
    await clock.fire()
    [job] = await clock.count(1)
    row = await parts.ended(job.id)
    assert (row.status, row.kind, row.owner, row.tier) == (Status.COMPLETED, "toy", "alice", "premium")
    assert (row.schedule_id, row.parent_id, row.payload) == (clock.row.id, None, {"skip": ["two"]})
    assert (row.tags, row.metadata, row.max_duration_seconds) == (("nightly",), {"n": 1}, 60)
    assert [step.status for step in row.steps] == ["completed", "skipped", "completed"]
    assert await clock.firing_ended(job.id) == WorkflowExecutionStatus.COMPLETED
    await clock.replayed(job.id)
    now = await clock.now()
    assert (now.last_job_id, now.last_error) == (job.id, None)
    assert now.last_fired_at is not None


async def test_a_firing_takes_no_place_of_other_jobs(parts: Parts, wind: Wind, toys: Toys) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind()
    await clock.fire()
    await gate.reached()
    [job] = await clock.jobs()
    row = await parts.database.row("SELECT claimed_until, fair_rank FROM jobs WHERE id = $1", job.id)
    assert row is not None
    assert row["claimed_until"] is None
    gate.open.set()
    await parts.ended(job.id)


async def test_skip_leaves_out_what_comes_while_the_job_runs(parts: Parts, wind: Wind, toys: Toys) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind(overlap="skip")
    await clock.fire()
    await gate.reached()
    await clock.fire()

    async def skipped() -> bool:
        return (await clock.actions()).num_actions_skipped_overlap == 1

    await until(skipped)
    gate.open.set()
    [job] = await clock.jobs()
    assert (await parts.ended(job.id)).status == Status.COMPLETED
    await clock.firing_ended(job.id)
    await clock.idle()
    await clock.fire()
    _, again = await clock.count(2)
    await parts.ended(again.id)


async def test_cancel_other_cancels_the_job_that_runs(parts: Parts, wind: Wind, toys: Toys) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind(overlap="cancel_other")
    await clock.fire()
    await gate.reached()
    await clock.fire()
    first, second = await clock.count(2)
    row = await parts.ended(first.id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, f"schedule:{clock.row.id}")
    await until(lambda: _true(toys.canceled))
    assert await clock.firing_ended(first.id) == WorkflowExecutionStatus.CANCELED
    await clock.replayed(first.id)
    assert (await parts.ended(second.id)).status == Status.COMPLETED
    assert (await clock.now()).last_job_id == second.id


async def test_terminate_other_ends_the_job_too(parts: Parts, wind: Wind, toys: Toys) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind(overlap="terminate_other")
    await clock.fire()
    await gate.reached()
    await clock.fire()
    first, second = await clock.count(2)
    assert (await parts.ended(first.id)).status == Status.CANCELED
    assert await clock.firing_ended(first.id) == WorkflowExecutionStatus.TERMINATED
    assert (await parts.ended(second.id)).status == Status.COMPLETED


async def test_allow_all_lets_them_run_side_by_side(parts: Parts, wind: Wind, toys: Toys) -> None:
    gates = [Gate(), Gate()]
    toys.on("one", *gates)
    clock = await wind(overlap="allow_all")
    for gate in gates:
        await clock.fire()
        await gate.reached()
    jobs = await clock.jobs()
    for gate in gates:
        gate.open.set()
    assert [(await parts.ended(job.id)).status for job in jobs] == [Status.COMPLETED] * 2


@pytest.mark.parametrize(("overlap", "jobs"), [("buffer_one", 2), ("buffer_all", 3)])
async def test_a_buffer_keeps_what_comes_meanwhile(
    parts: Parts, wind: Wind, toys: Toys, overlap: str, jobs: int
) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind(overlap=overlap)
    await clock.fire()
    await gate.reached()
    await clock.fire()
    await clock.fire()
    assert len(await clock.jobs()) == 1
    gate.open.set()
    for job in await clock.count(jobs):
        assert (await parts.ended(job.id)).status == Status.COMPLETED

    async def settled() -> bool:
        info = await clock.actions()
        return info.num_actions == jobs and not info.running_actions

    await until(settled)
    assert len(await clock.jobs()) == jobs


async def test_a_job_canceled_by_its_id_ends_its_firing(parts: Parts, wind: Wind, toys: Toys) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind()
    await clock.fire()
    await gate.reached()
    [job] = await clock.jobs()
    assert await parts.jobs.cancel(job.id, reason="not today", by="somebody")
    row = await parts.ended(job.id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "somebody")
    assert await clock.firing_ended(job.id) == WorkflowExecutionStatus.FAILED


async def test_a_job_terminated_from_outside_is_closed_at_once(parts: Parts, wind: Wind, toys: Toys) -> None:
    gate = Gate()
    toys.on("one", gate)
    clock = await wind()
    await clock.fire()
    await gate.reached()
    [job] = await clock.jobs()
    await parts.client.get_workflow_handle(str(job.id)).terminate()
    row = await parts.ended(job.id)
    assert (row.status, row.error and row.error.code) == (Status.CANCELED, "terminated")
    gate.open.set()


async def test_a_payload_that_no_longer_fits_stands_in_the_schedules_state(parts: Parts, wind: Wind) -> None:
    clock = await wind(payload={"skip": ["two"]})
    await parts.database.execute(
        "UPDATE schedules SET payload = $2 WHERE id = $1", clock.row.id, {"skip": "two", "unheard": "of"}
    )
    await clock.fire()
    await until(lambda: _refused(clock))
    now = await clock.now()
    assert now.last_error is not None
    assert now.last_error.code == "invalid_payload"
    assert "/payload/skip" in now.last_error.message
    assert now.last_job_id is None
    assert await clock.jobs() == []
    row = await parts.database.row("SELECT job_id FROM schedule_firings WHERE schedule_id = $1", clock.row.id)
    assert row is not None
    assert await clock.firing_ended(row["job_id"]) == WorkflowExecutionStatus.FAILED
    history = await parts.client.get_workflow_handle(await clock.firing_of(row["job_id"])).fetch_history()
    assert len(history.events) < 10, "it is refused once"


async def test_a_kind_that_is_gone_is_told_and_a_good_firing_clears_it(parts: Parts, wind: Wind) -> None:
    clock = await wind()
    await parts.database.execute("UPDATE schedules SET kind = 'gone' WHERE id = $1", clock.row.id)
    await clock.fire()
    await until(lambda: _refused(clock))
    error = (await clock.now()).last_error
    assert error is not None
    assert error.code == "unknown_kind"
    await parts.database.execute("UPDATE schedules SET kind = 'toy' WHERE id = $1", clock.row.id)
    await clock.fire()
    [job] = await clock.count(1)
    await parts.ended(job.id)
    now = await clock.now()
    assert (now.last_job_id, now.last_error) == (job.id, None)


async def test_what_fires_without_a_schedule_here_ends_and_opens_nothing(parts: Parts, wind: Wind) -> None:
    clock = await wind()
    await parts.schedules.delete(clock.row.id)
    await parts.client.get_schedule_handle(clock.row.id).trigger()

    async def fired() -> bool:
        return bool((await clock.actions()).recent_actions)

    await until(fired)
    [done] = (await clock.actions()).recent_actions
    handle = parts.client.get_workflow_handle(done.action.workflow_id)

    async def over() -> bool:
        return (await handle.describe()).close_time is not None

    await until(over)
    assert (await handle.describe()).status == WorkflowExecutionStatus.FAILED
    assert await clock.jobs() == []


async def _true(holds: object) -> bool:
    return bool(holds)


async def _refused(clock: Clock) -> bool:
    return (await clock.now()).last_error is not None
