"""A cancel at every moment of a job's life: what runs is stopped within two seconds, the job ends within five."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus

from domain.errors import VendorError
from domain.job import Outcome, Status
from engine.grace import Grace
from engine.query import live_progress
from ledger.cancels import Cancels
from ledger.database import Database
from ledger.jobs import JobFilter
from ledger.rows import JobRow
from tests.conftest import own_namespace
from tests.ledger.book import new_job
from tests.support import stubborn
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack, steps_of, toy_kinds, until
from tests.support.toys import ParentRequest, ToyRequest, ToyResult, Toys
from workflows.kind import Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")
GRACE, LONG = 0.5, 30.0
STOPPED, ENDED = 2.0, 5.0


def kinds() -> tuple[Kind, ...]:
    flows = (stubborn.Waiting, stubborn.Pausing, stubborn.Deaf, stubborn.DeafParent, stubborn.HardenedToy)
    names = ("toy-waiting", "toy-pausing", "toy-deaf", "toy-deaf-parent", "toy-hardened")
    own = [
        Kind(name, flow, ParentRequest if name == "toy-deaf-parent" else ToyRequest, ToyResult, title=lambda _: "Wait")
        for name, flow in zip(names, flows, strict=True)
    ]
    return (*toy_kinds(), *own)


@pytest.fixture(scope="module")
def hardened() -> stubborn.Hardened:
    return stubborn.Hardened()


class Patience(Grace):
    """A grace whose seconds a test may change."""

    def last(self, seconds: float) -> None:
        self._grace = timedelta(seconds=seconds)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    postgres_url: str, template: str, temporal_address: str, played: Toys, hardened: stubborn.Hardened
) -> AsyncGenerator[tuple[Parts, Patience]]:
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        async with stack(database, engine, [played.work, hardened.work], kinds=kinds()) as parts:
            # who obeys has the time that it has in the product
            grace = Patience(parts.client, Cancels(database), parts.jobs, seconds=LONG)
            async with parts.working(), parts.dispatching(), grace.running():
                yield parts, grace
        await database.close()


@pytest.fixture
def parts(made: tuple[Parts, Patience]) -> Parts:
    return made[0]


@pytest.fixture
def hasty(made: tuple[Parts, Patience]) -> Generator[None]:
    """Who does not obey is soon terminated."""
    made[1].last(GRACE)
    yield
    made[1].last(LONG)


async def canceled(parts: Parts, job_id: UUID) -> JobRow:
    """Cancel the job; its row once it has ended in time."""
    assert await parts.jobs.cancel(job_id, reason="enough", by="alice")
    row = await parts.ended(job_id, ENDED)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice")
    return row


async def stopped(toys: Toys, activity_id: str, asked: float) -> None:
    """The activity has heard of the cancel in time."""
    while toys.canceled != [activity_id]:
        assert time.monotonic() - asked < STOPPED, "the activity goes on"
        await asyncio.sleep(0.01)


async def hang(toys: Toys, activity_id: str) -> None:
    toys.on(activity_id, asyncio.Event().wait)  # pyright: ignore[reportArgumentType]


async def hanging(toys: Toys, activity_id: str) -> None:
    """Wait until the call has begun: its step is noted before that."""

    async def begun() -> bool:
        return activity_id in toys.calls

    await until(begun)


async def past(parts: Parts, job_id: UUID, step: str) -> None:
    """Wait until the workflow knows that the step is over: the ledger knows it earlier."""

    async def told() -> bool:
        live = await live_progress(parts.client, job_id)
        return (step, "completed") in [(one["name"], one["status"]) for one in live["steps"]]

    await until(told)


async def test_delayed(parts: Parts, toys: Toys) -> None:
    [opened] = await parts.jobs.open([new_job(not_before=datetime.now(UTC) + timedelta(hours=1))])
    assert (await parts.row(opened.id)).status == Status.DELAYED
    assert await parts.jobs.cancel(opened.id, reason="enough", by="alice")
    row = await parts.row(opened.id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice"), "at once"
    assert (row.engine_started_at, toys.calls) == (None, [])


async def test_in_the_middle_of_a_step(parts: Parts, toys: Toys) -> None:
    await hang(toys, "two")
    job_id = await parts.submit("toy")
    await parts.started(job_id, "two")
    await hanging(toys, "two")
    asked = time.monotonic()
    row = await canceled(parts, job_id)
    await stopped(toys, "two", asked)
    assert steps_of(row) == [("one", "completed"), ("two", "failed"), ("three", "skipped")]
    assert row.steps[1].error
    assert row.steps[1].error.code == "canceled"
    assert row.error is None
    assert await parts.closed(job_id) == WorkflowExecutionStatus.CANCELED


async def test_between_the_written_end_and_the_engines_word_of_it(parts: Parts, toys: Toys) -> None:
    await hang(toys, "two")
    job_id = await parts.submit("toy")
    await parts.started(job_id, "two")
    result = {"said": ["as", "it", "was"]}
    await parts.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result=result))
    execution = parts.client.get_workflow_handle(str(job_id))
    await execution.cancel()
    assert await execution.result() == result
    assert (await parts.row(job_id)).status == Status.COMPLETED


async def test_in_the_back_off_before_another_attempt(parts: Parts, toys: Toys) -> None:
    toys.on("two", VendorError("no answer"))
    job_id = await parts.submit("toy", retry={"minTimeoutInMs": 600_000, "maxTimeoutInMs": 600_000})
    await parts.started(job_id, "two", "retrying")
    row = await canceled(parts, job_id)
    assert steps_of(row)[1:] == [("two", "failed"), ("three", "skipped")]
    assert toys.calls == ["one", "two"]


@pytest.mark.parametrize(
    ("kind", "step"), [("toy-waiting", "one"), ("toy-pausing", "round")], ids=["for-a-word-from-outside", "in-a-pause"]
)
async def test_while_it_waits_between_steps(parts: Parts, toys: Toys, kind: str, step: str) -> None:
    job_id = await parts.submit(kind)
    await parts.started(job_id, step, "completed")
    row = await canceled(parts, job_id)
    assert steps_of(row)[0] == (step, "completed")
    assert toys.calls == [step]
    assert await parts.closed(job_id) == WorkflowExecutionStatus.CANCELED


async def test_with_jobs_inside_it(parts: Parts, toys: Toys) -> None:
    await hang(toys, "two")
    job_id = await parts.submit("toy-parent")
    [child] = await children(parts, job_id)
    await parts.started(child.id, "two")
    await hanging(toys, "two")
    asked = time.monotonic()
    await canceled(parts, job_id)
    assert (await parts.ended(child.id, ENDED)).status == Status.CANCELED
    await stopped(toys, "two", asked)


async def children(parts: Parts, job_id: UUID) -> list[JobRow]:
    async def found() -> list[JobRow]:
        return list(await parts.jobs.list(JobFilter(parent_id=job_id)))

    return await until(found)


async def test_again_and_again(parts: Parts, toys: Toys) -> None:
    await hang(toys, "one")
    job_id = await parts.submit("toy")
    await parts.started(job_id, "one")
    asked = await asyncio.gather(*(parts.jobs.cancel(job_id, reason=None, by=f"user {n}") for n in range(8)))
    assert any(asked)
    row = await parts.ended(job_id, ENDED)
    assert not await parts.jobs.cancel(job_id, reason=None, by="bob")
    told = [event.data for event in await parts.events.after(job_id) if event.type == "cancel_requested"]
    assert [one["by"] for one in told] == [row.cancel_requested_by]


async def test_an_activity_that_does_not_obey_holds_up_no_job(parts: Parts, hardened: stubborn.Hardened) -> None:
    job_id = await parts.submit("toy-hardened")
    await parts.started(job_id, "one")
    await hardened.begun.wait()
    row = await canceled(parts, job_id)
    assert row.error is None
    while not hardened.asked:
        await asyncio.sleep(0.01)
    hardened.end.set()
    assert await parts.closed(job_id) == WorkflowExecutionStatus.CANCELED
    assert (await parts.row(job_id)).steps == row.steps


async def terminated(parts: Parts, job_id: UUID) -> JobRow:
    row = await parts.ended(job_id)
    assert (row.status, row.cancel_requested_by) == (Status.CANCELED, "alice")
    assert row.error is not None
    assert row.error.code == "terminated"
    assert row.error.message == "the job did not end within 0.5 s of its cancel and was terminated"
    assert await parts.closed(job_id) == WorkflowExecutionStatus.TERMINATED
    told: list[dict[str, Any]] = [event.data for event in await parts.events.after(job_id) if event.type == "job"]
    assert told[-1]["error"]["code"] == "terminated"
    return row


@pytest.mark.usefixtures("hasty")
async def test_a_workflow_that_does_not_obey_is_terminated_and_says_so(parts: Parts, toys: Toys) -> None:
    job_id = await parts.submit("toy-deaf")
    await parts.started(job_id, "one", "completed")
    await past(parts, job_id, "one")
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    row = await terminated(parts, job_id)
    assert row.finished_at
    sent = await parts.database.row("SELECT cancel_sent_at FROM jobs WHERE id = $1", job_id)
    assert sent
    assert row.finished_at - sent["cancel_sent_at"] >= timedelta(seconds=GRACE)


@pytest.mark.usefixtures("hasty")
async def test_what_runs_inside_it_is_terminated_with_it(parts: Parts, toys: Toys) -> None:
    job_id = await parts.submit("toy-deaf-parent")
    [child] = await children(parts, job_id)
    await parts.started(child.id, "one", "completed")
    await past(parts, child.id, "one")
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    await terminated(parts, job_id)
    await terminated(parts, child.id)


async def test_a_job_that_obeys_is_left_alone(parts: Parts, toys: Toys) -> None:
    """Also one that nobody canceled, however long it runs."""
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "said one"

    toys.on("one", wait)
    job_id = await parts.submit("toy")
    await parts.started(job_id, "one")
    await Grace(parts.client, Cancels(parts.database), parts.jobs, seconds=0).turn()
    gate.set()
    assert (await parts.ended(job_id)).status == Status.COMPLETED
