"""Queues over HTTP: limits set and taken away, who waits and why."""

import asyncio
from typing import Any

import httpx
import pytest

from domain.admission import Limits
from ledger.dispatch import Dispatch
from ledger.queues import Queues
from tests.api.conftest import RESEARCH, Api

QUEUE = "/api/queues/company-research"
NONE = dict.fromkeys(("total", "perOwner", "perPremiumOwner", "perKey", "startsPerMinute"))


async def test_limits_stand_until_they_are_changed_and_null_takes_one_away(server: httpx.AsyncClient) -> None:
    answer = await server.get("/api/queues/research")
    assert answer.json() | {"kind": "company-research", "paused": False, "limits": NONE} == answer.json()
    changed = await server.patch(QUEUE, json={"limits": {"total": 5, "perOwner": 2}})
    assert changed.json()["limits"] == NONE | {"total": 5, "perOwner": 2}
    paused = await server.patch(QUEUE, json={"paused": True, "limits": {"total": None}})
    assert (paused.json()["paused"], paused.json()["limits"]) == (True, NONE | {"perOwner": 2})
    assert (await server.patch(QUEUE, json={"paused": False})).json()["limits"] == NONE | {"perOwner": 2}
    listed = {queue["kind"]: queue for queue in (await server.get("/api/queues")).json()["queues"]}
    assert listed["company-research"]["limits"]["perOwner"] == 2
    assert "http-task" in listed


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"limits": {"total": -1}}, "/limits/total"),
        ({"limits": {"perDay": 1}}, "/limits/perDay"),
        ({"stop": 1}, "/stop"),
    ],
)
async def test_what_is_no_limit_is_refused(server: httpx.AsyncClient, change: dict[str, Any], pointer: str) -> None:
    answer = await server.patch(QUEUE, json=change)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


async def test_queues_are_the_servers(api: Api) -> None:
    token = await api.bearer("write:owner:ann", owner="ann")
    for answer in (await token.get("/api/queues"), await token.get(QUEUE), await token.patch(QUEUE, json={})):
        assert answer.status_code == 404
    server = await api.client()
    assert (await server.get("/api/queues/nothing")).status_code == 404
    await server.patch(QUEUE, json={"paused": True})
    [deed] = await api.audit.read(subject="queues/company-research")
    assert (deed.action, deed.data) == ("queue.change", {"paused": True})


async def test_a_job_over_a_limit_waits_as_queued_with_its_place_and_the_reason(api: Api) -> None:
    server = await api.client()
    await Queues(api.database, in_flight=500).change("company-research", Limits(per_key=1))
    ids: list[str] = []
    for name in "abc":
        asked = {"jobType": "research", "payload": RESEARCH | {"companyName": name}, "options": {"concurrencyKey": "k"}}
        ids.append((await server.post("/api/jobs", json=asked)).json()["jobId"])
    async with asyncio.timeout(20):
        # the API's own dispatcher may have the turn
        while (await server.get(f"/api/jobs/{ids[-1]}")).json()["waiting"] is None:
            await Dispatch(api.database).claim(20)
    seen = [(await server.get(f"/api/jobs/{job_id}")).json() for job_id in ids]
    assert [one["status"] for one in seen] == ["queued"] * 3
    assert [one["waiting"] for one in seen] == [None, {"ahead": 0, "reason": "key"}, {"ahead": 1, "reason": "key"}]
    queue = (await server.get(QUEUE)).json()
    assert (queue["waiting"], queue["running"]) == (2, 1)
    assert queue["oldestWaitingSince"]
