"""Cancels that find nobody to obey them, and those asked while the engine is away."""

import asyncio
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.errors import EngineUnavailable
from domain.job import Outcome, Status
from engine.connect import connect
from engine.dispatcher import Dispatcher
from engine.grace import Grace
from engine.plugin import plugin
from engine.submit import Submission
from ledger.cancels import Cancels
from ledger.rows import JobRow
from local import ports
from tests.support.proxy import TcpProxy
from tests.support.stack_parts import Parts, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def grace(parts: Parts, seconds: float = 30.0) -> Grace:
    return Grace(parts.client, Cancels(parts.database), parts.jobs, seconds=seconds)


async def cancel(parts: Parts, job_id: UUID) -> None:
    """Ask, as if some seconds ago."""
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    await parts.database.execute(
        """UPDATE jobs SET cancel_requested_at = cancel_requested_at - interval '5 seconds',
            claimed_until = claimed_until - interval '1 minute' WHERE id = $1""",
        job_id,
    )


async def in_engine(parts: Parts, kind: str = "toy") -> UUID:
    job_id = await parts.submit(kind)
    await parts.dispatcher.turn()
    return job_id


async def test_a_cancel_of_what_was_terminated_meanwhile_ends_the_job(parts: Parts) -> None:
    job_id = await in_engine(parts)
    await parts.client.get_workflow_handle(str(job_id)).terminate()
    await cancel(parts, job_id)
    await parts.dispatcher.turn()
    assert (await parts.row(job_id)).status == Status.QUEUED

    async def looked_at() -> bool:
        # the engine takes such a cancel as if it mattered; it is looked at from two to five seconds later
        await parts.database.execute("UPDATE jobs SET cancel_sent_at = now() - interval '3 s' WHERE id = $1", job_id)
        await grace(parts).turn()
        return (await parts.row(job_id)).status.terminal

    await until(looked_at)
    row = await parts.row(job_id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice")
    assert row.error is not None
    assert row.error.code == "terminated"


async def test_a_cancel_of_what_the_engine_has_lost_ends_the_job(parts: Parts) -> None:
    job_id = await parts.submit("toy")
    await parts.dispatch.claim(1)
    await parts.dispatch.started([job_id])
    await cancel(parts, job_id)
    await grace(parts).turn()
    row = await parts.row(job_id)
    assert (row.status, row.error) == (Status.CANCELED, None)


async def test_a_job_whose_claim_ran_out_need_not_be_admitted_to_be_canceled(parts: Parts) -> None:
    """Its kind may be paused or full: the dispatcher will not come for it."""
    job_id = await parts.submit("toy")
    await parts.dispatch.claim(1)
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    await grace(parts).turn()
    assert (await parts.row(job_id)).status == Status.QUEUED, "somebody may be starting it"
    await parts.database.execute("UPDATE jobs SET claimed_until = now() - interval '1 minute' WHERE id = $1", job_id)
    await grace(parts).turn()
    assert (await parts.row(job_id)).status == Status.CANCELED


async def family(parts: Parts) -> tuple[UUID, UUID]:
    """A job and one inside it whose execution has not begun."""
    parent = await in_engine(parts, "toy-parent")
    [opened] = await parts.submitter.submit([Submission("toy", {})], child_of=parent)
    return parent, opened.id


async def test_a_child_that_never_began_ends_with_its_parent(parts: Parts) -> None:
    parent, child = await family(parts)
    await parts.jobs.finish(Outcome(job_id=parent, status=Status.CANCELED), canceled_by="alice")
    async with parts.dispatching(), grace(parts).running():
        row = await parts.ended(child)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "longrun")
    [asked] = [event.data for event in await parts.events.after(child) if event.type == "cancel_requested"]
    assert asked["reason"] == "the job that it was part of has ended"


async def test_a_child_whose_parent_may_yet_start_it_is_left_alone(parts: Parts) -> None:
    _, child = await family(parts)
    await cancel(parts, child)
    await grace(parts).turn()
    assert (await parts.row(child)).status == Status.QUEUED


async def deaf(parts: Parts) -> UUID:
    """A job whose cancel the engine has taken, and which nobody works on."""
    job_id = await in_engine(parts)
    await cancel(parts, job_id)
    await parts.dispatcher.turn()
    return job_id


async def test_the_grace_is_waited_for(parts: Parts) -> None:
    job_id = await deaf(parts)
    await grace(parts).turn()
    assert (await parts.row(job_id)).status == Status.QUEUED
    await grace(parts, 0).turn()
    row = await parts.row(job_id)
    assert row.error is not None
    assert (row.status, row.error.code) == (Status.CANCELED, "terminated")
    assert row.error.message == "the job did not end within 0 s of its cancel and was terminated"
    assert await parts.closed(job_id) == WorkflowExecutionStatus.TERMINATED


async def test_a_crash_between_engine_and_ledger_is_made_good(parts: Parts) -> None:
    job_id = await deaf(parts)
    await parts.client.get_workflow_handle(str(job_id)).terminate(reason="and then the process died")
    await grace(parts, 0).turn()
    row = await parts.row(job_id)
    assert row.error is not None
    assert (row.status, row.error.code) == (Status.CANCELED, "terminated")


async def test_several_at_once_end_a_job_once(parts: Parts) -> None:
    job_id = await deaf(parts)
    await asyncio.gather(*(grace(parts, 0).turn() for _ in range(4)))
    told = [event.data.get("status") for event in await parts.events.after(job_id)]
    assert told == ["queued", None, "canceled"]


async def test_without_an_engine_nothing_is_ended_or_forgotten(parts: Parts) -> None:
    job_id = await deaf(parts)
    nowhere = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free()}"}, plugin())
    with pytest.raises(EngineUnavailable):
        await Grace(nowhere, Cancels(parts.database), parts.jobs, seconds=0).turn()
    assert (await parts.row(job_id)).status == Status.QUEUED
    await grace(parts, 0).turn()
    assert (await parts.row(job_id)).status == Status.CANCELED


async def test_one_that_cannot_be_ended_keeps_no_other_from_it(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = await deaf(parts), await deaf(parts)
    await parts.database.execute("UPDATE jobs SET cancel_requested_at = now() - interval '1 hour' WHERE id = $1", bad)
    finish = parts.jobs.finish

    async def fail_at_bad(outcome: Outcome, *, canceled_by: str | None = None) -> object:
        if outcome.job_id == bad:
            raise ValueError("this row is broken")
        return await finish(outcome, canceled_by=canceled_by)

    monkeypatch.setattr(parts.jobs, "finish", fail_at_bad)
    await grace(parts, 0).turn()
    assert (await parts.row(good)).status == Status.CANCELED


async def canceled(parts: Parts, job_id: UUID) -> JobRow:
    row = await parts.ended(job_id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice")
    return row


async def test_a_cancel_before_the_first_task_waits_for_a_worker(parts: Parts) -> None:
    job_id = await in_engine(parts)
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    await parts.dispatcher.turn()
    assert (await parts.row(job_id)).status == Status.QUEUED
    async with parts.working():
        row = await canceled(parts, job_id)
    assert (row.started_at, [step.status for step in row.steps]) == (None, ["skipped"] * 3)
    assert await parts.closed(job_id) == WorkflowExecutionStatus.CANCELED


async def test_a_cancel_is_remembered_while_the_engine_is_away(parts: Parts) -> None:
    job_id = await in_engine(parts)
    host, port = parts.engine_env["TEMPORAL_ADDRESS"].split(":")
    async with TcpProxy(host, int(port)) as proxy:
        far = await connect({**parts.engine_env, "TEMPORAL_ADDRESS": f"127.0.0.1:{proxy.port}"}, plugin())
        dispatcher = Dispatcher(far, parts.dispatch, parts.jobs, parts.notices)
        async with parts.notices.listening(), dispatcher.running():
            proxy.refuse()
            assert await parts.jobs.cancel(job_id, reason=None, by="alice")
            # asked in vain: the row is kept for another time
            await until(lambda: holds(parts, job_id, "claimed_until > engine_started_at + interval '1 second'"))
            assert (await parts.row(job_id)).status == Status.QUEUED
            await proxy.release()
            await until(lambda: holds(parts, job_id, "cancel_sent_at IS NOT NULL"))
    async with parts.working():
        await canceled(parts, job_id)


async def holds(parts: Parts, job_id: UUID, condition: str) -> bool:
    row = await parts.database.row(f"SELECT {condition} AS holds FROM jobs WHERE id = $1", job_id)
    return bool(row and row["holds"])
