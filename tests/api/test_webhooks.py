"""Endpoints over HTTP: who may have one, what is shown of it, and what was told to it."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.job import Outcome, Status
from ledger.deliveries import Attempt, Deliveries
from tests.api.conftest import Api

ASKED = {"url": "https://app.example.com/hook", "events": ["job.completed", "job.failed"]}
NOTHING = f"/api/webhooks/{uuid4()}"


async def made(caller: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await caller.post("/api/webhooks", json=ASKED | changed)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/webhooks/{answer.json()['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


async def told(api: Api, *, owner: str = "", **columns: Any) -> UUID:
    """A job that was canceled before anybody began it."""
    job_id = await api.opened(owner=owner or None, **columns)
    await api.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED))
    return job_id


async def test_the_secret_is_shown_once(server: httpx.AsyncClient) -> None:
    new = await made(server)
    secret = new.pop("secret")
    assert secret.startswith("whsec_")
    assert new | {"id": "", "createdAt": ""} == {
        **ASKED,
        "id": "",
        "owner": None,
        "status": "active",
        "disabledReason": None,
        "createdAt": "",
    }
    assert (await server.get(f"/api/webhooks/{new['id']}")).json() == new
    assert (await server.get("/api/webhooks")).json() == {"webhooks": [new], "nextCursor": None}
    changed = await server.patch(f"/api/webhooks/{new['id']}", json={"events": ["job.started"]})
    assert changed.json() == new | {"events": ["job.started"]}

    rotated = await server.post(f"/api/webhooks/{new['id']}/rotate-secret")
    assert rotated.json() | {"secret": ""} == changed.json() | {"secret": ""}
    assert rotated.json()["secret"] != secret
    assert secret not in (await server.get("/api/audit")).text
    actions = [deed["action"] for deed in (await server.get("/api/audit")).json()["deeds"]]
    assert actions == ["webhook.rotate-secret", "webhook.change", "webhook.create"]


async def test_the_seeds_names_of_events_are_understood(server: httpx.AsyncClient) -> None:
    names = ["RUN_STARTED", "RUN_COMPLETED", "RUN_FAILED", "RUN_CANCELED", "job.started", "job.expired"]
    new = await made(server, events=names)
    assert new["events"] == ["job.started", "job.completed", "job.failed", "job.canceled", "job.expired"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"url": "ftp://app.example.com/"}, "/url"),
        ({"url": "https://user:word@app.example.com/"}, "/url"),
        ({"url": "not an address"}, "/url"),
        ({"events": []}, "/events"),
        ({"events": ["job.completed", "job.nope"]}, "/events/1"),
        ({"secret": "whsec_mine"}, "/secret"),
    ],
)
async def test_what_does_not_fit_is_pointed_at(server: httpx.AsyncClient, changed: Any, pointer: str) -> None:
    answer = await server.post("/api/webhooks", json=ASKED | changed)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_an_endpoint_can_be_disabled_enabled_and_deleted(api: Api, server: httpx.AsyncClient) -> None:
    new = await made(server, events=["job.canceled"])
    place = f"/api/webhooks/{new['id']}"
    off = (await server.patch(place, json={"status": "disabled"})).json()
    assert (off["status"], off["disabledReason"]) == ("disabled", "disabled by its owner")
    await told(api)
    refused = await server.post(f"{place}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_disabled")
    assert (await server.get(f"{place}/deliveries")).json()["deliveries"] == []

    on = (await server.patch(place, json={"status": "active"})).json()
    assert (on["status"], on["disabledReason"]) == ("active", None)
    await told(api)
    assert len((await server.get(f"{place}/deliveries")).json()["deliveries"]) == 1
    assert (await server.delete(place)).status_code == 204
    for gone in (await server.get(place), await server.delete(place), await server.get(f"{place}/deliveries")):
        assert gone.status_code == 404


async def test_deliveries_come_in_pages_with_their_attempts(api: Api, server: httpx.AsyncClient) -> None:
    new = await made(server, events=["job.canceled"])
    jobs = [await told(api) for _ in range(3)]
    deliveries, place = Deliveries(api.database), f"/api/webhooks/{new['id']}/deliveries"
    first = (await server.get(place, params={"limit": 2})).json()
    rest = (await server.get(place, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    found = first["deliveries"] + rest["deliveries"]
    assert [one["jobId"] for one in found] == [str(job) for job in reversed(jobs)]
    assert rest["nextCursor"] is None
    assert {one["eventId"] for one in found} == {f"evt_{job.hex}_canceled" for job in jobs}

    due = await deliveries.due(UUID(found[0]["id"]))
    assert due is not None
    await deliveries.record(due, Attempt(503, "http_503", 17, None, wait=60))
    [tried] = (await server.get(place, params={"limit": 1})).json()["deliveries"]
    [attempt] = tried["attempts"]
    assert (attempt["number"], attempt["statusCode"], attempt["error"], attempt["durationMs"]) == (
        1,
        503,
        "http_503",
        17,
    )
    assert tried["nextAttemptAt"] > tried["createdAt"]

    audit = (await server.get(f"/api/jobs/{tried['jobId']}/audit")).json()["events"]
    assert [(line["seq"], line["type"]) for line in audit][-2:] == [(3, "job"), (3, "delivery")]
    assert (audit[-1]["event"], audit[-1]["statusCode"], audit[-1]["eventId"]) == (
        "job.canceled",
        503,
        tried["eventId"],
    )

    again = await deliveries.due(UUID(tried["id"]))
    assert again is not None
    await deliveries.record(again, Attempt(200, None, 5, "delivered"))
    [ended] = (await server.get(place, params={"status": "delivered"})).json()["deliveries"]
    assert (ended["status"], len(ended["attempts"]), ended["nextAttemptAt"]) == ("delivered", 2, None)
    resent = await server.post(f"{place}/{ended['id']}/resend")
    assert resent.status_code == 202
    assert (resent.json()["status"], resent.json()["eventId"]) == ("pending", ended["eventId"])
    for nowhere in (f"{place}/{uuid4()}/resend", f"{place}/nope/resend", f"{NOTHING}/deliveries/{ended['id']}/resend"):
        assert (await server.post(nowhere)).status_code == 404


async def test_a_test_is_an_event_of_its_own(server: httpx.AsyncClient) -> None:
    new = await made(server)
    sent = [await server.post(f"/api/webhooks/{new['id']}/test") for _ in range(2)]
    assert [answer.status_code for answer in sent] == [202, 202]
    assert [answer.json()["event"] for answer in sent] == ["webhook.test", "webhook.test"]
    assert sent[0].json()["eventId"] != sent[1].json()["eventId"]


async def test_a_token_has_its_own_endpoints_and_no_others(api: Api, server: httpx.AsyncClient) -> None:
    everybodys, bens = await made(server), await made(server, owner="ben")
    ann = await api.bearer("write:owner:ann", owner="ann")
    own = await made(ann, events=["job.canceled"])
    assert own["owner"] == "ann"
    assert [row["id"] for row in (await ann.get("/api/webhooks")).json()["webhooks"]] == [own["id"]]
    assert (await ann.post("/api/webhooks", json={**ASKED, "owner": "ben"})).status_code == 404
    for other in (everybodys, bens):
        place = f"/api/webhooks/{other['id']}"
        refused = [
            await ann.get(place),
            await ann.patch(place, json={"status": "disabled"}),
            await ann.post(f"{place}/rotate-secret"),
            await ann.post(f"{place}/test"),
            await ann.get(f"{place}/deliveries"),
            await ann.delete(place),
        ]
        assert [answer.status_code for answer in refused] == [404] * 6

    reader = await api.bearer("read:owner:ann", owner="ann")
    place = f"/api/webhooks/{own['id']}"
    assert (await reader.get(place)).status_code == 200
    assert (await reader.post(f"{place}/test")).status_code == 404
    assert (await reader.post("/api/webhooks", json=ASKED)).status_code == 404

    job, bensjob = await told(api, owner="ann"), await told(api, owner="ben")
    assert [one["jobId"] for one in (await ann.get(f"{place}/deliveries")).json()["deliveries"]] == [str(job)]
    assert bensjob
