"""What was written about runs, over HTTP; jobs that start by themselves; payloads that name somebody else's runs."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from pydantic_core import to_json

from domain.errors import LedgerUnavailable
from domain.running.contents import ReviewSheet, Words
from domain.running.figures import Fact
from domain.usage import Call
from domain.users import UserRequest
from engine.submit import Submitter
from intake.run_contents import AutoContent
from ledger.audit import AuditLog
from ledger.contents import Contents
from ledger.database import Database
from ledger.jobs import JobFilter, Jobs
from ledger.steps import Steps
from ledger.users import Users
from settings import Settings
from tests.api.conftest import KEY, Api, serving
from tests.support.databases import cloned
from tests.support.runs import add_runs
from workflows.catalog import installed

pytestmark = pytest.mark.asyncio(loop_scope="module")
FACTS = {"distance": Fact(value=5_000, unit="m", basis="as told in the summary; no samples", quality="fair")}
WORDS = Words(text="Five kilometres, and home again.", answered_by="anthropic", model="claude-haiku-5-5")
GIVEN = {
    "name": "Lunch run",
    "startedAt": "2026-05-01T11:00:00Z",
    "summary": {"distanceMeters": 5000, "movingSeconds": 1500},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(postgres_url: str, template: str) -> AsyncGenerator[Api]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        async with cloned(postgres_url, template) as url, AsyncExitStack() as clients:
            database = Database(url)
            jobs = Jobs(database)
            with serving(Settings(database_url=url, api_keys=(KEY,))) as address:
                yield Api(
                    address, database, jobs, Steps(database), Submitter(jobs, installed()), AuditLog(database), clients
                )
            await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api) -> httpx.AsyncClient:
    return await api.client()


async def start(client: httpx.AsyncClient, kind: str, **payload: Any) -> httpx.Response:
    return await client.post("/api/jobs", json={"jobType": kind, "payload": payload})


async def jobs_of(api: Api, owner: str) -> list[tuple[str, dict[str, Any]]]:
    return [(job.kind, job.payload) for job in await api.jobs.list(JobFilter(owner=owner))]


async def test_a_letter_is_read_as_it_stands(api: Api, server: httpx.AsyncClient) -> None:
    [run_id] = await add_runs(api.database, "ann", 1)
    started = await start(server, "generate-run-letter", activityId=str(run_id), userId="ann")
    assert started.status_code == 202, started.text
    job_id, contents = UUID(started.json()["jobId"]), Contents(api.database)

    async def letter() -> dict[str, Any]:
        return (await server.get(f"/api/activities/{run_id}/letter")).json()

    assert (await letter())["status"] == "pending"
    await contents.begin(job_id, run_id, "ann", ["letter"])
    assert (await letter())["status"] == "generating"
    await contents.store(run_id, "letter", WORDS, to_json(FACTS).decode(), Call(job_id=job_id, step="generate"))
    there = await letter()
    assert there["createdAt"]
    assert {name: value for name, value in there.items() if name not in ("createdAt", "jobId", "usage")} == {
        "activityId": str(run_id),
        "status": "completed",
        "text": WORDS.text,
        "error": None,
        "facts": {
            "distance": {
                "value": 5000.0, "unit": "m", "basis": "as told in the summary; no samples", "quality": "fair"
            }
        },
        "answeredBy": "anthropic",
        "reason": None,
        "model": "claude-haiku-5-5",
    }  # fmt: skip
    assert there["usage"] == {"inputTokens": 0, "outputTokens": 0, "costUsd": 0.0}
    assert (await server.get(f"/api/activities/{run_id}/insight")).json()["status"] == "pending"


async def test_a_token_reads_its_own_and_no_others(api: Api, server: httpx.AsyncClient) -> None:
    [run_id] = await add_runs(api.database, "bob", 1)
    own, other = await api.bearer("read:owner:bob"), await api.bearer("read:owner:mallory")
    for half in ("letter", "insight"):
        assert (await own.get(f"/api/activities/{run_id}/{half}")).status_code == 200
        assert (await other.get(f"/api/activities/{run_id}/{half}")).status_code == 404
        assert (await server.get(f"/api/activities/{uuid4()}/{half}")).status_code == 404
    assert (await own.get("/api/run-history/bob/reviews")).status_code == 200
    assert (await other.get("/api/run-history/bob/reviews")).status_code == 404


@pytest.mark.parametrize("kind", ["generate-run-letter", "generate-coaching-insight", "process-activity-content"])
async def test_a_payload_names_a_run_of_its_user(api: Api, server: httpx.AsyncClient, kind: str) -> None:
    [run_id] = await add_runs(api.database, f"carl-{kind}", 1)
    for activity_id, user_id in ((uuid4(), f"carl-{kind}"), (run_id, "somebody else")):
        refused = await start(server, kind, activityId=str(activity_id), userId=user_id)
        assert (refused.status_code, refused.json()["code"]) == (422, "not_found")
        assert refused.json()["errors"][0]["pointer"] == "/payload/activityId"
    token = await api.bearer("write:owner:mallory")
    assert (await start(token, kind, activityId=str(run_id), userId=f"carl-{kind}")).status_code in (404, 422)
    assert (await start(server, kind, activityId=str(run_id), userId=f"carl-{kind}")).status_code == 202
    assert await jobs_of(api, f"carl-{kind}") == [(kind, {"activityId": str(run_id), "userId": f"carl-{kind}"})]


async def test_a_comparison_names_two_runs_of_its_user(api: Api, server: httpx.AsyncClient) -> None:
    [mine, second], [theirs] = await add_runs(api.database, "dora", 2), await add_runs(api.database, "dan", 1)
    asked = {"userId": "dora", "about": "comparison"}
    refused = await start(server, "review-runs", **asked, a=str(mine), b=str(theirs))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/payload/b")
    assert (await start(server, "review-runs", **asked, a=str(mine))).status_code == 422
    assert (await start(server, "review-runs", userId="dora", about="trends", a=str(mine))).status_code == 422
    assert (await start(server, "review-runs", **asked, a=str(mine), b=str(second))).status_code == 202
    assert (await start(server, "review-runs", userId="dora", about="suggestion")).status_code == 202


async def test_a_digest_is_of_a_week_that_there_is(server: httpx.AsyncClient) -> None:
    assert (await start(server, "weekly-run-digest", userId="emma", week="2026-W24")).status_code == 202
    assert (await start(server, "weekly-run-digest", userId="emma")).status_code == 202
    for week in ("2026-W54", "2026-24", "last", "2025-W53"):
        assert (await start(server, "weekly-run-digest", userId="emma", week=week)).status_code == 422


async def test_reviews_are_read_by_what_they_are_about(api: Api, server: httpx.AsyncClient) -> None:
    job_id, contents = await api.opened(), Contents(api.database)
    a, b = uuid4(), uuid4()
    for about, key in (("week", "2026-06-01"), ("week", "2026-06-08"), ("comparison", f"{a}:{b}")):
        sheet = ReviewSheet.model_validate(
            {"user_id": "fred", "title": "x", "facts": FACTS, "about": about, "key": key}
        )
        await contents.store_review(sheet, WORDS, Call(job_id=job_id, step="generate"))

    async def keys(query: str) -> list[str]:
        answer = await server.get(f"/api/run-history/fred/reviews?about={query}")
        assert answer.status_code == 200, answer.text
        return [one["key"] for one in answer.json()["reviews"]]

    assert await keys("week") == ["2026-06-08", "2026-06-01"]
    assert await keys("week&limit=1") == ["2026-06-08"]
    assert await keys("week&week=2026-06-01") == ["2026-06-01"]
    assert await keys(f"comparison&a={a}&b={b}") == [f"{a}:{b}"]
    assert await keys(f"comparison&a={b}&b={a}") == await keys("trends") == []
    assert (await server.get("/api/run-history/fred/reviews?about=weather")).status_code == 422


async def test_a_new_run_is_written_about_where_its_user_wants_that(api: Api, server: httpx.AsyncClient) -> None:
    users = Users(api.database)
    await users.put("gil", UserRequest(auto_generate=True))
    await users.put("hal", UserRequest())
    for user_id in ("gil", "hal", "ida"):
        answer = await server.post("/api/activities", json=GIVEN | {"userId": user_id})
        assert answer.status_code == 201, answer.text
        wanted = [("process-activity-content", {"activityId": answer.json()["id"], "userId": user_id})]
        assert await jobs_of(api, user_id) == (wanted if user_id == "gil" else [])
    again = await server.post("/api/activities", json=GIVEN | {"userId": "gil"})
    assert again.status_code == 200
    assert len(await jobs_of(api, "gil")) == 1, "the run is known"
    ride = GIVEN | {"userId": "gil", "type": "ride", "startedAt": "2026-05-02T11:00:00Z"}
    assert (await server.post("/api/activities", json=ride)).status_code == 201
    assert len(await jobs_of(api, "gil")) == 1, "a ride is not written about unasked"


async def test_a_start_that_fails_refuses_no_run(api: Api) -> None:
    users = Users(api.database)
    await users.put("joy", UserRequest(auto_generate=True))

    class Away(Jobs):
        async def open(self, new: Any) -> Any:
            raise LedgerUnavailable

    auto = AutoContent(users, Submitter(Away(api.database), installed()))
    assert await auto.for_new("joy", uuid4()) is None
    there = AutoContent(users, api.submitter)
    run_id = uuid4()
    first, second = await there.for_new("joy", run_id), await there.for_new("joy", run_id)
    assert first is not None
    assert first == second, "the same run starts nothing twice"
