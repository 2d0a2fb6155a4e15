"""GitHub's limits and failures, and what becomes of the token, over real HTTP from a GitHub on loopback."""

import asyncio
import time
import traceback

import pytest

from domain.errors import RateLimited
from local import ports
from providers.github import GitHub
from tests.support.github_company import ACME, asking, package, refusal
from tests.support.github_server import GitHubServer, Repo, limited
from tests.support.site_server import Answer, SiteServer, redirect

TOKEN = "ghp_marker_that_nobody_may_see"

# Limits


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("header", ["x-ratelimit-reset", "retry-after"])
async def test_a_short_limit_says_how_long_to_wait(status: int, header: str):
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("web"), **ACME)
        began = time.time()
        # The reset is a moment, so it is told when the test runs and not when it is collected.
        limit = limited(status, retry_after="30") if header == "retry-after" else limited(status, reset_in=30)
        github.fail("/orgs/acmewidgets", limit)
        error = await refusal(github)
        spent = time.time() - began
    assert isinstance(error, RateLimited)
    assert error.again
    assert error.retry_after is not None
    # a reset is told in whole seconds
    assert 29 - spent <= error.retry_after <= 30


@pytest.mark.parametrize("answer", [limited(403, reset_in=1800), limited(429, retry_after="900")])
@pytest.mark.parametrize("path", ["/orgs/acmewidgets", "/search/users", "/orgs/getacme/repos"])
async def test_a_long_limit_is_not_waited_for(answer: Answer, path: str):
    async with GitHubServer() as github:
        github.add("getacme", Repo("web"), **ACME)
        github.fail(path, answer)
        error = await refusal(github)
    assert not isinstance(error, RateLimited)
    assert (error.code, error.again) == ("github_rate_limited", False)


async def test_what_was_found_before_a_limit_is_kept_and_nothing_is_asked_after_it():
    repos = [Repo(f"r{n}", f"Number {n}", stars=100 - n, files=package(express="5")) for n in range(15)]
    async with GitHubServer() as github:
        github.add("acmewidgets", *repos, **ACME)
        github.fail(r"/repos/acmewidgets/(r[4-9]|r1\d)/.*", limited(403, reset_in=20))
        found, lines = await GitHub(github.url).read(asking(deep_mode=True))
        asked = {asked.path.split("/")[3] for asked in github.asked if asked.path.startswith("/repos/")}
        assert asked & {"r4", "r5", "r6", "r7"}
        assert not asked & {f"r{n}" for n in range(8, 15)}
    assert [line.quote for line in lines if line.topic == "manifest"] == ['"express": "5"'] * 4
    assert {f"Number {n}" for n in range(15)} <= {line.quote for line in lines}
    assert found.failure is not None
    assert found.failure.code == "github_rate_limited"
    assert "4 of 15" in found.failure.message


async def test_a_short_limit_before_any_detail_is_waited_for_and_a_long_one_leaves_the_list():
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("web", description="Ours"), **ACME)
        github.fail("/repos/.*", limited(403, reset_in=20), times=1)
        assert isinstance(await refusal(github), RateLimited)
        github.fail("/repos/.*", limited(403, reset_in=2000))
        found, lines = await GitHub(github.url).read(asking())
    assert [line.quote for line in lines] == ["Ours"]
    assert found.failure is not None


# Failures


@pytest.mark.parametrize(
    ("answer", "code", "again"),
    [
        (Answer(502), "http_502", True),
        (Answer(503), "http_503", True),
        (Answer(drop=True), "connection", True),
        (Answer(200, body="<html>not GitHub"), "bad_response", True),
        (Answer(200, body="[" * 100_000), "bad_response", True),
        (Answer(200, body='{"login": 7}'), "bad_response", True),
        (redirect("/orgs/acmewidgets"), "bad_response", True),
        (Answer(401), "http_401", False),
        (Answer(403), "http_403", False),
    ],
)
async def test_a_failing_github_is_a_vendor_error_by_its_cause(answer: Answer, code: str, again: bool):
    async with GitHubServer() as github:
        github.fail("/orgs/.*", answer)
        error = await refusal(github)
    assert (error.code, error.again) == (code, again)


async def test_a_silent_github_times_out():
    async with GitHubServer(first_delay=600) as github, asyncio.timeout(60):
        error = await refusal(github, timeout=0.2)
    assert (error.code, error.again) == ("timeout", True)


async def test_nobody_listening_is_a_connection_failure():
    github = GitHubServer()
    github.port = ports.free()
    assert (await refusal(github)).code == "connection"


@pytest.mark.parametrize("answer", [Answer(404), Answer(451), Answer(500), Answer(200, body="nonsense")])
async def test_a_repository_that_cannot_be_read_does_not_fail_the_others(answer: Answer):
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("bad", "Bad"), Repo("good", "Good", files=package(koa="3")), **ACME)
        github.fail("/repos/acmewidgets/bad/.*", answer)
        found, lines = await GitHub(github.url).read(asking())
    assert [line.quote for line in lines] == ["Bad", "Good", '"koa": "3"']
    assert found.failure is None


async def test_a_manifest_or_language_list_that_cannot_be_read_does_not_lose_the_rest():
    files = {**package(koa="3"), "Dockerfile": "FROM node:22\n", "go.mod": "go 1.22"}
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("web", files=files), **ACME)
        github.fail(".*/languages", Answer(500))
        github.fail(".*/go.mod", Answer(404))
        _, lines = await GitHub(github.url).read(asking())
    assert [line.technology for line in lines] == ["Koa", "Node.js"]


async def test_when_every_repository_fails_for_a_while_another_try_is_asked_for():
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("one", "One"), Repo("two", "Two"), **ACME)
        github.fail("/repos/.*", Answer(503))
        error = await refusal(github)
    assert (error.code, error.again) == ("http_503", True)


# Headers and the token


async def test_requests_carry_githubs_headers_and_the_token_only_as_a_header():
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("web", files=package(koa="3")), **ACME)
        await GitHub(github.url, TOKEN).read(asking())
        assert len(github.asked) == 5
        for asked in github.asked:
            assert asked.headers["authorization"] == f"Bearer {TOKEN}"
            assert asked.headers["x-github-api-version"] == "2022-11-28"
            assert asked.headers["accept"].startswith("application/vnd.github")
            assert asked.headers["user-agent"] == "longrun"
            assert TOKEN not in asked.target


async def test_without_a_token_none_is_sent():
    async with GitHubServer() as github:
        await refusal(github)
        assert github.asked
        assert not any("authorization" in asked.headers for asked in github.asked)


async def test_the_token_does_not_follow_a_redirect_to_another_host():
    async with GitHubServer() as github, SiteServer() as other:
        github.fail("/orgs/acmewidgets", redirect(f"{other.url}/orgs/acmewidgets"))
        await refusal(github, token=TOKEN)
        assert other.hits["/orgs/acmewidgets"] == 1
        assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize(
    "answer", [Answer(401, body=TOKEN), Answer(drop=True), limited(403, reset_in=9), Answer(body=TOKEN)]
)
async def test_the_token_is_in_no_error(answer: Answer):
    async with GitHubServer() as github:
        github.fail(".*", answer)
        error = await refusal(github, token=TOKEN)
    assert TOKEN not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}é"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str):
    with pytest.raises(ValueError, match="token") as caught:
        GitHub("http://127.0.0.1:1", token)
    assert TOKEN not in str(caught.value)
