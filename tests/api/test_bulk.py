"""Bulks as they are asked for: what is chosen, who may, and what is refused. The work itself needs an engine."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.job import Outcome, Status
from ledger.items import JobItems, Settled
from tests.api.conftest import RESEARCH, Api


async def bulk(caller: httpx.AsyncClient, action: str = "cancel", **asked: Any) -> httpx.Response:
    return await caller.post("/api/jobs/bulk", json={"action": action, **asked})


async def matched(caller: httpx.AsyncClient, action: str = "cancel", **asked: Any) -> int:
    answer = await bulk(caller, action, **asked)
    assert answer.status_code == 202, answer.text
    return answer.json()["matched"]


async def targets(api: Api, answer: httpx.Response) -> list[UUID]:
    assert answer.status_code == 202, answer.text
    items = await JobItems(api.database).page(UUID(answer.json()["bulkId"]), 0, 100)
    assert len(items) == answer.json()["matched"]
    return [UUID(item.item) for item in items]


async def failed(api: Api, **options: Any) -> UUID:
    job_id = await api.opened({**RESEARCH, "role": str(uuid4())}, **options)
    await api.jobs.finish(
        Outcome.model_validate(
            {"jobId": job_id, "status": Status.FAILED, "error": {"code": "vendor_error", "message": "no answer"}}
        )
    )
    return job_id


async def test_a_filter_chooses_as_the_list_does(api: Api, server: httpx.AsyncClient) -> None:
    ann, bob = await api.opened(owner="ann", tags=["x"]), await api.opened(owner="bob", tags=["x"])
    lost = await failed(api, owner="ann")
    assert await targets(api, await bulk(server, filter={"owner": "ann"})) == [ann]
    assert await targets(api, await bulk(server, filter={"tag": "x", "type": "research"})) == [ann, bob]
    assert await targets(api, await bulk(server, filter={})) == [ann, bob]
    assert await targets(api, await bulk(server, "replay", filter={"status": "failed"})) == [lost]
    assert await targets(api, await bulk(server, "replay", filter={"owner": "ann"})) == [ann, lost]
    assert await targets(api, await bulk(server, filter={"createdAfter": "2999-01-01T00:00:00Z"})) == []
    assert await targets(api, await bulk(server, jobIds=[str(bob), str(lost), str(bob)])) == [bob, lost]


async def test_a_dry_run_counts_and_does_nothing(api: Api, server: httpx.AsyncClient) -> None:
    ids = [str(await api.opened({**RESEARCH, "role": str(n)}, owner="ann")) for n in range(3)]
    answer = await bulk(server, filter={"owner": "ann"}, dryRun=True)
    assert (answer.status_code, answer.json()) == (202, {"bulkId": None, "matched": 3})
    assert await matched(server, jobIds=ids[:2], dryRun=True) == 2
    assert await matched(server, "replay", filter={"owner": "ann", "status": "failed"}, dryRun=True) == 0
    jobs = (await server.get("/api/jobs")).json()["jobs"]
    assert sorted(job["jobId"] for job in jobs) == sorted(ids)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"action": "delete", "filter": {}}, "/action"),
        ({"action": "cancel"}, "/jobIds"),
        ({"action": "cancel", "filter": {}, "jobIds": [str(uuid4())]}, "/jobIds"),
        ({"action": "cancel", "jobIds": []}, "/jobIds"),
        ({"action": "cancel", "filter": {"type": "nonsense"}}, "/filter/type"),
        ({"action": "cancel", "filter": {"batchId": "nonsense"}}, "/filter/batchId"),
        ({"action": "cancel", "filter": {"nonsense": 1}}, "/filter/nonsense"),
        ({"action": "cancel", "filter": {"type": "bulk"}}, "/filter/type"),
        ({"action": "replay", "filter": {}}, "/filter"),
    ],
)
async def test_what_does_not_fit_is_refused(server: httpx.AsyncClient, asked: dict[str, Any], pointer: str) -> None:
    answer = await server.post("/api/jobs/bulk", json=asked)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await server.get("/api/jobs")).json()["jobs"] == []


async def test_ids_that_are_not_there_or_not_the_callers_refuse_all(api: Api, server: httpx.AsyncClient) -> None:
    ann, bob = await api.opened(owner="ann"), await api.opened(owner="bob")
    first = (await bulk(server, jobIds=[str(ann)])).json()["bulkId"]
    own = await api.bearer("write:owner:ann", owner="ann")
    for caller, wrong in ((server, str(uuid4())), (server, "nonsense"), (server, first), (own, str(bob))):
        answer = await bulk(caller, jobIds=[str(ann), wrong])
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
        assert answer.json()["errors"][0]["pointer"] == "/jobIds/1"
    assert len((await server.get("/api/jobs")).json()["jobs"]) == 3


async def test_a_token_reaches_its_own_jobs_alone(api: Api, server: httpx.AsyncClient) -> None:
    ann, _ = await api.opened(owner="ann"), await api.opened(owner="bob")
    own = await api.bearer("write:owner:ann", owner="ann")
    answer = await bulk(own, filter={})
    assert await targets(api, answer) == [ann]
    url = f"/api/jobs/bulk/{answer.json()['bulkId']}"
    assert answer.headers["Location"] == url
    assert (await own.get(url)).json()["matched"] == 1
    reader = await api.bearer("read:owner:ann", owner="ann")
    stranger = await api.bearer("write:owner:bob", owner="bob")
    assert (await bulk(reader, filter={})).status_code == 404
    assert (await bulk(own, filter={"owner": "bob"})).status_code == 404
    assert (await stranger.get(url)).status_code == 404
    row = await api.jobs.get(UUID(answer.json()["bulkId"]))
    assert row
    assert (row.owner, row.payload) == ("ann", {"action": "cancel"})


async def test_a_bulk_shows_how_far_it_is_and_what_became_of_each(api: Api, server: httpx.AsyncClient) -> None:
    ids = [str(await failed(api, tags=["x"])) for _ in range(4)]
    bulk_id = UUID((await bulk(server, "replay", filter={"tag": "x"})).json()["bulkId"])
    new = uuid4()
    refused = {"code": "invalid_payload", "message": "the payload does not fit the kind"}
    settled = [Settled(1, "done", {"jobId": str(new)}), Settled(2, "failed", refused), Settled(3, "skipped")]
    items = JobItems(api.database)
    await items.settle(bulk_id, settled)
    await items.settle(bulk_id, [Settled(1, "failed", refused)])

    view = (await server.get(f"/api/jobs/bulk/{bulk_id}")).json()
    assert (view["bulkId"], view["action"], view["status"], view["matched"]) == (str(bulk_id), "replay", "queued", 4)
    assert view["progress"]["items"] == {"done": 1, "failed": 1, "skipped": 1, "total": 4}
    assert view["progress"]["percent"] == 75
    assert [(item["jobId"], item["status"], item["newJobId"]) for item in view["items"]] == [
        (ids[0], "done", str(new)), (ids[1], "failed", None), (ids[2], "skipped", None), (ids[3], "pending", None),
    ]  # fmt: skip
    assert view["items"][1]["error"]["code"] == "invalid_payload"

    page = (await server.get(f"/api/jobs/bulk/{bulk_id}", params={"limit": 3})).json()
    rest = (await server.get(f"/api/jobs/bulk/{bulk_id}", params={"cursor": page["nextCursor"]})).json()
    assert [item["jobId"] for item in page["items"] + rest["items"]] == ids
    assert rest["nextCursor"] is None

    job = (await server.get(f"/api/jobs/{bulk_id}")).json()
    assert (job["jobType"], job["progress"]) == ("bulk", view["progress"])
    told = (await server.get(f"/api/jobs/{bulk_id}/audit")).json()["events"]
    assert [event.get("items", {}).get("done") for event in told if event["type"] == "progress"] == [1]


async def test_a_bulk_is_nothing_to_ask_for_or_to_repeat_by_name(api: Api, server: httpx.AsyncClient) -> None:
    """Its items are chosen by those who may change them: a payload alone says nothing."""
    started = await server.post("/api/jobs", json={"jobType": "bulk", "payload": {"action": "cancel"}})
    assert (started.status_code, started.json()["code"]) == (422, "unknown_kind")
    bulk_id = (await bulk(server, filter={})).json()["bulkId"]
    again = await server.post(f"/api/jobs/{bulk_id}/replay")
    assert (again.status_code, again.json()["code"]) == (422, "unknown_kind")
    job_id = await api.opened()
    for wrong in (job_id, uuid4(), "nonsense"):
        assert (await server.get(f"/api/jobs/bulk/{wrong}")).status_code == 404
