"""Ingests of a runner's history over HTTP: who may ask, what is refused, what it will take."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import to_json

from domain.running.contents import HALVES, Words
from domain.running.ingest import IngestRequest
from domain.usage import Call, Spent, Usage
from ledger.contents import Contents
from ledger.items import JobItems, Settled
from ledger.run_history import RunHistory
from ledger.spend import Spend
from settings import Settings
from tests.api.conftest import Api
from tests.support.runs import add_runs, facts

HAIKU = {"anthropic_api_key": "k", "model": "claude-haiku-4-5"}


async def test_a_start_answers_with_the_job_and_again_with_the_same(api: Api) -> None:
    server = await api.client()
    await add_runs(api.database, "ann", 2)
    first = await server.post("/api/run-history/ingest", json={"userId": "ann", "tier": "free", "fromTheSeed": 1})
    assert first.status_code == 202, first.text
    job_id = first.json()["jobId"]
    again = await server.post("/api/run-history/ingest", json={"userId": "ann", "regenerate": True})
    assert (again.status_code, again.json()["jobId"]) == (202, job_id)
    native = await server.post("/api/jobs", json={"jobType": "batch-ingest-run-history", "payload": {"userId": "ann"}})
    assert (native.status_code, native.json()["jobId"]) == (202, job_id)
    other = await server.post("/api/run-history/ingest", json={"userId": "bob"})
    assert other.json()["jobId"] != job_id
    assert (await server.get(f"/api/jobs/{job_id}")).json()["owner"] == "ann"


async def test_who_joins_an_open_ingest_is_told_what_of_theirs_does_not_apply(
    settings: Settings, serve: Callable[[Settings], Any]
) -> None:
    """Nobody writes a letter to the second address: the first one's ingest goes on as it was asked for."""
    api = await serve(replace(settings, smtp_url="smtp://127.0.0.1:9"))
    server = await api.client()
    asked = {"userId": "ann", "email": "ann@example.com", "maxActivities": 5}
    first = await server.post("/api/run-history/ingest", json=asked)
    assert "notApplied" not in first.json()
    told = [
        (await server.post("/api/run-history/ingest", json={**asked, **more})).json()
        for more in ({}, {"email": "coach@example.com"}, {"email": None}, {"regenerate": True, "maxActivities": 6})
    ]
    assert {one["jobId"] for one in told} == {first.json()["jobId"]}
    assert [one["notApplied"] for one in told] == [[], ["email"], [], ["maxActivities", "regenerate"]]
    job = (await server.get(f"/api/jobs/{first.json()['jobId']}")).json()
    assert job["payload"]["maxActivities"] == 5


@pytest.mark.parametrize("tier", [None, "premium"])
async def test_more_than_twenty_is_403_for_a_free_user(api: Api, tier: str | None) -> None:
    server = await api.client()
    body = {"userId": "ann", "maxActivities": 21} | ({"tier": tier} if tier else {})
    refused = await server.post("/api/run-history/ingest", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "tier_limit")
    assert refused.json()["detail"] == "Upgrade to premium for full history"
    assert refused.json()["errors"][0]["pointer"] == "/maxActivities"
    payload = {"jobType": "batch-ingest-run-history", "payload": {"userId": "ann", "maxActivities": 21}}
    assert (await server.post("/api/jobs", json=payload)).status_code == 403
    assert (await server.get("/api/run-history/ann/estimate?maxActivities=21")).status_code == 403
    assert (await server.get("/api/jobs")).json()["jobs"] == []
    await add_runs(api.database, "ann", 0, tier="premium")
    assert (await server.post("/api/run-history/ingest", json={**body, "tier": "free"})).status_code == 403
    assert (await server.post("/api/run-history/ingest", json=body)).status_code == 202


async def test_a_token_reaches_its_own_history_alone(api: Api) -> None:
    ann = await api.bearer("write:owner:ann", "read:owner:ann", owner="ann")
    assert (await ann.post("/api/run-history/ingest", json={"userId": "ann"})).status_code == 202
    assert (await ann.post("/api/run-history/ingest", json={"userId": "bob"})).status_code == 404
    for what in ("status", "estimate"):
        assert (await ann.get(f"/api/run-history/ann/{what}")).status_code == 200
        assert (await ann.get(f"/api/run-history/bob/{what}")).status_code == 404
        assert (await (await api.client(None)).get(f"/api/run-history/ann/{what}")).status_code == 401


async def test_an_email_without_a_mail_server_is_refused(api: Api) -> None:
    server = await api.client()
    body = {"userId": "ann", "email": "ann@example.com"}
    refused = (await server.post("/api/run-history/ingest", json=body)).json()
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("not_configured", "/email")


@pytest.fixture
async def with_key(settings: Settings, serve: Callable[[Settings], Any]) -> Api:
    return await serve(replace(settings, **HAIKU, model_requests_per_minute=600))


async def written(api: Api, user: str, runs: list[UUID], *, tokens: tuple[int, int]) -> UUID:
    """A completed ingest, whose every text took so many tokens."""
    job_id = await api.opened(owner=user)
    spend, contents = Spend(api.database), Contents(api.database)
    words, told = Words(text="You ran.", answered_by="anthropic"), to_json(facts(5).facts).decode()
    for run in runs:
        for half in HALVES:
            call = Call(job_id=job_id, step="generate", item=f"{run}:{half}")
            usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1])
            await spend.record(
                Spent(call=call, vendor="anthropic", model="m", usage=usage, cost_usd=Decimal("0.001")),
                prompt_hash="h",
                answer={},
            )
            await contents.store(run, half, words, told, call)
    return job_id


async def test_an_estimate_says_what_a_history_will_take(with_key: Api) -> None:
    api, server = with_key, await with_key.client()
    await add_runs(api.database, "ann", 100, tier="premium")
    found = (await server.get("/api/run-history/ann/estimate")).json()
    assert (found["activities"], found["letters"], found["insights"], found["basis"]) == (100, 100, 100, "assumed")
    assert (found["inputTokens"], found["outputTokens"]) == (100 * (300 + 500), 100 * (150 + 400))
    # a dollar and five a million tokens
    assert float(found["costUsd"]) == pytest.approx(0.08 + 0.275)
    # ten batches of six seconds with nine pauses; the limit lets through ten calls a second
    assert found["seconds"] == 10 * 6 + 9 * 2
    free = (await server.get("/api/run-history/ann/estimate?tier=free")).json()
    assert (free["tier"], free["activities"]) == ("free", 20)


async def test_an_estimate_goes_by_the_users_own_texts_once_there_are_any(with_key: Api) -> None:
    api, server = with_key, await with_key.client()
    runs = await add_runs(api.database, "ann", 30, tier="premium")
    await written(api, "ann", runs[:10], tokens=(1000, 200))
    found = (await server.get("/api/run-history/ann/estimate")).json()
    assert (found["activities"], found["letters"], found["basis"]) == (20, 20, "measured")
    assert (found["inputTokens"], found["outputTokens"]) == (2 * 20 * 1000, 2 * 20 * 200)
    anew = (await server.get("/api/run-history/ann/estimate?regenerate=true&maxActivities=10")).json()
    assert anew["letters"] == 10


async def test_an_estimate_without_a_key_costs_nothing(api: Api) -> None:
    await add_runs(api.database, "ann", 3)
    found = (await (await api.client()).get("/api/run-history/ann/estimate")).json()
    assert (found["model"], found["costUsd"], found["inputTokens"], found["letters"]) == (None, "0", 0, 3)


async def test_the_status_counts_halves_and_tells_what_failed(api: Api) -> None:
    server = await api.client()
    runs = await add_runs(api.database, "ann", 5, tier="premium")
    started = await server.post("/api/run-history/ingest", json={"userId": "ann"})
    job_id = UUID(started.json()["jobId"])
    history, items, asked = RunHistory(api.database), JobItems(api.database), IngestRequest(user_id="ann")
    await history.select(job_id, asked)
    await written(api, "ann", runs[:2], tokens=(10, 10))
    await items.settle(job_id, [Settled(1, "done"), Settled(2, "done")], pace=100.0)
    await items.settle(job_id, [Settled(3, "failed", {"code": "http_500", "message": "no answer"})], pace=100.0)
    body = (await server.get("/api/run-history/ann/status")).json()
    assert body["history"]["activities"] == 5
    assert body["history"]["letters"] == {"pending": 3, "generating": 0, "completed": 2, "failed": 0}
    assert body["failures"] == [{"activityId": str(runs[2]), "code": "http_500", "message": "no answer"}]
    progress = body["job"]["progress"]
    assert progress["items"] == {"done": 2, "failed": 1, "skipped": 0, "total": 5}
    assert 100 < progress["etaSeconds"] <= 200
    assert (await server.get(f"/api/jobs/{job_id}")).json()["progress"]["etaSeconds"] <= 200
    nobody = (await server.get("/api/run-history/zoe/status")).json()
    assert (nobody["history"]["activities"], nobody["job"], nobody["failures"]) == (0, None, [])
