"""The ledger goes away in the middle of a job and comes back: nothing is lost, nothing is done twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import pytest_asyncio
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowExecutionStatus

from domain.errors import VendorError
from domain.job import Status
from ledger.database import Database
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.proxy import TcpProxy
from tests.support.stack_parts import Parts, stack, steps_of
from tests.support.toys import Toys

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL_DONE = [("one", "completed"), ("two", "completed"), ("three", "completed")]
FINISH = b'"said":["said one"'


@asynccontextmanager
async def far_stack(
    url: str, engine: dict[str, str], toys: Toys, proxy: TcpProxy, patience: float
) -> AsyncGenerator[Parts]:
    """A worker that reaches its ledger through the proxy; the test and the dispatcher reach it directly."""
    database = Database(url)
    opened = stack(database, engine, [toys.work], worker_url=proxy.url(url), ledger_patience=patience)
    async with opened as parts, parts.working(), parts.dispatching():
        yield parts
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(postgres_url: str) -> AsyncGenerator[TcpProxy]:
    async with TcpProxy.to(postgres_url) as proxy:
        yield proxy


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def passing(proxy: TcpProxy) -> AsyncGenerator[None]:
    """Whatever a test does to the proxy ends with it."""
    yield
    await proxy.release()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(
    postgres_url: str, template: str, temporal_address: str, played: Toys, proxy: TcpProxy
) -> AsyncGenerator[Parts]:
    engine = await own_namespace(temporal_address)
    async with cloned(postgres_url, template) as url, far_stack(url, engine, played, proxy, 30.0) as parts:
        yield parts


def writing(job_id: UUID, activity_id: str) -> bytes:
    """How the parameters of a step's start and end begin on the wire: job, activity id."""
    return job_id.bytes + len(activity_id).to_bytes(4) + activity_id.encode()


def starting(job_id: UUID, activity_id: str) -> bytes:
    """A start's: the step's name comes next."""
    name = len(activity_id).to_bytes(4) + activity_id.encode()
    return job_id.bytes + name + name


def scheduled(event: HistoryEvent, activity: str) -> bool:
    """As an ordinary activity."""
    return event.activity_task_scheduled_event_attributes.activity_type.name == activity


class Gate:
    """A call of an activity that waits until it may answer."""

    def __init__(self, toys: Toys, activity_id: str) -> None:
        self.entered, self._open = asyncio.Event(), asyncio.Event()
        self._said = f"said {activity_id}"
        toys.on(activity_id, self._wait)

    async def _wait(self) -> str:
        self.entered.set()
        await self._open.wait()
        return self._said

    def open(self) -> None:
        self._open.set()


async def test_an_end_waits_for_the_ledger_with_the_answer_in_hand(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    gate = Gate(toys, "two")
    job_id = await parts.submit("toy")
    await gate.entered.wait()
    proxy.refuse()
    gate.open()
    await asyncio.sleep(0.5)  # the time of the outage, not of a wait for something
    assert (await parts.row(job_id)).steps[1].status == "running"
    await proxy.release()
    row = await parts.ended(job_id)
    assert (row.status, steps_of(row)) == (Status.COMPLETED, ALL_DONE)
    assert toys.calls == ["one", "two", "three"]
    assert toys.deliveries["two"] == 1


async def test_a_start_waits_for_the_ledger_before_any_work(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    gate = Gate(toys, "one")
    job_id = await parts.submit("toy")
    held = proxy.hold_at(starting(job_id, "two"))
    await gate.entered.wait()
    gate.open()
    await held.wait()
    assert toys.calls == ["one"]
    proxy.refuse()
    await proxy.release()
    row = await parts.ended(job_id)
    assert (row.status, steps_of(row)) == (Status.COMPLETED, ALL_DONE)
    assert toys.calls == ["one", "two", "three"]


async def test_a_start_whose_answer_was_lost_runs_once(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    gate = Gate(toys, "one")
    job_id = await parts.submit("toy")
    await gate.entered.wait()
    lost = proxy.drop_next_answer_after(starting(job_id, "two"))
    gate.open()
    row = await parts.ended(job_id)
    assert lost.is_set()
    assert (row.status, steps_of(row)) == (Status.COMPLETED, ALL_DONE)
    assert toys.calls == ["one", "two", "three"]


async def test_an_end_whose_answer_was_lost_is_written_once(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    gate = Gate(toys, "two")
    job_id = await parts.submit("toy")
    await gate.entered.wait()
    lost = proxy.drop_next_answer_after(writing(job_id, "two"))
    gate.open()
    row = await parts.ended(job_id)
    assert lost.is_set()
    assert row.status == Status.COMPLETED
    assert toys.calls == ["one", "two", "three"]
    told = [(event.data.get("name"), event.data["status"]) for event in await parts.events.after(job_id)]
    assert told.count(("two", "completed")) == 1


async def test_a_failure_whose_answer_was_lost_counts_once_and_is_tried_again(
    parts: Parts, toys: Toys, proxy: TcpProxy
) -> None:
    gate = asyncio.Event()

    async def fail() -> str:
        await gate.wait()
        raise VendorError("no answer")

    toys.on("two", fail)
    job_id = await parts.submit("toy")
    await parts.started(job_id, "two")
    lost = proxy.drop_next_answer_after(writing(job_id, "two"))
    gate.set()
    row = await parts.ended(job_id)
    assert lost.is_set()
    assert (row.status, row.steps[1].attempt) == (Status.COMPLETED, 2)
    assert toys.calls == ["one", "two", "two", "three"]


@pytest.mark.parametrize("lose", [FINISH, b"COMMIT"])
async def test_the_end_of_a_job_is_written_whatever_was_lost(
    parts: Parts, toys: Toys, proxy: TcpProxy, lose: bytes
) -> None:
    gate = Gate(toys, "three")
    job_id = await parts.submit("toy")
    await gate.entered.wait()
    lost = proxy.drop_next_answer_after(lose)
    gate.open()
    row = await parts.ended(job_id)
    assert lost.is_set()
    assert row.status == Status.COMPLETED
    assert await parts.closed(job_id) == WorkflowExecutionStatus.COMPLETED
    assert [event.data["status"] for event in await parts.events.after(job_id)].count("completed") == 4


async def test_a_cancel_that_comes_while_the_end_waits_loses_neither(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    """The work was done when the cancel came: the end that was on its way is written, and the workflow ends so."""
    held = proxy.hold_at(FINISH)
    job_id = await parts.submit("toy")
    await held.wait()
    proxy.refuse()
    assert await parts.jobs.cancel(job_id, reason=None, by="alice")
    asked = "workflow_execution_cancel_requested_event_attributes"
    await parts.happened(job_id, lambda event: event.HasField(asked))
    await proxy.release()
    assert await parts.closed(job_id) == WorkflowExecutionStatus.COMPLETED
    row = await parts.row(job_id)
    assert (row.status, row.result["said"]) == (Status.COMPLETED, ["said one", "said two", "said three"])


async def test_an_end_outlives_a_long_outage(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    """Once as a local activity, then as an ordinary one, for as long as it takes."""
    held = proxy.hold_at(FINISH)
    job_id = await parts.submit("toy")
    await held.wait()
    proxy.refuse()
    await parts.happened(job_id, lambda event: scheduled(event, "finish"))
    assert (await parts.row(job_id)).status == Status.RUNNING
    await proxy.release()
    row = await parts.ended(job_id)
    assert row.status == Status.COMPLETED
    assert toys.calls == ["one", "two", "three"]


async def test_a_stored_end_is_answered_and_not_run_again(
    postgres_url: str, template: str, temporal_address: str, toys: Toys, proxy: TcpProxy
) -> None:
    """A worker without patience gives the delivery up although its end was committed; the next one finds it."""
    engine = await own_namespace(temporal_address)
    async with cloned(postgres_url, template) as url, far_stack(url, engine, toys, proxy, 0.0) as parts:
        gate = Gate(toys, "two")
        job_id = await parts.submit("toy")
        await gate.entered.wait()
        lost = proxy.drop_next_answer_after(writing(job_id, "two"))
        gate.open()
        row = await parts.ended(job_id)
        assert lost.is_set()
        assert (row.status, row.result["said"]) == (Status.COMPLETED, ["said one", "said two", "said three"])
        assert toys.calls == ["one", "two", "three"]


async def test_a_note_outlives_an_outage(parts: Parts, toys: Toys, proxy: TcpProxy) -> None:
    gate = Gate(toys, "one")
    job_id = await parts.submit("toy", {"skip": ["two"]})
    await gate.entered.wait()
    held = proxy.hold_at(starting(job_id, "two"))
    gate.open()
    await held.wait()
    proxy.refuse()
    await parts.happened(job_id, lambda event: scheduled(event, "note"))
    await proxy.release()
    row = await parts.ended(job_id)
    assert (row.status, steps_of(row)[1]) == (Status.COMPLETED, ("two", "skipped"))
