"""Who did what: keys by their fingerprints, owners by their names."""

import httpx

from api.auth import fingerprint
from tests.api.conftest import KEY, OTHER_KEY, RESEARCH, Api


async def test_keys_are_told_apart_and_none_is_given_away(api: Api) -> None:
    told: set[str] = set()
    for key in (KEY, OTHER_KEY):
        job_id = await api.opened(owner="ann")
        server = await api.client(key)
        await server.post(f"/api/jobs/{job_id}/cancel")
        audit = await server.get(f"/api/jobs/{job_id}/audit")
        [by] = {event["by"] for event in audit.json()["events"] if event["type"] == "cancel_requested"}
        assert by == f"key:{fingerprint(key.encode())}"
        assert key not in audit.text
        told.add(by)
    assert len(told) == 2


async def test_the_first_event_says_who_asked(api: Api, server: httpx.AsyncClient) -> None:
    key, ann = f"key:{fingerprint(KEY.encode())}", await api.bearer("write:owner:ann", owner="ann")
    asked = {"jobType": "research", "payload": RESEARCH, "options": {"owner": "ann"}}
    for client, by in ((server, key), (ann, "owner:ann")):
        first = (await client.post("/api/jobs", json=asked)).json()["jobId"]
        again = (await client.post(f"/api/jobs/{first}/replay")).json()["jobId"]
        # of a role of its own, so that it joins no other
        direct = {**RESEARCH, "role": by, "userId": "ann"}
        researched = (await client.post("/api/research-direct", json=direct)).json()["jobId"]
        [batched] = (await client.post("/api/jobs/batch", json={"items": [asked]})).json()["jobIds"]
        for job_id in (first, again, researched, batched):
            events = (await server.get(f"/api/jobs/{job_id}/audit")).json()["events"]
            assert (events[0]["status"], events[0]["by"]) == ("queued", by)


async def test_what_a_token_does_is_told_of_its_owner(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened(owner="ann")
    ann = await api.bearer("write:owner:ann")
    await ann.post(f"/api/jobs/{job_id}/cancel")
    events = (await server.get(f"/api/jobs/{job_id}/audit")).json()["events"]
    assert {event["by"] for event in events if event["type"] == "cancel_requested"} == {"owner:ann"}


async def test_deeds_beyond_jobs_are_listed_newest_first_to_servers_alone(api: Api, server: httpx.AsyncClient) -> None:
    for number in range(3):
        subject = f"queues/{'toy' if number else 'other'}"
        await api.audit.note("key:1", "queue.limit", subject, total=number)

    first = (await server.get("/api/audit", params={"subject": "queues/toy", "limit": 1})).json()
    assert [(deed["by"], deed["action"], deed["data"]) for deed in first["deeds"]] == [
        ("key:1", "queue.limit", {"total": 2})
    ]
    rest = (await server.get("/api/audit", params={"before": first["nextBefore"]})).json()
    assert [deed["data"]["total"] for deed in rest["deeds"]] == [1, 0]
    assert rest["nextBefore"] is None

    ann = await api.bearer("write:owner:ann", owner="ann")
    assert (await ann.get("/api/audit")).status_code == 404
