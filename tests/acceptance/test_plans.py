"""Workflows of several steps on the real stack: the seed's as written, and a graph of 30 whose worker is killed."""

import json
from collections import Counter
from collections.abc import Generator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from longrun import Client, Job, Options, Retry
from tests.acceptance.conftest import StackMaker
from tests.support.processes import KEY, Stack, until
from tests.support.site_server import Answer, Asked, SiteServer
from tests.support.stand_ins import Background

SOON = Options(retry=Retry(min_timeout_in_ms=10, max_timeout_in_ms=50))
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


def test_the_seeds_workflow_runs_as_written(running: Stack) -> None:
    started = running.post("/api/jobs", {"jobType": "workflow", "payload": SEED})
    running.client().wait(started["jobId"], 60)
    headers = {"authorization": f"Bearer {KEY}"}
    asked = {"type": "workflow", "jobId": started["jobId"]}
    job = httpx.get(f"{running.url}/api/jobs", params=asked, headers=headers, timeout=20).json()
    assert (job["status"], job["isSuccess"], job["answeredBy"]) == ("completed", True, "offline")
    [fetch, analyze, report] = job["steps"]
    assert (fetch["status"], fetch["error"]["code"]) == ("failed", "not_configured")
    assert (analyze["status"], report["status"]) == ("completed", "completed")
    assert "Fetch Data failed (not_configured)" in job["result"]["steps"][1]["output"]["answer"]
    [execution] = running.rows(
        "SELECT workflow_name, mode, status, progress FROM workflow_executions WHERE id = $1", started["jobId"]
    )
    assert tuple(execution.values()) == ("Process Sales Data", "Sales", "completed", "3/3")
    steps = running.rows(
        "SELECT name, tool, status, answered_by FROM workflow_steps WHERE execution_id = $1 ORDER BY step_index",
        started["jobId"],
    )
    assert [tuple(step.values()) for step in steps] == [
        ("Fetch Data", "HUBSPOT_GET_CONTACTS", "failed", None),
        ("Analyze", None, "completed", "offline"),
        ("Report", None, "completed", "offline"),
    ]


class Receiver:
    """Takes orders by POST and counts them by their step and attempt, as the requests' headers name them."""

    def __init__(self, site: SiteServer) -> None:
        self.site = site
        self.url = site.url
        self.hung = 0
        self.mended = False
        site.routes |= {f"/orders/{number}": self.take for number in range(10)}

    def take(self, asked: Asked) -> Answer:
        number, attempt = int(asked.path.rsplit("/", 1)[1]), int(asked.headers["longrun-attempt"])
        if number == 3 and attempt < 3:
            return Answer(503)
        if number == 5:
            return Answer(404)
        if number == 7 and not self.mended:
            self.hung += 1
            return Answer(delay=300.0)
        return Answer(200, {"content-type": "application/json"}, json.dumps({"order": number}))

    def calls(self, job_id: str) -> Counter[tuple[str, str]]:
        """How often each attempt of each order of that job was made."""
        posted = [one for one in list(self.site.asked) if one.headers.get("idempotency-key", "").startswith(job_id)]
        return Counter((one.path.rsplit("/", 1)[1], one.headers["longrun-attempt"]) for one in posted)


@pytest.fixture
def receiver(background: Background) -> Generator[Receiver]:
    opened = AsyncExitStack()
    yield Receiver(background.run(opened.enter_async_context(SiteServer())))
    background.run(opened.aclose())


def graph(url: str) -> dict[str, Any]:
    """30 steps: ten orders at once, a person and a system outside, sums, and those that look at what came of it."""
    orders: list[dict[str, Any]] = [
        {
            "name": f"Order {number}",
            "tool": "http_request",
            "input": {"url": f"{url}/orders/{number}", "method": "POST", "body": {"order": number}},
            "dependsOn": [],
        }
        for number in range(10)
    ]
    approve = {"name": "Approve", "tool": "ask_person", "input": {"question": "May we ship?"}, "dependsOn": ["Order 0"]}
    ship = {"name": "Ship", "external": True, "dependsOn": ["Approve"]}
    sums: list[dict[str, Any]] = [
        {
            "name": f"Sum {number}",
            "tool": "calculate",
            "input": {"expression": f"{{{{Order {number}.body.order}}}} * 2"},
            "dependsOn": [f"Order {number}"],
        }
        for number in range(10)
    ]
    looks: list[dict[str, Any]] = [
        {"name": f"Look {number}", "description": "what came of it", "dependsOn": [f"Sum {number}", "Ship"]}
        for number in range(7)
    ]
    report = {"name": "Report", "dependsOn": [*(look["name"] for look in looks), *(one["name"] for one in sums[7:])]}
    return {"workflowName": "Thirty", "mode": "Admin", "steps": [*orders, approve, ship, *sums, *looks, report]}


def standing(job: Job) -> dict[str, str]:
    return {step.name: step.status for step in job.steps}


BEFORE = {f"Sum {number}": "completed" for number in (0, 1, 2, 3, 4, 6, 8, 9)} | {
    **{f"Order {number}": "completed" for number in range(10)},
    **{f"Look {number}": "pending" for number in range(7)},
    **{"Order 5": "failed", "Sum 5": "failed", "Order 7": "running", "Sum 7": "pending"},
    **{"Approve": "running", "Ship": "pending", "Report": "pending"},
}


def paused(client: Client, job_id: str, receiver: Receiver) -> bool:
    """Wait until all is done that can be: order 7 hangs, and a person is waited for."""
    return until(lambda: standing(client.get(job_id)) == BEFORE and receiver.hung >= 2, 120, "the pause")


def test_a_graph_of_thirty_steps_outlives_its_worker(make_stack: StackMaker, receiver: Receiver) -> None:
    stack = make_stack(LONGRUN_FETCH_ALLOW=receiver.site.authority, LONGRUN_FETCH_TIMEOUT_SECONDS="250")
    worker, api = stack.worker(), stack.api()
    worker.launch()
    api.launch()
    worker.ready()
    api.ready()
    client = stack.client()
    kept, dropped = (client.start("workflow", graph(receiver.url), SOON).job_id for _ in range(2))

    assert paused(client, kept, receiver)
    assert paused(client, dropped, receiver)
    client.cancel(dropped)
    job = client.wait(dropped, 30)
    assert job.status == "canceled"
    ended = BEFORE | {"Order 7": "failed", "Approve": "failed"}
    assert standing(job) == {name: "skipped" if status == "pending" else status for name, status in ended.items()}

    worker.kill()
    receiver.mended = True
    assert standing(client.get(kept)) == BEFORE, "the ledger says what stands while no worker is there"
    worker.start()
    headers = {"authorization": f"Bearer {KEY}"}
    view = httpx.get(f"{stack.url}/api/workflow/executions/{kept}", headers=headers, timeout=20).json()
    [waiting] = [step["waiting"] for step in view["steps"] if step["waiting"]]
    path = waiting["url"].partition("/api/")[2]
    assert httpx.post(f"{stack.url}/api/{path}", json={"output": "yes"}, timeout=20).status_code == 200
    until(lambda: standing(client.get(kept))["Ship"] == "running", what="the step outside")
    until(
        lambda: stack.rows("SELECT FROM waitpoints WHERE job_id = $1 AND activity_id = 'Ship'", kept), what="its wait"
    )
    done = {"executionId": kept, "stepId": "Ship", "status": "completed", "output": {"parcel": 17}}
    stack.post("/api/workflow/update-step", done)
    stack.post("/api/workflow/update-step", done)

    job = client.wait(kept, 60)
    assert job.status == "completed"
    failed = {name for name, status in standing(job).items() if status == "failed"}
    assert failed == {"Order 5", "Sum 5"}
    attempts = {step.name: step.attempt for step in job.steps}
    assert (attempts["Order 3"], attempts["Order 5"], attempts["Order 7"]) == (3, 1, 2)
    assert {step.error.code for step in job.steps if step.error} == {"http_404", "input_missing"}

    calls = receiver.calls(kept)
    assert set(calls.values()) == {1}, "no attempt is made twice"
    assert {order: max(int(at) for one, at in calls if one == order) for order, _ in calls} == {
        **{str(number): 1 for number in range(10)},
        "3": 3,
        "7": 2,
    }
    assert set(receiver.calls(dropped).values()) == {1}
    assert ("7", "2") not in receiver.calls(dropped), "nothing is done for a job that was canceled"
