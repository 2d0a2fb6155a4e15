"""Waits that a person or a system ends by a URL, and callbacks of outside parties."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.keyring import Keyring
from domain.waiting import waitpoint_of
from ledger.steps import Delivery
from ledger.waitpoints import StepWait, Waitpoints
from tests.api.conftest import KEY, OTHER_KEY, Api
from tests.support.application import signed_post

OUTPUT = {"approved": True}


@pytest.fixture
async def nobody(api: Api) -> httpx.AsyncClient:
    return await api.client(None)


async def made(server: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await server.post("/api/waitpoints", json=asked)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/waitpoints/{answer.json()['id']}"
    return answer.json()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_person_ends_a_wait_by_its_url(api: Api, server: httpx.AsyncClient, nobody: httpx.AsyncClient) -> None:
    point = await made(server, about="approval of invoice 17", timeout="3d")
    assert (point["status"], point["about"], point["jobId"], point["step"]) == (
        "waiting",
        "approval of invoice 17",
        None,
        None,
    )
    left = datetime.fromisoformat(point["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=3) - timedelta(minutes=1) < left <= timedelta(days=3)
    path = point["url"].removeprefix("http://127.0.0.1:8000")
    assert path.startswith(f"/api/waitpoints/{point['id']}/complete?token=")

    done = await nobody.post(path, json={"output": OUTPUT})
    assert done.status_code == 200
    assert (done.json()["status"], done.json()["output"], done.json()["url"]) == ("completed", OUTPUT, None)
    assert (await nobody.post(path, json={"output": OUTPUT})).json() == done.json(), "again changes nothing"
    assert refusal(await nobody.post(path, json={"output": "other"})) == (409, "not_waiting")
    assert refusal(await nobody.post(path, json={"status": "failed"})) == (409, "not_waiting")
    assert (await server.get(f"/api/waitpoints/{point['id']}")).json() == done.json()
    assert (await nobody.get(path.replace("/complete", ""))).json() == done.json()
    [row] = await api.database.fetch("SELECT resolved_by, token_hash FROM waitpoints")
    assert row["resolved_by"] == "token"
    assert path.rsplit("=", 1)[1].encode() not in row["token_hash"]


async def test_a_server_ends_a_wait_with_a_reason(server: httpx.AsyncClient) -> None:
    point = await made(server)
    done = await server.post(f"/api/waitpoints/{point['id']}/complete", json={"status": "failed", "error": "too dear"})
    assert done.status_code == 200
    assert (done.json()["status"], done.json()["output"]) == ("failed", None)
    assert done.json()["error"] | {"step": None} == {
        "code": "task_failed",
        "message": "too dear",
        "step": None,
        "retryable": False,
    }


async def test_a_wait_is_ended_with_nothing_to_say(server: httpx.AsyncClient) -> None:
    point = await made(server)
    done = await server.post(f"/api/waitpoints/{point['id']}/complete")
    assert (done.status_code, done.json()["status"], done.json()["output"]) == (200, "completed", None)


async def test_a_wait_is_not_for_everybody(api: Api, server: httpx.AsyncClient, nobody: httpx.AsyncClient) -> None:
    point, other = await made(server), await made(server)
    path, token = f"/api/waitpoints/{point['id']}", other["url"].rsplit("=", 1)[1]
    browser = await api.bearer("write:owner:alice", owner="alice")
    assert refusal(await nobody.post(f"{path}/complete")) == (401, "unauthorized")
    assert refusal(await nobody.get(path)) == (401, "unauthorized")
    for call in (
        nobody.post(f"{path}/complete", params={"token": token}),
        nobody.post(f"{path}/complete", params={"token": ""}),
        nobody.get(path, params={"token": KEY}),
        browser.post(f"{path}/complete"),
        browser.get(path),
        browser.post("/api/waitpoints", json={}),
        server.get(f"/api/waitpoints/{uuid4()}"),
        server.post("/api/waitpoints/nonsense/complete"),
        nobody.post(f"/api/waitpoints/{uuid4()}/complete", params={"token": token}),
    ):
        assert refusal(await call) == (404, "not_found")
    assert (await server.get(path)).json()["status"] == "waiting"


async def test_what_does_not_fit_is_refused(server: httpx.AsyncClient) -> None:
    for name, value in (("timeout", "366d"), ("timeout", "0s"), ("timeout", "soon"), ("about", "x" * 501), ("id", "x")):
        answer = await server.post("/api/waitpoints", json={name: value})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]


async def test_an_output_is_small_and_can_be_stored(server: httpx.AsyncClient) -> None:
    path = f"/api/waitpoints/{(await made(server))['id']}"
    large = await server.post(f"{path}/complete", json={"output": "x" * 100_000})
    assert refusal(large) == (413, "payload_too_large")
    assert (await server.post(f"{path}/complete", json={"output": "\0"})).status_code == 422
    assert (await server.get(path)).json()["status"] == "waiting"


async def waiting(api: Api, *steps: str) -> UUID:
    """A job whose steps wait; there is no engine that would hear of an answer."""
    job_id, points = await api.opened(), Waitpoints(api.database)
    for step in steps:
        scheduled = datetime.now(UTC)
        await api.steps.start(Delivery(job_id, step, scheduled, 1))
        wait = StepWait(job_id, step, scheduled)
        await points.open(waitpoint_of(job_id, step), token="t", about="x", within=timedelta(hours=1), wait=wait)
    return job_id


async def updated(server: httpx.AsyncClient, what: str, job_id: object, **said: Any) -> httpx.Response:
    return await server.post(f"/api/workflow/update-{what}", json={"executionId": str(job_id), **said})


async def test_steps_are_named_or_counted(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await waiting(api, "scrape_website", "search_github")
    by_name = await updated(server, "step", job_id, stepId="scrape_website", status="completed", output=OUTPUT)
    assert by_name.json() == {"executionId": str(job_id), "stepId": "scrape_website", "status": "completed"}
    by_number = await updated(server, "step", job_id, stepId=1, status="failed", error={"message": "gone", "code": 7})
    assert by_number.json()["stepId"] == "search_github"
    assert (await updated(server, "step", job_id, stepId="1", status="failed", error="gone")).status_code == 200
    for step in ("analyze", 2, 99):
        refused = await updated(server, "step", job_id, stepId=step, status="completed")
        assert refusal(refused) == (409, "not_waiting")
    points = await Waitpoints(api.database).of_job(job_id)
    assert {(point.step, point.status, point.resolved_by is not None) for point in points} == {
        ("scrape_website", "completed", True),
        ("search_github", "failed", True),
    }
    [untold] = await api.database.fetch("SELECT count(*) AS n FROM waitpoints WHERE tell_after IS NOT NULL")
    assert untold["n"] == 2, "the engine is down"


async def test_an_execution_that_waits_for_two_things_wants_to_know_which(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await waiting(api, "scrape_website", "search_github")
    refused = await updated(server, "execution", job_id, status="completed")
    assert refusal(refused) == (409, "not_waiting")
    assert "update-step" in refused.json()["detail"]
    await updated(server, "step", job_id, stepId=0, status="completed")
    assert (await updated(server, "execution", job_id, status="completed", result=OUTPUT)).status_code == 200


async def test_nobody_waits_in_a_job_that_has_not_begun_or_is_not_there(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    assert refusal(await updated(server, "execution", job_id, status="completed")) == (409, "not_waiting")
    for unknown in (uuid4(), "nonsense"):
        assert refusal(await updated(server, "execution", unknown, status="completed")) == (404, "job_not_found")
        assert refusal(await updated(server, "step", unknown, stepId=0, status="completed")) == (404, "job_not_found")


async def test_a_callback_says_how_it_ended(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await waiting(api, "analyze")
    for said in ({"status": "running"}, {}, {"status": "completed", "error": 5}):
        assert (await updated(server, "execution", job_id, **said)).status_code == 422


async def test_who_is_no_server_signs(api: Api, nobody: httpx.AsyncClient) -> None:
    job_id = await waiting(api, "analyze")
    browser = await api.bearer("write:owner:alice", owner="alice")
    assert refusal(await updated(nobody, "execution", job_id, status="completed")) == (401, "unauthorized")
    assert refusal(await updated(browser, "execution", job_id, status="completed")) == (404, "not_found")
    url, said = f"{api.url}/api/workflow/update-execution", {"executionId": str(job_id), "status": "completed"}
    for wrong in (Keyring(["guessed"]).execution_secret(job_id), Keyring([KEY]).signing_secret):
        assert refusal(signed_post(url, said, wrong)) == (401, "unauthorized")
    right = Keyring([KEY]).execution_secret(job_id)
    assert refusal(signed_post(url, said | {"executionId": str(uuid4())}, right)) == (401, "unauthorized")
    for not_a_body in ([], "x", {"status": "completed"}):
        assert refusal(signed_post(url, not_a_body, right)) == (401, "unauthorized")
    rotated = Keyring([OTHER_KEY]).execution_secret(job_id)
    assert signed_post(url, said, rotated).status_code == 200, "a key that is still known has signed"
    assert signed_post(url, said, right).status_code == 200


async def test_tasks_need_hosts_that_are_listed(server: httpx.AsyncClient) -> None:
    task = {"jobType": "http-task", "payload": {"url": "https://app.example.com/tasks/1"}}
    assert refusal(await server.post("/api/jobs", json=task)) == (422, "not_configured")
    batch = await server.post("/api/jobs/batch", json={"items": [task]})
    assert refusal(batch) == (422, "not_configured")
    assert [error["pointer"] for error in batch.json()["errors"]] == ["/items/0/jobType"]
