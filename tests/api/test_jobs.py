"""Starting, reading, listing, canceling and replaying jobs over HTTP; the engine is down throughout."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.auth import fingerprint
from domain.job import Failure, Outcome, Status
from ledger.views import JobView
from tests.api.conftest import KEY, RESEARCH, Api

BY = f"key:{fingerprint(KEY.encode())}"
JOB_FIELDS = {
    *("jobId", "jobType", "status", "owner", "progress", "isComplete", "isSuccess", "isFailed", "isCanceled", "steps"),
    *("payload", "result", "error", "usage", "answeredBy", "tags", "metadata", "parentId", "batchId", "scheduleId"),
    *("idempotencyKey", "createdAt", "startedAt", "finishedAt", "updatedAt", "stuck", "blankedAt", "waiting"),
}


def asked(payload: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    return {"jobType": "company-research", "payload": payload or RESEARCH, "options": options}


async def test_a_start_answers_202_with_where_to_look_although_the_engine_is_down(server: httpx.AsyncClient) -> None:
    answer = await server.post("/api/jobs", json={"jobType": "research", "payload": RESEARCH})

    assert answer.status_code == 202
    started = answer.json()
    url = f"/api/jobs/{started['jobId']}"
    assert started == {
        "jobId": str(UUID(started["jobId"], version=4)),
        "jobType": "company-research",
        "status": "queued",
        "statusUrl": url,
        "eventsUrl": f"{url}/events",
    }
    assert answer.headers["Location"] == url


async def test_a_job_has_the_shape_of_the_contract(server: httpx.AsyncClient) -> None:
    options: dict[str, Any] = {"owner": "ann", "tags": ["a"], "metadata": {"n": 1}, "idempotencyKey": "k"}
    started = (await server.post("/api/jobs", json=asked(**options))).json()

    job = (await server.get(started["statusUrl"])).json()

    assert set(job) == JOB_FIELDS
    assert job["createdAt"].endswith("Z")
    assert job["progress"] == {
        "done": 0, "total": 4, "text": "0/4", "percent": 0, "etaSeconds": None, "items": None
    }  # fmt: skip
    assert [step["name"] for step in job["steps"]] == ["scrape_website", "search_github", "analyze", "store"]
    assert [step["maxAttempts"] for step in job["steps"]] == [3, 3, 2, 3]
    said = {name: job[name] for name in ("status", "owner", "tags", "metadata", "idempotencyKey", "payload")}
    assert said == {**options, "status": "queued", "payload": RESEARCH}
    assert job["usage"] == {"inputTokens": 0, "outputTokens": 0, "audioSeconds": 0, "costUsd": 0, "byModel": []}
    absent = ("result", "error", "answeredBy", "parentId", "batchId", "scheduleId", "startedAt", "finishedAt")
    assert [job[name] for name in absent] == [None] * len(absent)


async def test_a_page_shows_jobs_as_they_are_described(api: Api, server: httpx.AsyncClient) -> None:
    queued = await api.opened(owner="ann", tags=["a"])
    failed = await api.opened(owner="ann")
    error = Failure(code="gone", message="it went wrong", step="analyze")
    await api.jobs.finish(Outcome(job_id=failed, status=Status.FAILED, error=error))
    listed = (await server.get("/api/jobs", params={"owner": "ann"})).json()["jobs"]
    assert [job["jobId"] for job in listed] == [str(failed), str(queued)]
    for job in listed:
        assert JobView.model_validate(job).model_dump(mode="json", by_alias=True) == job
        alone = (await server.get(f"/api/jobs/{job['jobId']}")).json()
        assert job == {**alone, "waiting": None}


@pytest.mark.parametrize(
    ("status", "true"),
    [
        ("completed", {"isComplete", "isSuccess"}),
        ("failed", {"isComplete", "isFailed"}),
        ("timed_out", {"isComplete", "isFailed"}),
        ("expired", {"isComplete", "isFailed"}),
        ("canceled", {"isComplete", "isCanceled"}),
    ],
)
async def test_every_boolean_agrees_with_the_status(
    api: Api, server: httpx.AsyncClient, status: str, true: set[str]
) -> None:
    job_id = await api.opened()
    error = None if status == "completed" else Failure(code="gone", message="it went wrong")
    await api.jobs.finish(Outcome(job_id=job_id, status=Status(status), result={"x": 1}, error=error))

    job = (await server.get(f"/api/jobs/{job_id}")).json()

    assert {name for name in job if name.startswith("is") and job[name]} == true
    assert (job["status"], job["result"]) == (status, {"x": 1})
    if error:
        assert job["error"] == {"code": "gone", "message": "it went wrong", "step": None, "retryable": False}


async def test_a_known_idempotency_key_answers_200_with_the_first_job(server: httpx.AsyncClient) -> None:
    first = await server.post("/api/jobs", json=asked(idempotencyKey="k"))
    again = await server.post("/api/jobs", json=asked(), headers={"Idempotency-Key": "k"})

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {**first.json(), "isCached": True}


async def test_a_known_idempotency_key_with_another_payload_is_a_conflict(server: httpx.AsyncClient) -> None:
    await server.post("/api/jobs", json=asked(idempotencyKey="k"))
    answer = await server.post("/api/jobs", json=asked({**RESEARCH, "role": "SRE"}, idempotencyKey="k"))
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")


async def test_header_and_option_may_not_name_different_keys(server: httpx.AsyncClient) -> None:
    same = await server.post("/api/jobs", json=asked(idempotencyKey="k"), headers={"Idempotency-Key": "k"})
    other = await server.post("/api/jobs", json=asked(idempotencyKey="k"), headers={"Idempotency-Key": "l"})
    assert same.status_code == 202
    assert other.status_code == 422
    assert other.json()["errors"][0]["pointer"] == "/options/idempotencyKey"


async def test_skip_if_active_joins_the_open_job_and_only_then(server: httpx.AsyncClient) -> None:
    plain = (await server.post("/api/jobs", json=asked())).json()["jobId"]
    joined = await server.post("/api/jobs", json=asked(skipIfActive=True))
    other = (await server.post("/api/jobs", json=asked())).json()["jobId"]

    assert (joined.status_code, joined.json()["jobId"]) == (202, plain)
    assert "isCached" not in joined.json()
    assert other != plain


async def test_a_cached_result_completes_a_new_job_at_once(api: Api, server: httpx.AsyncClient) -> None:
    old = await api.opened(owner="ann")
    result = {"company": {"name": "Stripe"}, "answeredBy": "anthropic", "cached": False}
    await api.jobs.finish(Outcome(job_id=old, status=Status.COMPLETED, result=result, answered_by="anthropic"))

    hit = await server.post(
        "/api/jobs", json=asked({"companyName": " STRIPE", "role": "backend  engineer"}, owner="ann")
    )
    foreign = await server.post("/api/jobs", json=asked(owner="bob"))
    fresh = await server.post("/api/jobs", json=asked({**RESEARCH, "refresh": True}, owner="ann"))

    assert (hit.status_code, hit.json()["status"]) == (202, "completed")
    assert [foreign.json()["status"], fresh.json()["status"]] == ["queued", "queued"]
    job = (await server.get(hit.json()["statusUrl"])).json()
    assert job["jobId"] != str(old)
    assert job["result"] == {**result, "cached": True}
    assert (job["progress"]["text"], {step["status"] for step in job["steps"]}) == ("4/4", {"skipped"})


async def test_a_batch_is_one_transaction(server: httpx.AsyncClient) -> None:
    items = [asked({**RESEARCH, "role": f"role {n}"}, owner="ann") for n in range(3)]

    refused = await server.post("/api/jobs/batch", json={"items": [*items, asked({"companyName": "x"})]})
    assert refused.status_code == 422
    assert (await server.get("/api/jobs")).json() == {"jobs": [], "nextCursor": None}

    batch = await server.post("/api/jobs/batch", json={"items": items})
    assert batch.status_code == 202
    jobs = [(await server.get(f"/api/jobs/{job_id}")).json() for job_id in batch.json()["jobIds"]]
    assert [job["payload"]["role"] for job in jobs] == ["role 0", "role 1", "role 2"]
    assert {job["batchId"] for job in jobs} == {batch.json()["batchId"]}


async def test_a_key_conflict_in_a_batch_leaves_no_job_behind(server: httpx.AsyncClient) -> None:
    await server.post("/api/jobs", json=asked(idempotencyKey="k"))
    items = [asked({**RESEARCH, "role": "new"}), asked({**RESEARCH, "role": "SRE"}, idempotencyKey="k")]

    answer = await server.post("/api/jobs/batch", json={"items": items})

    assert answer.status_code == 409
    assert len((await server.get("/api/jobs")).json()["jobs"]) == 1


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (asked({"companyName": "x"}), "/items/1/payload/role"),
        ({**asked(), "jobType": "nope"}, "/items/1/jobType"),
        (asked(delay="5w"), "/items/1/options/delay"),
        (asked(nope=1), "/items/1/options/nope"),
    ],
)
async def test_a_batch_names_the_item_that_is_wrong(
    server: httpx.AsyncClient, wrong: dict[str, Any], pointer: str
) -> None:
    answer = await server.post("/api/jobs/batch", json={"items": [asked(), wrong, asked()]})
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_key_that_comes_twice_in_a_batch_starts_one_job(server: httpx.AsyncClient) -> None:
    items = [asked(idempotencyKey="k"), asked(idempotencyKey="k"), asked(idempotencyKey="k", owner="ann")]
    answer = await server.post("/api/jobs/batch", json={"items": items})
    first, second, third = answer.json()["jobIds"]
    assert first == second != third


async def test_a_batch_is_counted_from_its_jobs(api: Api, server: httpx.AsyncClient) -> None:
    items = [asked({**RESEARCH, "role": f"role {n}"}) for n in range(3)]
    batch = (await server.post("/api/jobs/batch", json={"items": items})).json()
    ids = [UUID(job_id) for job_id in batch["jobIds"]]
    url = f"/api/batches/{batch['batchId']}"
    assert (await server.get(url)).json()["status"] == "queued"

    await api.jobs.finish(Outcome(job_id=ids[0], status=Status.COMPLETED, result={}))
    await api.jobs.finish(Outcome(job_id=ids[1], status=Status.CANCELED))
    view = (await server.get(url)).json()

    assert view["progress"] == {
        "done": 2, "total": 3, "text": "2/3", "percent": 66, "etaSeconds": None,
        "items": {"done": 1, "failed": 0, "skipped": 1, "total": 3},
    }  # fmt: skip
    assert {(job["jobId"], job["status"]) for job in view["jobs"]} == set(
        zip(batch["jobIds"], ["completed", "canceled", "queued"], strict=True)
    )
    await api.jobs.finish(Outcome(job_id=ids[2], status=Status.FAILED, error=Failure(code="x", message="x")))
    assert (await server.get(url)).json()["status"] == "failed"
    assert (await server.get(f"/api/batches/{uuid4()}")).status_code == 404


async def test_cancel_can_be_repeated_and_is_refused_once_the_job_has_ended(
    api: Api, server: httpx.AsyncClient
) -> None:
    job_id = await api.opened(owner="ann")
    await api.database.execute("UPDATE jobs SET claimed_until = now() + interval '1 hour' WHERE id = $1", job_id)

    first = await server.post(f"/api/jobs/{job_id}/cancel", json={"reason": "not needed"})
    again = await server.post(f"/api/jobs/{job_id}/cancel")
    assert [first.status_code, again.status_code] == [202, 202]
    assert first.json()["status"] == "queued", "somebody is starting it: the engine has to be told"

    await api.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED))
    late = await server.post(f"/api/jobs/{job_id}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "not_cancelable")

    events = (await server.get(f"/api/jobs/{job_id}/audit")).json()["events"]
    assert [(event["seq"], event["type"], event.get("status"), event.get("by")) for event in events] == [
        (1, "job", "queued", None),
        (2, "cancel_requested", None, BY),
        (3, "job", "canceled", BY),
    ]
    assert events[1]["reason"] == "not needed"


async def test_a_replay_is_a_new_job_with_the_same_payload_and_options(api: Api, server: httpx.AsyncClient) -> None:
    options: dict[str, Any] = {"owner": "ann", "tags": ["a"], "metadata": {"n": 1}, "maxDuration": 60}
    old = await api.opened(**options, budget={"maxCostUsd": 0.5})

    again = await server.post(f"/api/jobs/{old}/replay")
    other = await server.post(f"/api/jobs/{old}/replay", json={"payload": {**RESEARCH, "role": "SRE"}})

    assert [again.status_code, other.status_code] == [202, 202]
    row = await api.jobs.get(UUID(again.json()["jobId"]))
    assert row
    assert (row.replay_of, row.owner, row.tags, row.metadata) == (old, "ann", ("a",), {"n": 1})
    assert (row.payload, row.max_duration_seconds, str(row.max_usd), row.max_tokens) == (RESEARCH, 60, "0.5", None)
    changed = (await server.get(other.json()["statusUrl"])).json()
    assert changed["payload"]["role"] == "SRE"


@pytest.mark.parametrize(
    ("step", "status", "code"), [("analyze", 409, "step_not_finished"), ("nonsense", 422, "unknown_step")]
)
async def test_a_replay_begins_only_after_what_the_old_job_has_kept(
    api: Api, server: httpx.AsyncClient, step: str, status: int, code: str
) -> None:
    old = await api.opened(owner="ann")
    refused = await server.post(f"/api/jobs/{old}/replay", json={"fromStep": step})
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.json()["errors"][0]["pointer"] == "/fromStep"
    assert [job["jobId"] for job in (await server.get("/api/jobs")).json()["jobs"]] == [str(old)]


async def test_a_replay_of_a_completed_job_does_the_work_again(api: Api, server: httpx.AsyncClient) -> None:
    old = await api.opened(owner="ann")
    await api.jobs.finish(Outcome(job_id=old, status=Status.COMPLETED, result={}, answered_by="anthropic"))
    assert (await server.post(f"/api/jobs/{old}/replay")).json()["status"] == "queued"


async def test_progress_asks_the_engine_and_says_when_it_is_silent(api: Api, server: httpx.AsyncClient) -> None:
    answer = await server.get(f"/api/jobs/{await api.opened()}/progress")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert answer.headers["Retry-After"]


async def test_how_many_are_asked_for_chooses_no_other_jobs(api: Api, server: httpx.AsyncClient) -> None:
    opened, ended = await api.opened(), await api.opened(owner="ann")
    await api.jobs.finish(Outcome(job_id=ended, status=Status.CANCELED))
    for query in ("", "?limit=5"):
        assert [job["jobId"] for job in (await server.get(f"/api/jobs{query}")).json()["jobs"]] == [str(opened)]


async def test_a_delay_is_a_duration_or_a_time(server: httpx.AsyncClient) -> None:
    for delay in ("5m", "2030-01-31T08:00:00Z", "2030-01-31T08:00:00+05:30"):
        started = await server.post("/api/jobs", json=asked(delay=delay))
        assert (started.status_code, started.json()["status"]) == (202, "delayed")
