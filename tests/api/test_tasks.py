"""Who may send tasks to the application: servers, and tokens that name the kind; an owner's token alone does not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from settings import Settings
from tests.api.conftest import Api

TASK = {"jobType": "http-task", "payload": {"url": "https://app.example.com/tasks/1", "body": {"datasetId": "1"}}}


@pytest.fixture
async def tasks(serve: Callable[[Settings], Any], settings: Settings) -> Api:
    return await serve(replace(settings, task_hosts=("app.example.com",)))


async def started(client: httpx.AsyncClient, **options: Any) -> httpx.Response:
    return await client.post("/api/jobs", json={**TASK, "options": options})


async def test_an_owners_token_sends_nothing_in_the_services_name(tasks: Api) -> None:
    server, browser = await tasks.client(), await tasks.bearer("write:owner:alice", owner="alice")
    job_id = (await started(server, owner="alice")).json()["jobId"]
    assert (await browser.get(f"/api/jobs/{job_id}")).status_code == 200
    for refused in (
        await started(browser),
        await browser.post("/api/jobs/batch", json={"items": [TASK]}),
        await browser.post(f"/api/jobs/{job_id}/replay", json={"payload": TASK["payload"]}),
        await browser.post("/api/schedules", json={**TASK, "cron": "0 9 * * *"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    again = await browser.post(f"/api/jobs/{job_id}/replay")
    assert again.status_code == 202, "what a server has asked for may be done again"


async def test_a_token_that_names_the_kind_starts_it(tasks: Api) -> None:
    browser = await tasks.bearer("trigger:tasks:http-task", owner="alice")
    answer = await started(browser)
    assert answer.status_code == 202
    job = await tasks.jobs.get(answer.json()["jobId"])
    assert job is not None
    assert (job.owner, job.title) == ("alice", "Task /tasks/1 at app.example.com")


async def test_a_task_names_its_host_and_its_time(tasks: Api) -> None:
    server = await tasks.client()
    for payload, pointer in (
        ({}, "/payload/url"),
        ({"url": "https://evil.example/"}, "/payload/url"),
        ({"url": "no address"}, "/payload/url"),
        ({"url": "https://app.example.com/", "timeout": "soon"}, "/payload/timeout"),
        ({"url": "https://app.example.com/", "timeout": 0}, "/payload/timeout"),
        ({"url": "https://app.example.com/", "method": "PUT"}, "/payload/method"),
    ):
        refused = await server.post("/api/jobs", json={"jobType": "http-task", "payload": payload})
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
