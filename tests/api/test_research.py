"""The interview-prep tool's endpoints, as its front end calls them."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from api import limits
from domain.job import Failure, Outcome, Status
from domain.research import Briefing, CompanyFacts, CompanyResearchRequest, Interview, Sections
from ledger.research import Research
from settings import Settings
from tests.api.conftest import KEY, RESEARCH, Api

BRIEFING = Briefing(
    company=CompanyFacts(name="Stripe", website="https://stripe.com"),
    sections=Sections(),
    stack=(),
    interview=Interview(),
    prepare=(),
    ask_them=(),
    evidence=(),
    not_found=("overview",),
    answered_by="anthropic",
)


async def test_a_research_is_started_and_polled_to_its_end(api: Api, server: httpx.AsyncClient) -> None:
    started = await server.post("/api/research-direct", json={**RESEARCH, "deepMode": True, "userAgent": "ignored"})
    assert started.status_code == 202
    job_id = started.json()["jobId"]
    assert started.json() == {"jobId": job_id, "statusUrl": f"/api/research-status/{job_id}"}
    url = started.json()["statusUrl"]
    waiting = {"status": "processing", "progress": "0/4", "isComplete": False, "results": None}
    assert (await server.get(url)).json() == waiting

    result = BRIEFING.model_dump(mode="json", by_alias=True)
    await api.jobs.finish(Outcome(job_id=UUID(job_id), status=Status.COMPLETED, result=result))
    assert (await server.get(url)).json() == {
        "status": "completed", "progress": "4/4", "isComplete": True, "results": result
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "word"),
    [("failed", "failed"), ("expired", "failed"), ("timed_out", "failed"), ("canceled", "canceled")],
)
async def test_a_bad_end_says_why(api: Api, server: httpx.AsyncClient, status: str, word: str) -> None:
    job_id = await api.opened()
    error = Failure(code="no_evidence", message="neither the website nor GitHub gave evidence")
    await api.jobs.finish(Outcome(job_id=job_id, status=Status(status), error=error))
    answer = (await server.get(f"/api/research-status/{job_id}")).json()
    assert (answer["status"], answer["isComplete"], answer["results"]) == (word, True, None)
    assert answer["error"] == error.message


async def test_what_is_missing_is_named_where_it_is_missing(server: httpx.AsyncClient) -> None:
    for body, pointer in (
        ({"companyName": "x"}, "/role"),
        ({**RESEARCH, "companyName": "  "}, "/companyName"),
        ({**RESEARCH, "companyUrl": "ftp://x"}, "/companyUrl"),
    ):
        answer = await server.post("/api/research-direct", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_payload")
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await server.post("/api/research-direct", json={**RESEARCH, "companyUrl": ""})).status_code == 202


async def test_with_an_owner_the_same_question_joins_and_without_never(server: httpx.AsyncClient) -> None:
    async def ask(**more: Any) -> str:
        answer = await server.post("/api/research-direct", json={**RESEARCH, **more})
        assert answer.status_code == 202
        return answer.json()["jobId"]

    assert await ask(userId="ann") == await ask(owner="ann")
    assert await ask(userId="ann") != await ask(userId="bob")
    assert await ask() != await ask()


async def test_the_tokens_owner_owns_the_research(api: Api) -> None:
    ann = await api.bearer("write:owner:ann", owner="ann")
    job_id = (await ann.post("/api/research-direct", json=RESEARCH)).json()["jobId"]
    row = await api.jobs.get(UUID(job_id))
    assert row
    assert row.owner == "ann"
    assert (await ann.get(f"/api/research-status/{job_id}")).status_code == 200


async def test_the_same_key_is_the_same_research(server: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await server.post("/api/research-direct", json=RESEARCH, headers=headers)
    again = await server.post("/api/research-direct", json=RESEARCH, headers=headers)
    other = await server.post("/api/research-direct", json={**RESEARCH, "role": "SRE"}, headers=headers)
    assert first.json() == again.json()
    assert other.status_code == 409


async def test_many_companies_are_one_batch(server: httpx.AsyncClient) -> None:
    companies = [{"companyName": f"Company {n}", "role": "SRE"} for n in range(3)]
    wrong = await server.post("/api/research-batch", json={"companies": [*companies, {"companyName": "x"}]})
    assert wrong.json()["errors"][0]["pointer"] == "/companies/3/role"
    assert (await server.get("/api/jobs")).json()["jobs"] == []

    answer = await server.post("/api/research-batch", json={"companies": companies, "userId": "ann"})

    assert answer.status_code == 202
    listed = (await server.get(f"/api/jobs?batchId={answer.json()['batchId']}&owner=ann")).json()["jobs"]
    assert {job["jobId"] for job in listed} == set(answer.json()["jobIds"])
    assert len(listed) == 3


async def test_a_company_named_twice_is_researched_once(server: httpx.AsyncClient) -> None:
    answer = await server.post("/api/research-batch", json={"companies": [RESEARCH, RESEARCH], "userId": "ann"})
    first, second = answer.json()["jobIds"]
    assert first == second


async def test_past_briefings_can_be_looked_through(api: Api, server: httpx.AsyncClient) -> None:
    research = Research(api.database)
    for company in ("Stripe", "Plaid"):
        request = CompanyResearchRequest(company_name=company, role="SRE")
        job_id = await api.opened({"companyName": company, "role": "SRE"}, owner="ann")
        await research.store(job_id, request, BRIEFING)

    async def names(query: str) -> list[str]:
        answer = await server.get(f"/api/research-history?{query}")
        assert answer.status_code == 200, answer.text
        return [briefing["companyName"] for briefing in answer.json()["briefings"]]

    assert await names("owner=ann") == ["Plaid", "Stripe"]
    assert await names("owner=ann&q=stripe") == ["Stripe"]
    assert await names("owner=bob") == []
    page = (await server.get("/api/research-history?owner=ann&limit=1")).json()
    assert await names(f"owner=ann&before={page['nextBefore']}") == ["Stripe"]
    assert page["briefings"][0]["briefing"]["company"]["name"] == "Stripe"
    assert (await server.get("/api/research-history")).status_code == 422
    mine = await (await api.bearer("read:owner:ann")).get("/api/research-history")
    assert len(mine.json()["briefings"]) == 2


async def test_the_status_of_another_kind_is_not_here(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    await api.database.execute("UPDATE jobs SET kind = 'something-else'")
    assert (await server.get(f"/api/research-status/{job_id}")).status_code == 404


async def test_where_it_is_opened_nobody_in_particular_may_research(
    serve: Callable[[Settings], Any], settings: Settings
) -> None:
    api: Api = await serve(replace(settings, anonymous=("research",)))
    nobody = await api.client(None)

    started = await nobody.post("/api/research-direct", json={**RESEARCH, "userId": "ann"})
    assert started.status_code == 202
    row = await api.jobs.get(UUID(started.json()["jobId"]))
    assert row
    assert row.owner == "", "a name that nobody vouches for is nobody's"
    assert (await nobody.get(started.json()["statusUrl"])).status_code == 200
    assert (await nobody.post("/api/research-batch", json={"companies": [RESEARCH]})).status_code == 202
    for path in ("/api/research-history?owner=ann", "/api/jobs", f"/api/jobs/{row.id}"):
        assert (await nobody.get(path)).status_code == 401
    assert (await (await api.client("wrong")).get(started.json()["statusUrl"])).status_code == 401
    assert (await (await api.client(KEY)).get(started.json()["statusUrl"])).status_code == 200


async def test_nobody_in_particular_is_limited_by_address(
    serve: Callable[[Settings], Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a share that is used up comes back with time
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: 0.0))
    api: Api = await serve(replace(settings, anonymous=("research",)))
    nobody, known = await api.client(None), await api.client()
    answers = [await nobody.post("/api/research-direct", json=RESEARCH) for _ in range(25)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 5
    assert refused[0].json()["code"] == "rate_limited"
    assert int(refused[0].headers["Retry-After"]) >= 1
    many = await nobody.post("/api/research-batch", json={"companies": [RESEARCH] * 100})
    assert many.status_code == 429, "a batch counts as many"
    assert (await known.post("/api/research-direct", json=RESEARCH)).status_code == 202
