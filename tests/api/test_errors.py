"""Every refusal is Problem Details with a stable code, and says nothing of the insides."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Generator, MutableMapping, Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog

from local import ports
from settings import Settings
from tests.api.conftest import KEY, RESEARCH, Api

START = {"jobType": "company-research", "payload": RESEARCH}


def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), answer.text
    assert {"type", "title", "status", "detail", "code"} <= set(problem)
    for inside in ("postgres", "asyncpg", "Traceback", "SELECT", "127.0.0.1", ".py"):
        assert inside not in answer.text
    return problem


@pytest.mark.parametrize("body", [b"{", b"", b"[1", b'{"a" 1}'])
async def test_bad_json_is_400_and_no_body_is_422(server: httpx.AsyncClient, body: bytes) -> None:
    answer = await server.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    if body:
        check(answer, 400, "invalid_json")
    else:
        assert check(answer, 422, "invalid_payload")["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    ("change", "code", "pointers"),
    [
        ({"payload": {"companyName": "x"}}, "invalid_payload", ["/payload/role"]),
        ({"payload": {**RESEARCH, "nope": 1}}, "invalid_payload", ["/payload/nope"]),
        ({"payload": []}, "invalid_payload", ["/payload"]),
        ({"nope": 1}, "invalid_payload", ["/nope"]),
        ({"a/b~c": 1}, "invalid_payload", ["/a~1b~0c"]),
        ({"jobType": "nope"}, "unknown_kind", ["/jobType"]),
        ({"options": {"tags": ["a"] * 11}}, "invalid_payload", ["/options/tags"]),
        ({"options": {"nope": 1}}, "invalid_payload", ["/options/nope"]),
        ({"options": {"idempotencyKey": "k" * 2049}}, "invalid_payload", ["/options/idempotencyKey"]),
        ({"options": {"delay": "5w"}}, "invalid_payload", ["/options/delay"]),
        ({"options": {"delay": "99999d"}}, "invalid_payload", ["/options/delay"]),
        ({"options": {"delay": "2030-01-01T00:00:00"}}, "invalid_payload", ["/options/delay"]),
        ({"options": {"ttl": "soon"}}, "invalid_payload", ["/options/ttl"]),
        ({"options": {"priority": 6}}, "invalid_payload", ["/options/priority"]),
        ({"options": {"concurrencyKey": ""}}, "invalid_payload", ["/options/concurrencyKey"]),
        ({"options": {"webhook": "https://user:word@example.com/"}}, "invalid_payload", ["/options/webhook"]),
        ({"options": {"webhook": "ftp://example.com/"}}, "invalid_payload", ["/options/webhook"]),
        ({"options": {"email": "ann"}}, "invalid_payload", ["/options/email"]),
        ({"options": {"email": "ann@example.com"}}, "not_configured", ["/options/email"]),
        ({"options": {"retry": {"maxAttempts": 0}}}, "invalid_payload", ["/options/retry/maxAttempts"]),
        ({"options": {"retry": {"maxAttempts": 21}}}, "invalid_payload", ["/options/retry/maxAttempts"]),
        ({"options": {"retry": {"factor": 0.5}}}, "invalid_payload", ["/options/retry/factor"]),
        ({"options": {"retry": {"minTimeoutInMs": -1}}}, "invalid_payload", ["/options/retry/minTimeoutInMs"]),
        (
            {"options": {"retry": {"minTimeoutInMs": 500, "maxTimeoutInMs": 499}}},
            "invalid_payload",
            ["/options/retry/maxTimeoutInMs"],
        ),
        ({"payload": {**RESEARCH, "role": "a\u0000b"}}, "invalid_request", None),
        ({"options": {"metadata": {"a": "\ud800"}}}, "invalid_request", None),
    ],
)
async def test_wrong_content_is_422_and_points_to_it(
    server: httpx.AsyncClient, change: dict[str, Any], code: str, pointers: list[str] | None
) -> None:
    body = json.dumps({**START, **change}).encode()
    problem = check(
        await server.post("/api/jobs", content=body, headers={"Content-Type": "application/json"}), 422, code
    )
    if pointers:
        assert [error["pointer"] for error in problem["errors"]] == pointers
    assert (await server.get("/api/jobs")).json()["jobs"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=101", "?limit"),
        ("limit=0", "?limit"),
        ("nope=1", "?nope"),
        ("status=done", "?status"),
        ("createdAfter=yesterday", "?createdAfter"),
        ("cursor=xyz", "?cursor"),
        ("cursor=%C3%A9", "?cursor"),
        ("batchId=1", "?batchId"),
        ("type=nope", "?type"),
    ],
)
async def test_a_wrong_query_is_422(server: httpx.AsyncClient, query: str, pointer: str) -> None:
    answer = await server.get(f"/api/jobs?{query}")
    code = "unknown_kind" if pointer == "?type" else "invalid_request"
    assert check(answer, 422, code)["errors"][0]["pointer"] == pointer


async def test_what_is_not_there_is_404_and_what_cannot_be_done_405(server: httpx.AsyncClient) -> None:
    check(await server.get(f"/api/jobs/{uuid4()}"), 404, "job_not_found")
    check(await server.get("/api/jobs/not-an-id"), 404, "job_not_found")
    check(await server.get("/api/research-status/not-an-id"), 404, "job_not_found")
    check(await server.get("/api/nothing"), 404, "not_found")
    check(await server.get("/api/reconciliation"), 404, "not_found")
    answer = await server.delete("/api/jobs")
    check(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]


async def test_too_much_is_413(api: Api, server: httpx.AsyncClient) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(300):
            yield b" " * 8192

    whole = {**START, "options": {"metadata": {"a": "x" * 2**20}}}
    check(await server.post("/api/jobs", json=whole), 413, "payload_too_large")
    check(
        await server.post("/api/jobs", content=endless(), headers={"Content-Type": "application/json"}),
        413,
        "payload_too_large",
    )
    payload = {**START, "options": {"metadata": {"a": "x" * 300_000}}}
    assert check(await server.post("/api/jobs", json=payload), 413, "payload_too_large")["errors"] == [
        {"pointer": "/options/metadata", "detail": "metadata holds at most 256 KiB"}
    ]


async def test_a_ledger_that_is_down_is_503_and_comes_back_later(
    serve: Callable[[Settings], Any], settings: Settings
) -> None:
    dead = f"postgresql://postgres:secret-word@127.0.0.1:{ports.free()}/longrun"
    api = await serve(Settings(database_url=dead, api_keys=settings.api_keys))
    server = await api.client()
    for answer in (
        await server.post("/api/jobs", json=START),
        await server.post("/api/research-direct", json=RESEARCH),
        await server.get("/api/jobs"),
        await server.get(f"/api/jobs/{uuid4()}/events"),
    ):
        problem = check(answer, 503, "ledger_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert "jobId" not in problem, "nothing was sent, so nothing is in doubt"
    ready = await server.get("/readyz")
    assert (ready.status_code, ready.json()["ledger"]) == (503, "down")
    assert (await server.get("/livez")).status_code == 200


async def test_a_connection_that_dies_in_the_commit_names_the_job(api: Api, server: httpx.AsyncClient) -> None:
    """PostgreSQL ends every session that opens a job, twice: the first try and the look-up after it."""
    await api.database.execute(
        """CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
        CREATE TRIGGER die BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION die()"""
    )
    problem = check(await server.post("/api/jobs", json=START), 503, "ledger_unavailable")
    assert (await server.get(f"/api/jobs/{problem['jobId']}")).status_code == 404
    assert problem["jobId"]


@pytest.fixture
def logged() -> Generator[Sequence[MutableMapping[str, Any]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_the_unforeseen_is_a_plain_500_and_the_log_keeps_its_place(
    logged: Sequence[MutableMapping[str, Any]], api: Api, server: httpx.AsyncClient
) -> None:
    await api.database.execute("ALTER TABLE jobs RENAME COLUMN title TO titel")
    check(
        await server.post("/api/jobs", json={**START, "payload": {**RESEARCH, "role": "m4rker"}}), 500, "internal_error"
    )
    failed = [line for line in logged if line["event"] == "request failed"]
    assert [line["error"] for line in failed] == ["UndefinedColumnError"]
    assert failed[0]["at"]
    assert "m4rker" not in str(logged)


async def test_one_line_a_request_without_query_payload_or_token(
    logged: Sequence[MutableMapping[str, Any]], api: Api, server: httpx.AsyncClient
) -> None:
    token = await api.token("read:owner:ann")
    payload = {**RESEARCH, "role": "m4rker"}
    started = await server.post("/api/jobs", json={**START, "payload": payload, "options": {"owner": "ann"}})
    job_id = started.json()["jobId"]
    nobody = await api.client(None)
    async with nobody.stream("GET", f"/api/jobs/{job_id}/events?token={token}") as stream:
        assert stream.status_code == 200
    await server.get("/api/jobs?tag=m4rker")
    await server.get("/nowhere/m4rker")

    async with asyncio.timeout(20):
        while len(lines := [line for line in logged if line["event"] == "request"]) < 5:
            await asyncio.sleep(0.01)
    assert {(line["method"], line["route"], line["status"]) for line in lines} == {
        ("POST", "/api/tokens", 201),
        ("POST", "/api/jobs", 202),
        ("GET", "/api/jobs/{job_id}/events", 200),
        ("GET", "/api/jobs", 200),
        ("GET", None, 404),
    }
    assert all(line["ms"] >= 0 for line in lines)
    for secret in ("m4rker", token, KEY):
        assert secret not in str(logged)


async def test_browsers_elsewhere_may_ask(server: httpx.AsyncClient) -> None:
    preflight = await server.options(
        "/api/jobs",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,idempotency-key,last-event-id,x-trigger-client",
        },
    )
    assert preflight.status_code == 200
    allowed = preflight.headers["Access-Control-Allow-Headers"]
    assert all(name in allowed for name in ("authorization", "idempotency-key", "last-event-id", "x-trigger-client"))
    refused = await server.get(f"/api/jobs/{uuid4()}", headers={"Origin": "https://app.example"})
    assert refused.headers["Access-Control-Allow-Origin"] == "*", "also on errors"


async def test_only_the_named_origins_may_ask(serve: Callable[[Settings], Any], settings: Settings) -> None:
    named = Settings(database_url=settings.database_url, api_keys=(KEY,), cors_origins=("https://app.example",))
    server = await (await serve(named)).client()
    ours = await server.get("/api/jobs", headers={"Origin": "https://app.example"})
    theirs = await server.get("/api/jobs", headers={"Origin": "https://evil.example"})
    assert ours.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in theirs.headers
