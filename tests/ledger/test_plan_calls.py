"""What the ledger keeps of the steps of plans: each call noted before it is made, and what it brought."""

from typing import Any
from uuid import UUID

import pytest

from domain.errors import JobClosed
from domain.job import Failure, Status
from domain.plan import KIND, PlanResult
from domain.tool_use import ToolUse
from ledger.plans import Begun, Call, Plans
from ledger.users import Users
from tests.ledger.book import Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO = Failure(code="http_503", message="not now")
PAYLOAD = {"workflowName": "w", "steps": [{"name": "one", "description": "d", "tool": "calculate"}, {"name": "two"}]}


@pytest.fixture
def plans(book: Book) -> Plans:
    return Plans(book.database)


async def running(book: Book, **given: Any) -> UUID:
    return await book.running(kind=KIND, payload=PAYLOAD, **given)


async def statuses(book: Book, job_id: UUID) -> list[tuple[int, str]]:
    rows = await book.database.fetch("SELECT attempt, status FROM plan_calls WHERE job_id = $1 ORDER BY 1", job_id)
    return [tuple(row.values()) for row in rows]


async def test_a_call_that_was_made_is_not_made_again(book: Book, plans: Plans) -> None:
    call = Call(await running(book), "one")
    assert await plans.begin(call, tool="t", given={"a": 1}, once=True) == Begun(1)
    await plans.end(call, 1, output={"b": 2})
    assert await plans.begin(call, tool="t", given={"a": 1}, once=True) == Begun(1, done=True)
    assert await statuses(book, call.job_id) == [(1, "done")]


async def test_one_that_changes_the_world_and_was_lost_is_told_first(book: Book, plans: Plans) -> None:
    call = Call(await running(book), "one")
    await plans.begin(call, tool="t", given=None, once=True)
    assert await plans.begin(call, tool="t", given=None, once=True) == Begun(1, lost=True)
    assert await plans.begin(call, tool="t", given=None, once=True) == Begun(2)
    await plans.end(call, 1, output="too late")
    await plans.end(call, 2, error=NO)
    assert await statuses(book, call.job_id) == [(1, "lost"), (2, "failed")]
    told = [event.data for event in await book.events.after(call.job_id) if event.type == "call"]
    assert [(one["attempt"], one["status"]) for one in told] == [(2, "failed")]


async def test_one_that_only_reads_is_made_again_at_once(book: Book, plans: Plans) -> None:
    call = Call(await running(book), "one")
    await plans.begin(call, tool="t", given=None, once=False)
    assert await plans.begin(call, tool="t", given=None, once=False) == Begun(2)


async def test_nothing_begins_in_a_job_that_has_ended(book: Book, plans: Plans) -> None:
    call = Call(await running(book), "one")
    await plans.begin(call, tool="t", given=None, once=True)
    await book.end(call.job_id, Status.CANCELED)
    with pytest.raises(JobClosed):
        await plans.begin(call, tool="t", given=None, once=True)
    with pytest.raises(JobClosed):
        await plans.ask(call.job_id, "one", [])
    await plans.end(call, 1, output=1)
    told = [event for event in await book.events.after(call.job_id) if event.type == "call"]
    assert not told, "after its end nothing more is told of a job"


async def test_what_a_model_asks_for_is_kept_in_its_order(book: Book, plans: Plans) -> None:
    job_id = await running(book)
    uses = [ToolUse(id=f"1.{at}", tool="t", arguments={"n": at}) for at in range(11)]
    for _ in range(2):
        await plans.ask(job_id, "two", uses)
    call = Call(job_id, "two", "1.10")
    await plans.begin(call, tool="t", given={"n": 10}, once=False)
    await plans.end(call, 1, output="ten")
    used = await plans.used(job_id, "two")
    assert [one.use for one in used] == uses
    assert [(one.status, one.output) for one in used[-2:]] == [("asked", None), ("done", "ten")]


async def test_outcomes_are_those_of_calls_and_of_waits(book: Book, plans: Plans) -> None:
    job_id = await running(book)
    await plans.begin(Call(job_id, "one"), tool="t", given={"x": 1}, once=False)
    await plans.end(Call(job_id, "one"), 1, output=[1, 2], answered_by="offline")
    assert (await plans.outcomes(job_id, ["one", "two"]))["one"].output is None, "the step has not ended"
    await book.steps.end(at(job_id), "completed", output="{}")
    await book.steps.start(at(job_id, activity_id="two"))
    await book.steps.end(at(job_id, activity_id="two"), "completed", output='{"output": "yes", "waiting": null}')
    found = await plans.outcomes(job_id, ["one", "two"])
    assert (found["one"].output, found["one"].answered_by) == ([1, 2], "offline")
    assert (found["two"].output, found["two"].answered_by) == ("yes", None)
    one, two = await plans.view(job_id)
    assert (one["output"], one["input"], one["tool"], one["description"]) == ([1, 2], {"x": 1}, "calculate", "d")
    assert (two["output"], two["tool"]) == ("yes", None)


async def test_the_result_that_was_concluded_stands_when_the_job_is_completed(book: Book, plans: Plans) -> None:
    done, failed = await running(book), await running(book)
    for job_id in (done, failed):
        await plans.conclude(job_id, PlanResult(workflow_name="w", output="long"))
    await book.end(done, result={"short": True})
    await book.end(failed, Status.FAILED)
    assert (await plans.asked(done)).payload == PAYLOAD
    results = [(await book.jobs.get(job_id)) for job_id in (done, failed)]
    assert [row.result and row.result["output"] for row in results if row] == ["long", None]
    await plans.conclude(done, PlanResult(output="later"))
    row = await book.jobs.get(done)
    assert row is not None
    assert row.result["output"] == "long"


async def test_it_goes_with_its_user(book: Book, plans: Plans) -> None:
    job_id = await running(book, owner="ann")
    await plans.begin(Call(job_id, "one"), tool="t", given={"secret": 1}, once=False)
    await book.end(job_id)
    await Users(book.database).erase_jobs([job_id])
    assert await statuses(book, job_id) == []
