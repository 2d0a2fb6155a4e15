"""A task is triggered as a Trigger.dev client that waits for nothing does it."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.api.conftest import RESEARCH, Api

TRIGGER = "/api/v1/tasks/company-research/trigger"


async def test_a_payload_is_a_job_and_its_run_id_follows_it(api: Api, server: httpx.AsyncClient) -> None:
    answer = await server.post(TRIGGER, json={"payload": RESEARCH})
    assert answer.status_code == 200
    run = answer.json()["id"]
    assert run.startswith("run_")
    job = (await server.get(f"/api/jobs/{run}")).json()
    assert (UUID(job["jobId"]).hex, job["jobType"]) == (run.removeprefix("run_"), "company-research")
    assert {name: job["payload"][name] for name in RESEARCH} == RESEARCH
    assert (await server.post("/api/v1/tasks/research/trigger", json={"payload": RESEARCH})).status_code == 200
    browser = await api.bearer("trigger:tasks:company-research", owner="ann")
    run = (await browser.post(TRIGGER, json={"payload": RESEARCH, "options": {}})).json()["id"]
    row = await api.jobs.get(UUID(run.removeprefix("run_")))
    assert row
    assert row.owner == "ann"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "Invalid JSON"),
        (b"", 400, "Invalid JSON"),
        (b"[]", 400, "Invalid JSON"),
        (json.dumps({"payload": "text"}).encode(), 422, "object"),
        (json.dumps({"payload": {"role": "Engineer"}}).encode(), 422, "payload"),
        (json.dumps({"payload": RESEARCH, "options": {"delay": "1h"}}).encode(), 422, "options"),
    ],
)
async def test_what_is_wrong_is_said_in_that_apis_words(
    server: httpx.AsyncClient, body: bytes, status: int, said: str
) -> None:
    answer = await server.post(TRIGGER, content=body)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert said in answer.json()["error"]


async def test_strangers_and_unknown_tasks_are_refused(api: Api, server: httpx.AsyncClient) -> None:
    asked: list[tuple[httpx.AsyncClient, str, int]] = [
        (await api.client(None), TRIGGER, 401),
        (await api.client("wrong"), TRIGGER, 401),
        (server, "/api/v1/tasks/none/trigger", 404),
        (await api.bearer("trigger:tasks:http-task", owner="ann"), TRIGGER, 404),
    ]
    for client, path, status in asked:
        answer = await client.post(path, json={"payload": RESEARCH})
        found: dict[str, Any] = answer.json()
        assert (answer.status_code, set(found)) == (status, {"error"})
        assert ("www-authenticate" in answer.headers) == (status == 401)
