"""What the API says of itself: kinds, OpenAPI, health; and what it does not load."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker

from api import health
from domain.research import CompanyResearchRequest
from engine import polling
from engine.start import QUEUE
from ledger.migrate import pending
from settings import Settings
from tests.api.conftest import RESEARCH, Api


def test_the_api_loads_no_model_sdk() -> None:
    heavy = ("anthropic", "openai", "pydantic_ai", "deepgram", "trafilatura")
    code = f"import sys, api.app; api.app.create_app(); print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_catalogue_is_told(server: httpx.AsyncClient) -> None:
    kinds = (await server.get("/api/kinds")).json()["kinds"]
    research = next(kind for kind in kinds if kind["name"] == "company-research")
    assert research["aliases"] == ["research"]
    assert research["payload"]["required"] == ["companyName", "role"]
    assert "askThem" in research["result"]["properties"]
    assert [step["name"] for step in research["steps"]] == ["scrape_website", "search_github", "analyze", "store"]
    assert research["limits"] == {"maxDurationSeconds": 1800, "payloadBytes": 100_000}


@pytest.fixture
async def schema(api: Api) -> dict[str, Any]:
    return (await (await api.client(None)).get("/openapi.json")).json()


def test_the_description_shows_every_kinds_payload(schema: dict[str, Any]) -> None:
    parts = schema["components"]["schemas"]
    body = schema["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Start"}
    assert parts["Start"]["discriminator"]["mapping"]["research"] == "#/components/schemas/StartCompanyResearch"
    start = parts["StartCompanyResearch"]
    assert start["properties"]["jobType"]["enum"] == ["company-research", "research"]
    payload = parts[start["properties"]["payload"]["$ref"].rsplit("/", 1)[1]]
    assert set(payload["properties"]) == {
        field.alias for field in CompanyResearchRequest.model_fields.values()
    }  # fmt: skip
    assert "idempotencyKeyTTL" in parts["Options"]["properties"]


def test_every_reference_of_the_description_leads_somewhere(schema: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for each in value.values() for found in references(each)]
        return [found for each in value for found in references(each)] if isinstance(value, list) else []

    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(references(schema)) <= known


def test_every_call_is_described_with_its_errors(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            assert call["description"], (method, path)
            if path not in ("/livez", "/readyz"):
                assert call["security"] == [{"bearer": []}]
                # its errors are those of the API that it speaks
                spoken = "application/json" if path.startswith("/api/v1/") else "application/problem+json"
                assert set(call["responses"]["401"]["content"]) == {spoken}


async def test_ready_is_who_has_ledger_and_schema(
    api: Api, serve: Callable[[Settings], Any], settings: Settings, database_url: str
) -> None:
    nobody = await api.client(None)
    ready = await nobody.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ledger": "up", "engine": "down", "workers": 0})

    await api.database.execute("DELETE FROM migrations")
    assert await pending(database_url, "longrun")
    fresh = await (await serve(settings)).client(None)
    outdated = await fresh.get("/readyz")
    assert (outdated.status_code, outdated.json()["ledger"]) == (503, "outdated")


@workflow.defn(name="idle", sandboxed=False)
class Idle:
    @workflow.run
    async def run(self) -> None:
        """Never started: its worker only has to ask for work."""


@pytest.fixture
async def with_engine(
    serve: Callable[[Settings], Any],
    settings: Settings,
    engine_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Api:
    for name, value in engine_env.items():
        monkeypatch.setenv(name, value)
    # for probes; here nothing is to be taken for down that is slow
    monkeypatch.setattr(health, "ENGINE_LIMIT_SECONDS", 30.0)
    monkeypatch.setattr(polling, "LIMIT", timedelta(seconds=30))
    return await serve(settings)


async def test_workers_that_ask_for_work_are_counted(with_engine: Api, client: Client) -> None:
    nobody = await with_engine.client(None)
    assert (await nobody.get("/readyz")).json() == {"ledger": "up", "engine": "up", "workers": 0}
    async with Worker(client, task_queue=QUEUE, workflows=[Idle], graceful_shutdown_timeout=timedelta(0)):
        while (await nobody.get("/readyz")).json()["workers"] != 1:
            await asyncio.sleep(0.05)


async def test_the_job_goes_to_the_engine_and_a_cancel_follows_it(with_engine: Api, client: Client) -> None:
    server = await with_engine.client()
    job_id = (await server.post("/api/jobs", json={"jobType": "research", "payload": RESEARCH})).json()["jobId"]
    handle = client.get_workflow_handle(job_id)
    while (row := await with_engine.jobs.get(job_id)) and not row.engine_started_at:
        await asyncio.sleep(0.05)
    assert (await handle.describe()).workflow_type == "company-research"
    silent = await server.get(f"/api/jobs/{job_id}/progress")
    assert (silent.status_code, silent.json()["code"]) == (503, "engine_unavailable"), "nobody works"

    assert (await server.post(f"/api/jobs/{job_id}/cancel")).status_code == 202
    while True:
        history = await handle.fetch_history()
        if EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED in {event.event_type for event in history.events}:
            break
        await asyncio.sleep(0.05)


async def test_a_reconciliation_answers_with_its_report(with_engine: Api) -> None:
    server = await with_engine.client()
    report = await server.post("/api/reconciliation")
    assert report.status_code == 200
    assert report.json()["checked"] == 0
    assert (await server.get("/api/reconciliation")).json() == report.json()


async def test_a_reconciliation_needs_the_engine(server: httpx.AsyncClient) -> None:
    answer = await server.post("/api/reconciliation")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")


async def test_the_docs_page_loads_nothing_from_elsewhere(server: httpx.AsyncClient) -> None:
    page = await server.get("/docs")
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        asset = await server.get(source)  # an absolute address elsewhere would be refused: sockets are loopback's
        assert asset.status_code == 200
        assert str(asset.url).startswith(str(server.base_url))
