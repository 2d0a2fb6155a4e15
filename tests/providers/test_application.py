"""Tasks sent to the application: signed, to listed hosts alone, and every answer classed once."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from domain.errors import JobError, RateLimited, VendorError
from domain.keyring import Keyring
from domain.tasks import HttpTaskRequest, TaskAnswer, TaskHosts
from providers.application import Application
from providers.web import GuardedClient
from tests.support.site_server import Answer, Asked, SiteServer, redirect

JOB = UUID("8c0f3c5e-5d0c-4b8e-9a52-0f2b7f9d1c11")
KEYS = Keyring(["a key"])
JSON = {"content-type": "application/json"}


@pytest.fixture
async def site() -> AsyncGenerator[SiteServer]:
    async with SiteServer() as site:
        yield site


@pytest.fixture
async def client(site: SiteServer) -> AsyncGenerator[GuardedClient]:
    async with GuardedClient(allow=[site.authority], timeout=30, max_bytes=1000) as client:
        yield client


@pytest.fixture
def application(site: SiteServer, client: GuardedClient) -> Application:
    return Application(client, KEYS, TaskHosts([site.authority]), public_url="https://jobs.example.com/")


def task(site: SiteServer, path: str = "/task", body: Any = None) -> HttpTaskRequest:
    return HttpTaskRequest.model_validate({"url": f"{site.url}{path}", "body": body})


async def called(application: Application, site: SiteServer, answer: Answer, *, seconds: float = 60) -> TaskAnswer:
    site.routes["/task"] = answer
    return await application.call(task(site), JOB, datetime.now(UTC) + timedelta(seconds=seconds))


async def refused(application: Application, site: SiteServer, answer: Answer, **more: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await called(application, site, answer, **more)
    return caught.value


async def test_a_request_is_signed_and_says_where_to_answer(application: Application, site: SiteServer) -> None:
    site.routes["/task"] = Answer(202)
    until = datetime.now(UTC) + timedelta(days=3)
    body = {"name": "Zoë ☂", "rows": [1, None, 2.5]}
    assert await application.call(task(site, body=body), JOB, until) == TaskAnswer(accepted=True)
    [asked] = site.asked
    assert Webhook(KEYS.signing_secret).verify(asked.body, dict(asked.headers)) == body
    told = {name: value for name, value in asked.headers.items() if name.startswith("longrun-")}
    assert told == {
        "longrun-job-id": str(JOB),
        "longrun-callback-url": "https://jobs.example.com/api/workflow/update-execution",
        "longrun-callback-secret": KEYS.execution_secret(JOB),
        "longrun-callback-until": until.isoformat(),
    }
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")


async def test_a_cancel_is_signed_and_gives_no_secret(application: Application, site: SiteServer) -> None:
    site.routes["/task"] = Answer(204)
    await application.cancel(task(site), JOB)
    [asked] = site.asked
    said = Webhook(KEYS.signing_secret).verify(asked.body, dict(asked.headers))
    assert (asked.method, said) == ("DELETE", {"type": "task.canceled", "jobId": str(JOB)})
    assert asked.headers["webhook-id"] == f"{JOB}-canceled"
    assert "longrun-callback-secret" not in asked.headers


@pytest.mark.parametrize("status", [404, 405, 410, 501])
async def test_an_application_that_knows_no_cancel_is_left_alone(
    application: Application, site: SiteServer, status: int
) -> None:
    site.routes["/task"] = Answer(status)
    await application.cancel(task(site), JOB)


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (Answer(200, JSON, '{"a": [1, "☂"]}'), {"a": [1, "☂"]}),
        (Answer(201, {"content-type": "application/vnd.api+json; charset=utf-8"}, "1"), 1),
        (Answer(200, {}, '{"a": 1}'), {"a": 1}),
        (Answer(200, {}, "not json"), "not json"),
        (Answer(200, {"content-type": "text/plain"}, '{"a": 1}'), '{"a": 1}'),
        (Answer(200, JSON, "null"), None),
        (Answer(204), None),
        (Answer(200, JSON, r'"a \\u0000 in words"'), r"a \u0000 in words"),
    ],
)
async def test_a_good_answer_is_the_result(
    application: Application, site: SiteServer, answer: Answer, output: Any
) -> None:
    assert await called(application, site, answer) == TaskAnswer(accepted=False, output=output)


@pytest.mark.parametrize(
    ("answer", "code", "again"),
    [
        (Answer(500), "http_500", True),
        (Answer(503, {"retry-after": "7"}), "http_503", True),
        (Answer(408), "http_408", True),
        (Answer(400), "http_400", False),
        (Answer(422), "http_422", False),
        (Answer(304), "http_304", False),
        (Answer(500, {}, "x" * 5000), "http_500", True),
        (Answer(200, {}, "x" * 5000), "too_large", False),
        (Answer(200, JSON, "{"), "bad_response", True),
        (Answer(200, JSON, "NaN"), "bad_response", True),
        (Answer(200, JSON, '{"a\\u0000": 1}'), "bad_response", False),
        (Answer(200, {"content-type": "text/plain"}, "a\0b"), "bad_response", False),
        (Answer(drop=True), "connection", True),
    ],
)
async def test_every_other_answer_is_classed(
    application: Application, site: SiteServer, answer: Answer, code: str, again: bool
) -> None:
    error = await refused(application, site, answer)
    assert (error.code, error.again) == (code, again)
    assert error.retry_after == (7 if "retry-after" in answer.headers else None)
    assert "the application" in error.message


async def test_too_many_requests_are_waited_for(application: Application, site: SiteServer) -> None:
    error = await refused(application, site, Answer(429, {"retry-after": "3"}))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 3


async def test_nobody_waits_for_an_answer_longer_than_for_the_result(
    application: Application, site: SiteServer
) -> None:
    error = await refused(application, site, Answer(200, delay=4), seconds=0)
    assert (error.code, error.again) == ("timeout", True)


async def test_a_redirect_leads_nowhere(application: Application, site: SiteServer) -> None:
    site.routes["/elsewhere"] = Answer(200, JSON, "1")
    error = await refused(application, site, redirect(f"{site.url}/elsewhere", 307))
    assert (error.code, error.again) == ("http_307", False)
    assert site.hits["/elsewhere"] == 0


async def test_hosts_that_are_not_listed_see_nothing(site: SiteServer, client: GuardedClient) -> None:
    elsewhere = Application(client, KEYS, TaskHosts(["app.example.com"]), public_url="https://jobs.example.com")
    with pytest.raises(JobError) as caught:
        await elsewhere.call(task(site), JOB, datetime.now(UTC))
    assert caught.value.code == "host_not_allowed"
    with pytest.raises(JobError):
        await elsewhere.cancel(task(site), JOB)
    assert site.connections == 0


async def test_a_listed_name_that_leads_inside_is_refused(site: SiteServer) -> None:
    async def inside(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with GuardedClient(allow=["app.example.com"], resolve=inside) as client:
        application = Application(client, KEYS, TaskHosts(["app.example.com"]), public_url="https://jobs.example.com")
        named = HttpTaskRequest.model_validate({"url": "http://app.example.com/"})
        with pytest.raises(VendorError) as caught:
            await application.call(named, JOB, datetime.now(UTC))
    assert caught.value.code == "address_refused"


async def test_nothing_is_sent_unsigned(site: SiteServer, client: GuardedClient) -> None:
    keyless = Application(client, Keyring([]), TaskHosts([site.authority]), public_url="https://jobs.example.com")
    with pytest.raises(JobError) as caught:
        await keyless.call(task(site), JOB, datetime.now(UTC))
    assert caught.value.code == "not_configured"
    assert site.connections == 0


async def test_a_repeat_is_known_by_its_id(application: Application, site: SiteServer) -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> Answer:
        seen.append(asked)
        return Answer(500 if len(seen) == 1 else 200)

    site.routes["/task"] = answer
    until = datetime.now(UTC) + timedelta(minutes=1)
    with pytest.raises(VendorError):
        await application.call(task(site), JOB, until)
    await application.call(task(site), JOB, until)
    assert {(asked.headers["webhook-id"], asked.headers["idempotency-key"]) for asked in seen} == {(str(JOB), str(JOB))}
