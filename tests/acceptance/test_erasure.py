"""A user's data is erased everywhere: in every table of the ledger, and in the engine's histories."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client as Engine
from temporalio.service import RPCError

from longrun import Options
from tests.acceptance.conftest import Errands
from tests.support.processes import KEY, Stack, until
from tests.support.stand_ins import Outside


def holding(stack: Stack, word: str) -> dict[str, int]:
    """How many rows of which table hold the word anywhere."""
    tables = stack.rows("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'longrun'")
    found: dict[str, int] = {}
    for table in tables:
        name = table["name"]
        [row] = stack.rows(f'SELECT count(*) FROM "{name}" AS t WHERE t::text LIKE $1', f"%{word}%")
        if row["count"]:
            found[name] = row["count"]
    return found


def remembered(stack: Stack, word: str, since: datetime) -> list[str]:
    """The schedules, and executions begun since then, of which the engine remembers that word."""

    async def look() -> list[str]:
        engine = await Engine.connect(stack.env["TEMPORAL_ADDRESS"], namespace=stack.env["TEMPORAL_NAMESPACE"])
        found = [f"schedule {one.id}" async for one in await engine.list_schedules() if word in str(one)]
        async for execution in engine.list_workflows(f"StartTime >= '{since.isoformat()}'"):
            handle = engine.get_workflow_handle(execution.id, run_id=execution.run_id)
            try:
                history = await handle.fetch_history()
            except RPCError:  # deleted since it was listed
                continue
            # payloads are base64 in JSON: look at what they say
            said = [payload.data.decode(errors="replace") for event in history.events for payload in _payloads(event)]
            if any(word in text for text in [*said, str(history.events)]):
                found.append(execution.id)
        return found

    return stack.background.run(look())


def _payloads(message: Any) -> list[Any]:
    found: list[Any] = []
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in value if hasattr(value, "__iter__") and not hasattr(value, "ListFields") else [value]:
            if not hasattr(one, "ListFields"):
                continue
            found += [one] if one.DESCRIPTOR.name == "Payload" else _payloads(one)
    return found


@pytest.fixture
def http(running: Stack) -> httpx.Client:
    return httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {KEY}"}, timeout=20)


def test_nothing_of_a_user_is_left(running: Stack, outside: Outside, errands: Errands, http: httpx.Client) -> None:
    ann, client, since = f"ann-{uuid4().hex[:12]}", running.client(), datetime.now(UTC)
    options = Options(owner=ann, tags=(ann,), metadata={"who": ann}, idempotency_key=ann, active_key=ann)
    with http:
        assert http.put(f"/api/users/{ann}", json={"email": f"{ann}@example.com"}).status_code == 201
        hook = {"url": f"https://example.com/{ann}", "events": ["job.completed"], "owner": ann}
        http.post("/api/webhooks", json=hook).raise_for_status()
        research = client.start("company-research", outside.payload(role=f"Engineer for {ann}"), options)
        done = client.wait(research.job_id, 60)
        spent = done.usage
        assert done.is_success
        assert spent
        assert spent.input_tokens > 0
        errand = {"first": f"{errands.payload['first']}?{ann}", "then": errands.payload["then"]}
        schedule = {"jobType": "errand", "payload": errand, "cron": "0 0 1 1 *", "options": {"owner": ann}}
        made = http.post("/api/schedules", json=schedule).raise_for_status().json()
        http.post(f"/api/schedules/{made['id']}/trigger").raise_for_status()
        until(lambda: errands.first.arrived == 1, what="the schedule's job")
        [fired] = list(client.list(schedule_id=made["id"]))
        kept = client.start("errand", errand | {"first": errands.payload["then"]}, Options(owner=f"not-{uuid4().hex}"))
        assert {"jobs", "users", "webhooks", "schedules", "research_briefings"} <= set(holding(running, ann))
        # what the engine lists is a moment old
        until(lambda: {research.job_id, fired.job_id} <= set(remembered(running, ann, since)), what="the engine's word")

        erasing = http.request("DELETE", f"/api/users/{ann}")
        assert erasing.status_code == 202
        job = client.wait(erasing.json()["jobId"], 60)

        assert job.is_success, job.error
        assert job.result["jobs"] == 2
        assert holding(running, ann) == {}
        assert until(lambda: remembered(running, ann, since) == [], 120, "the engine's forgetting")
        for job_id, status in ((research.job_id, "completed"), (fired.job_id, "canceled")):
            blank = client.get(job_id)
            assert (blank.status, blank.owner, blank.payload, blank.result) == (status, None, {}, None)
            assert [entry.type for entry in client.audit(job_id)][-1] == "erased"
            assert [event.event for event in client.stream(job_id)] == ["job", "done"]
        assert client.get(research.job_id).usage == spent, "money is not the user's"
        assert not client.get(kept.job_id).is_complete, "what is not the user's goes on"
        client.cancel(kept.job_id)
        assert http.put(f"/api/users/{ann}", json={}).status_code == 201, "they may come back"
        http.delete(f"/api/users/{ann}")


def test_only_an_erasure_that_was_asked_for_erases(running: Stack) -> None:
    client = running.client()
    job = client.wait(client.start("erase-user", {}).job_id, 30)
    assert (job.status, job.error.code if job.error else None) == ("failed", "nothing_to_erase")
    assert json.dumps(job.payload) == "{}"
