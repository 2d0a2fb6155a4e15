"""`/api/schedules` over HTTP, on a real engine and a real ledger."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from settings import Settings
from tests.api.conftest import RESEARCH, Api

URL = "/api/schedules"
ASKED: dict[str, Any] = {
    "jobType": "research",
    "payload": RESEARCH,
    "cron": "30 9 * * MON-FRI",
    "timezone": "America/New_York",
    "overlap": "buffer_one",
    "catchupWindow": "10m",
    "jitter": "30s",
    "deduplicationKey": "weekdays",
    "options": {"owner": "user_1", "tags": ["daily"]},
}


@pytest.fixture
async def api(
    serve: Callable[[Settings], Any],
    settings: Settings,
    engine_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Api:
    """The API with an engine, which may be slow."""
    for place in ("carrying.RPC", "carrying.ASKING", "scheduling.RPC"):
        monkeypatch.setattr(f"engine.{place}", timedelta(seconds=30))
    for name, value in engine_env.items():
        monkeypatch.setenv(name, value)
    return await serve(settings)


async def test_without_a_timezone_it_is_that_of_its_owner(server: httpx.AsyncClient) -> None:
    assert (await server.put("/api/users/ann", json={"timezone": "Asia/Kolkata"})).is_success
    digest = {"jobType": "weekly-run-digest", "payload": {"userId": "ann"}, "cron": "0 7 * * 1"}
    made = (await server.post(URL, json={**digest, "options": {"owner": "ann"}})).json()
    assert (made["timezone"], made["nextRunAt"][10:]) == ("Asia/Kolkata", "T01:30:00Z")
    place = f"{URL}/{made['id']}"
    put = (await server.put(place, json={**digest, "timezone": "Europe/Berlin"})).json()
    assert put["timezone"] == "Europe/Berlin"
    assert (await server.patch(place, json={"jitter": "1m"})).json()["timezone"] == "Europe/Berlin"
    assert (await server.put(place, json=digest)).json()["timezone"] == "Asia/Kolkata"
    unknown = {**digest, "payload": {"userId": "bob"}, "options": {"owner": "bob"}}
    assert (await server.post(URL, json=unknown)).json()["timezone"] == "UTC"


async def test_a_schedule_from_its_beginning_to_its_end(server: httpx.AsyncClient) -> None:
    made = await server.post(URL, json=ASKED)
    assert made.status_code == 201, made.text
    schedule = made.json()
    place = f"{URL}/{schedule['id']}"
    assert made.headers["location"] == place
    told = {name: schedule[name] for name in ASKED if name not in ("jobType", "options")}
    assert told == {name: ASKED[name] for name in told}
    assert (schedule["jobType"], schedule["owner"], schedule["options"]) == (
        *("company-research", "user_1", {"tags": ["daily"]}),
    )
    assert (schedule["paused"], schedule["lastJobId"], schedule["lastError"]) == (False, None, None)
    times = (await server.get(f"{place}/upcoming")).json()["times"]
    assert len(times) == 5
    assert schedule["nextRunAt"] == times[0]
    assert times[0].endswith("Z")

    again = await server.post(URL, json={**ASKED, "cron": "@daily"})
    assert (again.status_code, again.json()["id"], again.json()["cron"]) == (200, schedule["id"], "@daily")
    changed = await server.patch(place, json={"overlap": "skip", "jitter": None})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["overlap"], changed.json()["jitter"], changed.json()["cron"]) == ("skip", None, "@daily")
    put = await server.put(place, json={"jobType": "research", "payload": RESEARCH, "cron": "0 0 * * MON#1"})
    assert (put.json()["timezone"], put.json()["catchupWindow"], put.json()["owner"]) == ("UTC", "1h", "user_1")

    paused = await server.post(f"{place}/pause")
    assert (paused.json()["paused"], paused.json()["nextRunAt"]) == (True, None)
    assert (await server.get(f"{place}/upcoming")).json() == {"times": []}
    assert (await server.post(f"{place}/trigger")).status_code == 202
    resumed = await server.post(f"{place}/resume")
    assert (resumed.json()["paused"], resumed.json()["nextRunAt"]) == (False, put.json()["nextRunAt"])
    assert (await server.get(place)).json() == resumed.json()

    deeds = (await server.get("/api/audit", params={"subject": f"schedules/{schedule['id']}"})).json()["deeds"]
    assert [deed["action"].removeprefix("schedule.") for deed in deeds[::-1]] == [
        *("create", "change", "change", "change", "pause", "trigger", "resume"),
    ]
    assert (await server.delete(place)).status_code == 204
    gone = await server.get(place)
    assert (gone.status_code, gone.json()["code"]) == (404, "schedule_not_found")
    assert (await server.delete(place)).status_code == 404


async def test_schedules_are_listed_page_by_page(server: httpx.AsyncClient) -> None:
    made = [
        (await server.post(URL, json={**ASKED, "deduplicationKey": None, "options": {"owner": owner}})).json()["id"]
        for owner in ("a", "b", "a")
    ]
    first = (await server.get(URL, params={"limit": 2})).json()
    assert [one["id"] for one in first["schedules"]] == made[:0:-1]
    rest = (await server.get(URL, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert ([one["id"] for one in rest["schedules"]], rest["nextCursor"]) == (made[:1], None)
    of_a = (await server.get(URL, params={"owner": "a"})).json()
    assert [one["id"] for one in of_a["schedules"]] == [made[2], made[0]]
    assert (await server.get(URL, params={"cursor": "sched_none"})).status_code == 422


async def test_refusals_point_to_what_is_wrong(server: httpx.AsyncClient) -> None:
    for change, pointer, code in (
        ({"cron": "0 9 L * *"}, "/cron", "invalid_schedule"),
        ({"cron": "* * *"}, "/cron", "invalid_payload"),
        ({"timezone": "Mars/Base"}, "/timezone", "invalid_payload"),
        ({"overlap": "pile_up"}, "/overlap", "invalid_payload"),
        ({"catchupWindow": "1s"}, "/catchupWindow", "invalid_payload"),
        ({"payload": {"companyName": "Stripe"}}, "/payload/role", "invalid_payload"),
        ({"jobType": "unheard-of"}, "/jobType", "unknown_kind"),
        ({"options": {"delay": "5m"}}, "/options/delay", "invalid_request"),
        ({"unheard": "of"}, "/unheard", "invalid_payload"),
    ):
        answer = await server.post(URL, json={**ASKED, **change})
        assert answer.status_code == 422, change
        assert (answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (code, pointer)
    refused = (await server.post(URL, json={**ASKED, "cron": "0 9 L * *"})).json()
    assert refused["detail"] == "DayOfMonth is not in range [1-31]"
    assert (await server.get(URL)).json()["schedules"] == []
    made = (await server.post(URL, json=ASKED)).json()
    nothing = await server.patch(f"{URL}/{made['id']}", json={"cron": None})
    assert (nothing.status_code, nothing.json()["errors"][0]["pointer"]) == (422, "/cron")
    moved = await server.put(f"{URL}/{made['id']}", json={**ASKED, "options": {"owner": "user_2"}})
    assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (422, "/options/owner")


async def test_a_token_sees_and_changes_its_own_alone(api: Api, server: httpx.AsyncClient) -> None:
    owner = await api.bearer("write:owner:user_1", owner="user_1")
    made = await owner.post(URL, json={**ASKED, "options": {}})
    assert (made.status_code, made.json()["owner"]) == (201, "user_1")
    place = f"{URL}/{made.json()['id']}"
    theirs = (await server.post(URL, json={**ASKED, "options": {"owner": "user_2"}})).json()["id"]
    nobodys = (await server.post(URL, json={**ASKED, "options": {}})).json()["id"]
    assert [one["id"] for one in (await owner.get(URL)).json()["schedules"]] == [made.json()["id"]]
    assert (await owner.post(f"{place}/pause")).status_code == 200
    for other in (theirs, nobodys, "sched_none"):
        for method, path in (
            *(("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/trigger")),
            ("GET", "/upcoming"),
        ):
            assert (await owner.request(method, f"{URL}/{other}{path}")).status_code == 404
        assert (await owner.patch(f"{URL}/{other}", json={"cron": "@daily"})).status_code == 404
        assert (await owner.put(f"{URL}/{other}", json=ASKED)).status_code == 404
    assert (await owner.post(URL, json={**ASKED, "options": {"owner": "user_2"}})).status_code == 404
    assert (await owner.get(URL, params={"owner": "user_2"})).status_code == 404

    reader = await api.bearer("read:owner:user_1")
    assert (await reader.get(place)).status_code == 200
    assert (await reader.post(f"{place}/pause")).status_code == 404
    assert (await reader.post(URL, json=ASKED)).status_code == 404
    starter = await api.bearer("trigger:tasks:research", owner="user_1")
    assert (await starter.post(URL, json={**ASKED, "options": {}})).status_code == 404
    assert (await (await api.client(None)).get(URL)).status_code == 401


async def test_an_engine_that_is_down_takes_no_schedule_and_says_so(
    serve: Callable[[Settings], Any], settings: Settings
) -> None:
    alone: Api = await serve(settings)
    server = await alone.client()
    answer = await server.post(URL, json=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert answer.headers["retry-after"]
    assert (await server.get(URL)).json() == {"schedules": [], "nextCursor": None}
