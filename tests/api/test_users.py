"""Users as the application tells of them, and the way into their erasure."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.api.conftest import Api

WHOLE: dict[str, Any] = {
    "tier": "premium",
    "timezone": "America/New_York",
    "email": "ann@example.com",
    "autoGenerate": True,
    "heartRate": {"resting": 52, "max": 188},
}


async def test_a_user_is_kept_as_told_and_what_is_left_out_has_its_default(server: httpx.AsyncClient) -> None:
    assert (await server.get("/api/users/ann")).status_code == 404
    new = await server.put("/api/users/ann", json=WHOLE)
    assert (new.status_code, {name: new.json()[name] for name in WHOLE}) == (201, WHOLE)
    assert new.json()["id"] == "ann"
    assert (await server.get("/api/users/ann")).json() == new.json()

    changed = await server.put("/api/users/ann", json={"timezone": "UTC"})
    assert changed.status_code == 200
    defaults = {"tier": "free", "timezone": "UTC", "email": None, "autoGenerate": False, "heartRate": None}
    assert {name: changed.json()[name] for name in WHOLE} == defaults
    assert changed.json()["createdAt"] == new.json()["createdAt"]
    assert changed.json()["updatedAt"] > new.json()["updatedAt"]


async def test_an_id_may_hold_any_sign(server: httpx.AsyncClient) -> None:
    assert (await server.put("/api/users/auth0%2Fann%20b@x?y", json={})).json()["id"] == "auth0/ann b@x"
    assert (await server.get("/api/users/auth0%2Fann%20b@x")).status_code == 200
    assert (await server.put(f"/api/users/{'a' * 257}", json={})).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"tier": "gold"}, "/tier"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"timezone": "../etc/passwd"}, "/timezone"),
        ({"email": "ann"}, "/email"),
        ({"email": "ann@example.com\r\nBcc: x@y.z"}, "/email"),
        ({"autoGenerate": "perhaps"}, "/autoGenerate"),
        ({"heartRate": {"max": 20}}, "/heartRate/max"),
        ({"heartRate": {"resting": 120, "max": 100}}, "/heartRate"),
        ({"id": "bob"}, "/id"),
    ],
)
async def test_what_does_not_fit_is_refused(server: httpx.AsyncClient, wrong: dict[str, Any], pointer: str) -> None:
    refused = await server.put("/api/users/ann", json=wrong)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await server.get("/api/users/ann")).status_code == 404


async def test_a_token_reads_its_own_user_and_changes_none(api: Api, server: httpx.AsyncClient) -> None:
    for name in ("ann", "bob"):
        await server.put(f"/api/users/{name}", json=WHOLE)
    for scope in ("read:owner:ann", "write:owner:ann"):
        token = await api.bearer(scope, owner="ann")
        assert (await token.get("/api/users/ann")).json()["tier"] == "premium"
        for method, path in (("GET", "bob"), ("GET", "nobody"), ("PUT", "ann"), ("DELETE", "ann")):
            answer = await token.request(method, f"/api/users/{path}", json={} if method == "PUT" else None)
            assert answer.status_code == 404, (method, path)
    assert (await (await api.client(None)).get("/api/users/ann")).status_code == 401


async def test_an_erasure_begins_with_the_engine_down_and_once(api: Api, server: httpx.AsyncClient) -> None:
    await server.put("/api/users/ann", json=WHOLE)
    first = await server.delete("/api/users/ann")
    assert (first.status_code, first.json()["jobType"], first.json()["status"]) == (202, "erase-user", "queued")
    again = await server.delete("/api/users/ann")
    assert again.json()["jobId"] == first.json()["jobId"]
    other = await server.delete(f"/api/users/{uuid4()}")
    assert other.json()["jobId"] != first.json()["jobId"]

    assert (await server.get("/api/users/ann")).status_code == 404
    back = await server.put("/api/users/ann", json=WHOLE)
    assert (back.status_code, back.json()["code"]) == (409, "erasing")
    job = await api.jobs.get(UUID(first.json()["jobId"]))
    assert job
    assert "ann" not in f"{job.payload} {job.title} {job.owner} {job.metadata}", "what the engine is told of"


async def test_an_erasure_that_was_canceled_is_asked_for_anew(api: Api, server: httpx.AsyncClient) -> None:
    first = (await server.delete("/api/users/ann")).json()["jobId"]
    await api.database.execute("UPDATE jobs SET status = 'canceled', finished_at = now() WHERE id = $1", UUID(first))
    assert (await server.delete("/api/users/ann")).json()["jobId"] != first
