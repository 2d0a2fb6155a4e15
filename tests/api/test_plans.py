"""Workflows of several steps over HTTP: what is refused before anything starts, and how one is looked through."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.keyring import Keyring
from domain.plan import KIND
from domain.tool_use import ToolUse
from domain.waiting import waitpoint_of
from ledger.plans import Call, Plans
from ledger.steps import Delivery
from ledger.waitpoints import StepWait, Waitpoints
from tests.api.conftest import KEY, Api
from tests.ledger.book import EPOCH

SEED: dict[str, Any] = {
    "workflowName": "Process Sales Data",
    "workflowDescription": "Analyze and process sales data",
    "steps": [
        {"name": "Fetch Data", "description": "Get data from HubSpot", "tool": "HUBSPOT_GET_CONTACTS"},
        {"name": "Analyze", "description": "Analyze the data"},
        {"name": "Report", "description": "Generate report"},
    ],
    "mode": "Sales",
    "modelId": "gpt-4o",
}


async def started(server: httpx.AsyncClient, payload: dict[str, Any] = SEED, **options: Any) -> str:
    answer = await server.post("/api/jobs", json={"jobType": "workflow", "payload": payload, "options": options})
    assert answer.status_code == 202, answer.text
    return answer.json()["jobId"]


async def test_the_seeds_payload_is_taken_and_its_status_calls_answer(server: httpx.AsyncClient) -> None:
    job_id = await started(server)
    job = (await server.get("/api/jobs", params={"type": "workflow", "jobId": job_id})).json()
    assert (job["jobType"], job["status"], job["progress"]["text"]) == (KIND, "queued", "0/3")
    assert [step["name"] for step in job["steps"]] == ["Fetch Data", "Analyze", "Report"]
    assert job["payload"] == SEED
    view = (await server.get(f"/api/workflow/executions/{job_id}")).json()
    assert [(step["index"], step["tool"], step["status"]) for step in view["steps"]] == [
        (0, "HUBSPOT_GET_CONTACTS", "pending"),
        (1, None, "pending"),
        (2, None, "pending"),
    ]


@pytest.mark.parametrize(
    ("mode", "step"),
    [
        ("Admin", {"name": "Tell", "tool": "send_email", "input": {"to": "a@b.cd", "subject": "S", "text": "T"}}),
        ("Admin", {"name": "Ask", "tool": "ask_person", "input": {"question": "So?", "to": "a@b.cd"}}),
        ("Sales", {"name": "Fetch", "tool": "HUBSPOT_GET_CONTACTS"}),
        ("Sales", {"name": "Think", "description": "whose models may read from there"}),
    ],
)
async def test_a_token_uses_the_services_own_mail_and_credentials_only_where_it_names_the_kind(
    api: Api, mode: str, step: dict[str, Any]
) -> None:
    payload = {**SEED, "mode": mode, "steps": [step]}
    asked = {"jobType": "workflow", "payload": payload}
    owner = await api.bearer("write:owner:ann", owner="ann")
    named = await api.bearer("write:owner:ann", "trigger:tasks:workflow", owner="ann")

    refused = await owner.post("/api/jobs", json=asked)
    assert (refused.status_code, "trigger:tasks:workflow-execution" in refused.json()["detail"]) == (404, True)
    scheduled = {**asked, "cron": "0 9 * * *", "timezone": "UTC"}
    assert (await owner.post("/api/schedules", json=scheduled)).status_code == 404
    assert (await named.post("/api/jobs", json=asked)).status_code == 202

    harmless = {**payload, "mode": "General", "steps": [STEP, {"name": "Ask", "tool": "ask_person", "input": QUESTION}]}
    started = await owner.post("/api/jobs", json={**asked, "payload": harmless})
    assert started.status_code == 202
    replay = f"/api/jobs/{started.json()['jobId']}/replay"
    assert (await owner.post(replay, json={"payload": payload})).status_code == 404
    assert (await owner.post(replay)).status_code == 202
    malformed = await owner.post("/api/jobs", json={**asked, "payload": {**payload, "steps": [{"name": 1}]}})
    assert malformed.status_code == 422


STEP = {"name": "One"}
QUESTION = {"question": "So?"}


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"modelId": "llama-3"}, ["/payload/modelId"]),
        ({"mode": "Sails"}, ["/payload/mode"]),
        ({"steps": []}, ["/payload/steps"]),
        ({"steps": [STEP, STEP]}, ["/payload/steps/1/name"]),
        ({"steps": [{"name": "a#1"}, {"name": "7"}, {"name": " x"}]}, [f"/payload/steps/{n}/name" for n in range(3)]),
        ({"steps": [{"name": "One", "dependsOn": ["Two"]}]}, ["/payload/steps/0/dependsOn/0"]),
        ({"steps": [{"name": "One", "tool": "HUBSPOT_GET_UNICORNS"}]}, ["/payload/steps/0/tool"]),
        ({"steps": [{"name": "One", "tool": "calculate"}]}, ["/payload/steps/0/input/expression"]),
        ({"mode": "Research", "steps": [{"name": "One", "tool": "send_email"}]}, ["/payload/steps/0/tool"]),
        ({"steps": [{"name": "One", "colour": "red"}]}, ["/payload/steps/0/colour"]),
    ],
)
async def test_what_cannot_be_done_is_refused(
    api: Api, server: httpx.AsyncClient, changed: dict[str, Any], pointers: list[str]
) -> None:
    asked = {"jobType": "workflow", "payload": SEED | changed}
    answer = await server.post("/api/jobs", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_payload")
    assert [error["pointer"] for error in answer.json()["errors"]][: len(pointers)] == pointers
    assert not await api.database.fetch("SELECT FROM jobs")


async def test_an_execution_shows_what_its_steps_were_given_and_brought(api: Api, server: httpx.AsyncClient) -> None:
    steps = [{"name": "Send", "tool": "http_request", "input": {"url": "https://a.example/"}}, {"name": "Analyze"}]
    job_id = UUID(await started(server, SEED | {"steps": steps}))
    plans, delivery = Plans(api.database), Delivery(job_id, "Send", EPOCH, 1)
    await api.steps.start(delivery)
    begun = await plans.begin(Call(job_id, "Send"), tool="http_request", given={"url": "https://a.example/"}, once=True)
    await plans.end(Call(job_id, "Send"), begun.attempt, output={"status": 200})
    await api.steps.end(delivery, "completed", output="{}")
    await api.steps.start(Delivery(job_id, "Analyze", EPOCH, 1))
    await plans.ask(job_id, "Analyze", [ToolUse(id="1.0", tool="calculate", arguments={"expression": "1"})])
    view = (await server.get(f"/api/workflow/executions/{job_id}")).json()
    sent, analyzed = view["steps"]
    assert (sent["input"], sent["output"], sent["status"]) == (
        {"url": "https://a.example/"},
        {"status": 200},
        "completed",
    )
    assert (analyzed["status"], analyzed["output"], analyzed["attempt"]) == ("running", None, 1)
    [row] = await api.database.fetch(
        "SELECT workflow_name, mode, model_id, progress FROM workflow_executions WHERE id = $1", job_id
    )
    assert tuple(row.values()) == ("Process Sales Data", "Sales", "gpt-4o", "1/2")
    told = (await server.get(f"/api/jobs/{job_id}/audit")).json()["events"]
    [call] = [event for event in told if event["type"] == "call"]
    assert (call["name"], call["tool"], call["status"], call["attempt"]) == ("Send", "http_request", "done", 1)
    assert "a.example" not in str(call)


async def test_the_url_of_a_wait_is_shown_to_who_may_change_the_job(api: Api, server: httpx.AsyncClient) -> None:
    steps = [{"name": "Approve", "tool": "ask_person", "input": {"question": "May we?"}}]
    job_id = UUID(await started(server, SEED | {"steps": steps}, owner="ann"))
    await api.steps.start(Delivery(job_id, "Approve", EPOCH, 1))
    point = waitpoint_of(job_id, "Approve")
    await Waitpoints(api.database).open(
        point,
        token=Keyring([KEY]).wait_token(point),
        about="a person's answer to Approve",
        within=timedelta(days=3),
        wait=StepWait(job_id, "Approve", EPOCH),
    )
    [step] = (await server.get(f"/api/workflow/executions/{job_id}")).json()["steps"]
    path = step["waiting"]["url"].removeprefix("http://127.0.0.1:8000")
    reader = await api.bearer(f"read:jobs:{job_id}")
    [seen] = (await reader.get(f"/api/workflow/executions/{job_id}")).json()["steps"]
    assert (seen["waiting"]["about"], seen["waiting"]["url"]) == ("a person's answer to Approve", None)
    nobody = await api.client(None)
    assert (await nobody.post(path, json={"output": "yes"})).status_code == 200
    [step] = (await server.get(f"/api/workflow/executions/{job_id}")).json()["steps"]
    assert step["waiting"] is None


async def test_another_owners_workflow_and_another_kind_of_job_are_404(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await started(server, owner="ann")
    bob = await api.bearer("read:owner:bob", owner="bob")
    for client, asked in ((bob, job_id), (server, await api.opened()), (server, "nothing")):
        answer = await client.get(f"/api/workflow/executions/{asked}")
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_a_replay_begins_at_a_step_of_the_payloads_own(api: Api, server: httpx.AsyncClient) -> None:
    job_id = UUID(await started(server))
    plans, delivery = Plans(api.database), Delivery(job_id, "Fetch Data", EPOCH, 1)
    await api.steps.start(delivery)
    begun = await plans.begin(Call(job_id, "Fetch Data"), tool="HUBSPOT_GET_CONTACTS", given={}, once=False)
    await plans.end(Call(job_id, "Fetch Data"), begun.attempt, output={"rows": [1]})
    await api.steps.end(delivery, "completed", output="{}")
    answer = await server.post(f"/api/jobs/{job_id}/replay", json={"fromStep": "Analyze"})
    assert answer.status_code == 202, answer.text
    view = (await server.get(f"/api/workflow/executions/{answer.json()['jobId']}")).json()
    assert [(step["status"], step["output"]) for step in view["steps"]] == [
        ("completed", {"rows": [1]}),
        ("pending", None),
        ("pending", None),
    ]
    refused = await server.post(f"/api/jobs/{job_id}/replay", json={"fromStep": "Nothing"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_step")
