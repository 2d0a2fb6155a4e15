"""Who may call, and what a token sees: its own, and of the rest not even that it exists."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from api.app import create_app
from api.auth import Credentials
from ledger.jobs import JobFilter
from settings import Settings, SettingsError
from tests.api.conftest import KEY, OTHER_KEY, RESEARCH, Api

GONE = "/api/jobs/00000000-0000-4000-8000-000000000000"


def signed(key: str, **claims: Any) -> str:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    return jwt.encode({"exp": soon, "scopes": ["read:owner:ann"], **claims}, key, algorithm="HS256")


@pytest.mark.parametrize("path", ["/api/jobs", GONE, f"{GONE}/events", "/api/kinds", "/api/research-history"])
async def test_nothing_is_told_without_credentials(api: Api, path: str) -> None:
    for credential in (None, "wrong", "a.b.c", KEY[:-1], signed("x" * 40)):
        answer = await (await api.client(credential)).get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), credential
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_start_without_credentials_starts_nothing(api: Api, server: httpx.AsyncClient) -> None:
    nobody = await api.client(None)
    for path in ("/api/jobs", "/api/research-direct"):
        assert (await nobody.post(path, json=RESEARCH)).status_code == 401
    assert (await server.get("/api/jobs")).json()["jobs"] == []


@pytest.mark.parametrize("path", ["/livez", "/openapi.json", "/docs"])
async def test_some_pages_need_no_credentials(api: Api, path: str) -> None:
    assert (await (await api.client(None)).get(path)).status_code == 200


async def test_each_key_opens_and_signs(api: Api) -> None:
    job_id = await api.opened(owner="ann")
    for credential in (KEY, OTHER_KEY, signed(KEY), signed(OTHER_KEY, aud="somebody", iss="elsewhere", pub=True)):
        assert (await (await api.client(credential)).get(f"/api/jobs/{job_id}")).status_code == 200


async def test_a_token_must_be_signed_and_end(api: Api) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    endless = jwt.encode({"scopes": ["read:owner:ann"]}, KEY, algorithm="HS256")
    unsigned = jwt.encode({"exp": 2**33, "scopes": ["read:owner:ann"]}, None, algorithm="none")
    job_id = await api.opened(owner="ann")
    for token in (signed(KEY, exp=past), endless, unsigned):
        assert (await (await api.client(token)).get(f"/api/jobs/{job_id}")).status_code == 401


async def test_another_owners_token_gets_404_for_everything(api: Api, server: httpx.AsyncClient) -> None:
    batch = (
        await server.post(
            "/api/jobs/batch",
            json={"items": [{"jobType": "research", "payload": RESEARCH, "options": {"owner": "ann", "tags": ["t"]}}]},
        )
    ).json()
    job_id = batch["jobIds"][0]
    bob = await api.bearer("read:owner:bob", "write:owner:bob", owner="bob")
    token = bob.headers["Authorization"].removeprefix("Bearer ")

    for path in ("", "/progress", "/audit", "/events"):
        assert (await bob.get(f"/api/jobs/{job_id}{path}")).status_code == 404, path
    for path in (
        f"/api/jobs/{job_id}/events?token={token}",
        f"/api/jobs?jobId={job_id}",
        "/api/jobs?owner=ann",
        f"/api/batches/{batch['batchId']}",
        f"/api/research-status/{job_id}",
        "/api/research-history?owner=ann",
        "/api/reconciliation",
    ):
        assert (await bob.get(path)).status_code == 404, path
    for path, body in (
        (f"/api/jobs/{job_id}/cancel", {}),
        (f"/api/jobs/{job_id}/replay", {}),
        ("/api/jobs", {"jobType": "research", "payload": RESEARCH, "options": {"owner": "ann"}}),
        ("/api/jobs/batch", {"items": [{"jobType": "research", "payload": RESEARCH, "options": {"owner": "ann"}}]}),
        ("/api/research-direct", {**RESEARCH, "userId": "ann"}),
        ("/api/research-batch", {"companies": [RESEARCH], "userId": "ann"}),
        ("/api/tokens", {"scopes": ["read:owner:ann"]}),
        ("/api/reconciliation", {}),
    ):
        assert (await bob.post(path, json=body)).status_code == 404, path
    assert (await bob.get("/api/jobs")).json()["jobs"] == []
    unknown = await bob.get(GONE)
    assert unknown.json() == (await bob.get(f"/api/jobs/{job_id}")).json(), "what is not yours looks like nothing"
    assert len((await server.get("/api/jobs")).json()["jobs"]) == 1


@pytest.mark.parametrize(
    "spelling", ["read:jobs:{id}", "read:runs:run_{hex}", "read:tags:t", "read:batch:batch_{batch}"]
)
async def test_a_reading_scope_shows_and_does_not_touch(api: Api, server: httpx.AsyncClient, spelling: str) -> None:
    item = {"jobType": "research", "payload": RESEARCH, "options": {"owner": "ann", "tags": ["s", "t"]}}
    batch = (await server.post("/api/jobs/batch", json={"items": [item]})).json()
    hidden = await api.opened(owner="ann", tags=["u"])
    job_id = batch["jobIds"][0]
    scope = spelling.format(id=job_id, hex=job_id.replace("-", ""), batch=batch["batchId"].replace("-", ""))
    reader = await api.bearer(scope)

    assert (await reader.get(f"/api/jobs/{job_id}")).status_code == 200
    assert (await reader.get(f"/api/jobs/{job_id}/audit")).status_code == 200
    assert (await reader.get(f"/api/research-status/{job_id}")).status_code == 200
    assert (await reader.get(f"/api/jobs/{hidden}")).status_code == 404
    for verb in ("cancel", "replay"):
        assert (await reader.post(f"/api/jobs/{job_id}/{verb}")).status_code == 404
    assert (await reader.post("/api/jobs", json=item)).status_code == 404


async def test_a_list_holds_what_the_token_shows(api: Api) -> None:
    mine = [await api.opened(owner="ann"), await api.opened(owner="ann", tags=["t"]), await api.opened(tags=["t"])]
    await api.opened(owner="bob")
    reader = await api.bearer("read:owner:ann", "read:tags:t")

    def ids(answer: httpx.Response) -> list[str]:
        return [job["jobId"] for job in answer.json()["jobs"]]

    newest_first = [str(job_id) for job_id in reversed(mine)]
    assert ids(await reader.get("/api/jobs")) == newest_first
    assert ids(await reader.get("/api/jobs?owner=ann")) == newest_first[1:]
    assert ids(await reader.get("/api/jobs?tag=t")) == newest_first[:2]
    first = await reader.get("/api/jobs?limit=2")
    rest = await reader.get(f"/api/jobs?limit=2&cursor={first.json()['nextCursor']}")
    assert ids(first) + ids(rest) == newest_first


async def test_a_writing_token_starts_and_cancels_for_its_owner(api: Api) -> None:
    ann = await api.bearer("write:owner:ann", owner="ann")

    started = await ann.post("/api/jobs", json={"jobType": "research", "payload": RESEARCH})
    assert started.status_code == 202
    job_id = started.json()["jobId"]
    job = (await ann.get(f"/api/jobs/{job_id}")).json()
    assert job["owner"] == "ann"
    assert (await ann.post(f"/api/jobs/{job_id}/cancel")).status_code == 202
    events = (await ann.get(f"/api/jobs/{job_id}/audit")).json()["events"]
    assert {event.get("by") for event in events if event["type"] == "cancel_requested"} == {"owner:ann"}


@pytest.mark.parametrize("name", ["company-research", "research"])
async def test_a_trigger_token_starts_its_kind_alone(api: Api, name: str) -> None:
    bearer = await api.bearer(f"trigger:tasks:{name}", owner="ann")
    other = await api.bearer("trigger:tasks:something-else", owner="ann")
    asked = {"jobType": "company-research", "payload": RESEARCH}

    started = await bearer.post("/api/jobs", json=asked)
    assert started.status_code == 202
    assert (await bearer.get(started.json()["statusUrl"])).status_code == 404
    rows = await api.jobs.list(JobFilter(owner="ann"))
    assert [str(row.id) for row in rows] == [started.json()["jobId"]]
    assert (await other.post("/api/jobs", json=asked)).status_code == 404
    assert (await bearer.post("/api/jobs", json={**asked, "options": {"owner": "bob"}})).status_code == 404


async def test_a_minted_token_says_when_it_ends(server: httpx.AsyncClient) -> None:
    asked = {"owner": "ann", "scopes": ["read:owner:ann"], "expiresIn": "2h"}
    minted = (await server.post("/api/tokens", json=asked)).json()
    claims = jwt.decode(minted["token"], KEY, algorithms=["HS256"])
    assert (claims["sub"], claims["scopes"]) == ("ann", ["read:owner:ann"])
    left = claims["exp"] - datetime.now(UTC).timestamp()
    assert 7100 < left <= 7200
    assert minted["expiresAt"] == datetime.fromtimestamp(claims["exp"], UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": ["admin"]}, "/scopes/0"),
        ({"scopes": ["read:owner:"]}, "/scopes/0"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["read:owner:a"], "expiresIn": "90d"}, "/expiresIn"),
        ({"scopes": ["read:owner:a"], "expiresIn": "0s"}, "/expiresIn"),
        ({"scopes": ["read:owner:a"], "expiresIn": "soon"}, "/expiresIn"),
    ],
)
async def test_a_token_that_grants_nothing_is_not_minted(
    server: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    answer = await server.post("/api/tokens", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_key_may_be_short() -> None:
    keys = Credentials(["short"])
    token = keys.mint("ann", ["read:owner:ann"], datetime.now(UTC) + timedelta(minutes=1))
    assert keys.weak
    assert keys.caller(token).name == "owner:ann"
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        assert jwt.decode(token, "short", algorithms=["HS256"])["sub"] == "ann", "others can check it with the key"


def test_the_api_refuses_to_be_reachable_without_a_key() -> None:
    with pytest.raises(SettingsError, match="LONGRUN_API_KEYS"):
        create_app(Settings(host="0.0.0.0"))
    create_app(Settings(host="0.0.0.0", api_keys=(KEY,)))
    create_app(Settings(host="127.0.0.1"))


async def test_a_token_does_not_make_its_owner_premium(api: Api) -> None:
    ann = await api.bearer("write:owner:ann", owner="ann")
    job = {"jobType": "research", "payload": RESEARCH, "options": {"tier": "premium"}}
    schedule = job | {"cron": "0 8 * * *"}
    for path, body, pointer in (
        ("/api/jobs", job, "/options/tier"),
        ("/api/jobs/batch", {"items": [job]}, "/items/0/options/tier"),
        ("/api/schedules", schedule, "/options/tier"),
    ):
        refused = await ann.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "tier_limit")
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert (await ann.post("/api/jobs", json=job | {"options": {"tier": "free"}})).status_code == 202
