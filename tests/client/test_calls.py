"""What the client sends and how it reads the answers."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from longrun import Budget, Client, LongrunError, Options
from tests.client.server import NOW, Answer, Server, job, problem

STARTED = {
    "jobId": "j1",
    "jobType": "company-research",
    "status": "queued",
    "statusUrl": "/api/jobs/j1",
    "eventsUrl": "/api/jobs/j1/events",
}


def test_start_sends_only_the_options_that_were_given(server: Server, client: Client) -> None:
    server.on("POST /api/jobs", Answer(202, STARTED))
    options = Options(owner="user_1", idempotency_key="k", idempotency_key_ttl="1d", budget=Budget(max_tokens=5000))

    started = client.start("research", {"companyName": "Stripe", "role": "SRE"}, options)

    assert (started.job_id, started.is_cached) == ("j1", False)
    [asked] = server.asked
    assert asked.headers["Authorization"] == "Bearer secret-key"
    assert asked.body == {
        "jobType": "research",
        "payload": {"companyName": "Stripe", "role": "SRE"},
        "options": {
            "owner": "user_1",
            "idempotencyKey": "k",
            "idempotencyKeyTTL": "1d",
            "budget": {"maxTokens": 5000},
        },
    }


def test_research_is_a_job_of_its_kind(server: Server, client: Client) -> None:
    server.on("POST /api/jobs", Answer(202, STARTED))
    client.research("Stripe", "SRE", "https://stripe.com", deep=True)
    assert server.asked[0].body == {
        "jobType": "company-research",
        "payload": {
            "companyName": "Stripe",
            "role": "SRE",
            "deepMode": True,
            "refresh": False,
            "companyUrl": "https://stripe.com",
        },
    }


def test_a_job_is_typed_and_travels_back_as_it_came(server: Server, client: Client) -> None:
    said = job("j1", 4, "completed", usage={"inputTokens": 7, "costUsd": 0.0125}, fieldOfTomorrow={"a": 1})
    server.on("GET /api/jobs/j1", Answer(200, said))

    read = client.get("j1")

    assert read.is_success
    assert read.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert read.usage is not None
    assert read.usage.cost_usd == Decimal("0.0125")
    assert [step.name for step in read.steps] == ["scrape_website", "search_github", "analyze", "store"]
    assert read.wire()["fieldOfTomorrow"] == {"a": 1}
    assert read.wire()["progress"] == said["progress"]


def test_a_job_cannot_be_changed(server: Server, client: Client) -> None:
    server.on("GET /api/jobs/j1", Answer(200, job("j1")))
    with pytest.raises(ValueError, match="frozen"):
        client.get("j1").status = "completed"  # pyright: ignore[reportAttributeAccessIssue]


def test_listing_walks_all_pages_and_fetches_none_too_early(server: Server, client: Client) -> None:
    server.on(
        "GET /api/jobs",
        Answer(200, {"jobs": [job("a"), job("b")], "nextCursor": "c2"}),
        Answer(200, {"jobs": [job("c")], "nextCursor": None}),
    )
    jobs = client.list(
        status="running", job_type="research", stuck=True, created_after=datetime(2026, 1, 1, tzinfo=UTC)
    )

    assert [next(jobs).job_id, next(jobs).job_id] == ["a", "b"]
    assert len(server.asked) == 1
    assert [job.job_id for job in jobs] == ["c"]
    first, second = (asked.query for asked in server.asked)
    filters = {"status": "running", "type": "research", "stuck": "true", "createdAfter": "2026-01-01T00:00:00+00:00"}
    assert first == filters | {"limit": "100"}
    assert second == first | {"cursor": "c2"}


def test_progress_is_the_workflows_own(server: Server, client: Client) -> None:
    said = job("j1", 2)
    server.on("GET /api/jobs/j1/progress", Answer(200, {"progress": said["progress"], "steps": said["steps"]}))
    live = client.progress("j1")
    assert (live.progress.text, live.steps[1].status) == ("2/4", "completed")


def test_cancel_and_replay_send_their_reasons(server: Server, client: Client) -> None:
    server.on("POST /api/jobs/j1/cancel", Answer(202, job("j1", status="canceled")))
    server.on("POST /api/jobs/j1/replay", Answer(202, STARTED | {"jobId": "j2"}))

    assert client.cancel("j1", "changed my mind").is_canceled
    assert client.replay("j1", {"companyName": "Stripe"}, from_step="analyze").job_id == "j2"

    assert server.asked[0].body == {"reason": "changed my mind"}
    assert server.asked[1].body == {"payload": {"companyName": "Stripe"}, "fromStep": "analyze"}


def test_audit_kinds_and_reconcile_are_read(server: Server, client: Client) -> None:
    server.on(
        "GET /api/jobs/j1/audit", Answer(200, {"events": [{"seq": 1, "type": "job", "at": NOW, "status": "queued"}]})
    )
    steps = [{"name": "store", "maxAttempts": 3}]
    kind = {"name": "company-research", "aliases": ["research"], "payload": {}, "result": {}, "steps": steps}
    server.on("GET /api/kinds", Answer(200, {"kinds": [kind]}))
    report = {"startedAt": NOW, "finishedAt": NOW, "checked": 3, "started": 0, "closed": 1, "mended": 1}
    server.on("POST /api/reconciliation", Answer(200, report))

    [entry] = client.audit("j1")
    assert (entry.seq, entry.model_extra) == (1, {"status": "queued"})
    assert client.kinds()[0].steps[0].max_attempts == 3
    assert client.reconcile().closed == 1


def test_a_refusal_carries_every_field_of_the_problem(server: Server, client: Client) -> None:
    errors = [{"pointer": "/payload/role", "detail": "must not be blank"}]
    server.on("POST /api/jobs", problem(422, "invalid_payload", "the payload does not fit the kind", errors=errors))

    with pytest.raises(LongrunError) as caught:
        client.start("research", {"companyName": "Stripe", "role": ""})

    error = caught.value
    assert (error.status, error.code) == (422, "invalid_payload")
    assert (error.errors[0].pointer, error.errors[0].detail) == ("/payload/role", "must not be blank")
    assert str(error) == "the payload does not fit the kind (/payload/role: must not be blank)"


def test_a_ledger_that_is_down_names_the_job_that_may_exist(server: Server, client: Client) -> None:
    down = problem(503, "ledger_unavailable", "the ledger does not answer", jobId="j9")
    server.on("POST /api/jobs", Answer(503, down.body, down.content_type, {"Retry-After": "3"}))
    with pytest.raises(LongrunError) as caught:
        client.start("research", {})
    assert (caught.value.job_id, caught.value.retry_after) == ("j9", 3.0)


def test_what_is_no_longrun_api_is_said_so(server: Server, client: Client) -> None:
    server.on("GET /api/jobs/j1", Answer(502, b"<html>Bad Gateway</html>", "text/html"))
    server.on("GET /api/jobs/j2", Answer(200, b"<html>Welcome</html>", "text/html"))
    for job_id, code in (("j1", "unknown"), ("j2", "unexpected_answer")):
        with pytest.raises(LongrunError) as caught:
            client.get(job_id)
        assert caught.value.code == code
        assert "html" not in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with Client("http://127.0.0.1:1", "secret-key") as client, pytest.raises(LongrunError) as caught:
        client.get("j1")
    assert (caught.value.status, caught.value.code) == (None, "unreachable")
    assert str(caught.value) == "http://127.0.0.1:1 cannot be reached"


def test_what_is_no_url_is_refused_before_any_call() -> None:
    for url in ("127.0.0.1:8000", "ftp://example.com", "http://", "http://[::1"):
        with pytest.raises(ValueError, match="URL"):
            Client(url, "secret-key")


def test_an_id_cannot_leave_its_place_in_the_path(server: Server, client: Client) -> None:
    with pytest.raises(LongrunError):
        client.get("../kinds?x=")
    assert server.asked[0].path == "/api/jobs/..%2Fkinds%3Fx%3D"


def test_the_environment_names_url_and_key(server: Server) -> None:
    server.on("GET /api/jobs/j1", Answer(200, job("j1")))
    with Client.from_env({"LONGRUN_URL": server.url, "LONGRUN_API_KEY": "from-env"}) as client:
        client.get("j1")
        assert "from-env" not in repr(client.target)
    assert server.asked[0].headers["Authorization"] == "Bearer from-env"
    with Client.from_env({"LONGRUN_URL": " "}) as client:
        assert client.target.url == "http://127.0.0.1:8000"
