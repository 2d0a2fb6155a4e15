"""Postings from boards and pages over real sockets: what each answers, and what is said when it does not."""

import json
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from bench.postings.forms import Form, forms
from domain.errors import JobError, RateLimited, VendorError
from domain.postings.enriching import Reading
from providers.crawlbase import Crawlbase
from providers.postings.ats import Boards
from providers.postings.pages import PostingPages
from providers.postings.reader import PostingReader
from providers.web import GuardedClient
from tests.support.site_server import Answer, Route, SiteServer, page

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOSTS = ("boards-api.greenhouse.io", "api.lever.co", "api.eu.lever.co", "api.ashbyhq.com")
SLUG = "cloud-operations-sre"
FORMS: dict[str, Form] = {form.kind: form for form in forms() if form.truth.slug == SLUG}
# The address of the page, and where the board's API has it.
BOARDS = {
    "greenhouse": ("https://boards.greenhouse.io/acme/jobs/4711", "/v1/boards/acme/jobs/4711?pay_transparency=true"),
    "lever": (f"https://jobs.lever.co/acme/{SLUG}/apply", f"/v0/postings/acme/{SLUG}"),
    "ashby": (f"https://jobs.ashbyhq.com/acme/{SLUG}", "/posting-api/job-board/acme?includeCompensation=true"),
}
PAGE = Answer(200, {"content-type": "text/html"}, FORMS["page"].body)
APP = page('<div id="root"></div><script src="/app.js"></script>')


class Outside:
    def __init__(self, site: SiteServer, client: GuardedClient, reader: PostingReader) -> None:
        self.site, self.client, self.reader = site, client, reader
        self.boards = Boards(client, dict.fromkeys(HOSTS, site.url))

    async def read(self, url: str, crawlbase: Crawlbase | None = None) -> Reading:
        return await PostingPages(self.client, self.boards, self.reader, crawlbase).read(url)

    async def refused(self, url: str) -> VendorError:
        with pytest.raises(VendorError) as caught:
            await self.read(url)
        return caught.value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside() -> AsyncGenerator[Outside]:
    async with SiteServer() as site, GuardedClient(allow=[site.authority], timeout=30) as client:
        reader = PostingReader()
        yield Outside(site, client, reader)
        await reader.close()


@pytest.mark.parametrize("board", list(BOARDS))
async def test_a_board_is_read_from_its_public_json(outside: Outside, board: str) -> None:
    url, target = BOARDS[board]
    outside.site.routes[target] = Answer(200, {"content-type": "application/json"}, FORMS[board].body)
    reading = await outside.read(url)
    found, truth = (await outside.reader.words(reading)).details(), FORMS[board].truth
    assert (found.title, found.company.name, found.evidence["title"].source) == (truth.title, truth.company, "ats")
    assert found.salary
    assert (found.salary.min, found.salary.max) == truth.salary
    assert reading.structured


@pytest.mark.parametrize("board", list(BOARDS))
@pytest.mark.parametrize(
    ("answer", "code", "again"),
    [
        (Answer(404), "gone", False),
        (Answer(410), "gone", False),
        (Answer(429, {"retry-after": "7"}), "rate_limited", True),
        (Answer(503), "http_503", True),
        (Answer(200, body="<html>maintenance</html>"), "bad_response", True),
        (Answer(200, body='{"jobs": 3}'), "bad_response", True),
        (Answer(200, body="[]"), "bad_response", True),
        (Answer(drop=True), "connection", True),
    ],
)
async def test_what_a_board_does_instead_is_said(
    outside: Outside, board: str, answer: Answer, code: str, again: bool
) -> None:
    url, target = BOARDS[board]
    outside.site.routes[target] = answer
    error = await outside.refused(url)
    assert (error.code, error.again) == (code, again)
    if isinstance(error, RateLimited):
        assert error.retry_after == 7


async def test_a_board_that_hangs_is_given_up(outside: Outside) -> None:
    outside.site.routes[BOARDS["lever"][1]] = Answer(delay=3600)
    async with GuardedClient(allow=[outside.site.authority], timeout=0.5) as hurried:
        error = await Outside(outside.site, hurried, outside.reader).refused(BOARDS["lever"][0])
    assert error.code == "timeout"


async def test_a_position_that_a_board_lists_no_more_is_gone(outside: Outside) -> None:
    outside.site.routes[BOARDS["ashby"][1]] = Answer(200, body=json.dumps({"jobs": [{"id": "another", "title": "A"}]}))
    assert (await outside.refused(BOARDS["ashby"][0])).code == "gone"


@pytest.mark.parametrize(
    ("route", "code", "again"),
    [
        (Answer(451), "blocked", False),
        (Answer(999), "blocked", False),
        (Answer(200, {"cf-mitigated": "challenge", "content-type": "text/html"}, "<p>wait</p>"), "blocked", False),
        (Answer(502), "site_down", True),
        (APP, "needs_javascript", False),
    ],
)
async def test_a_page_that_shows_nothing_says_why(outside: Outside, route: Route, code: str, again: bool) -> None:
    outside.site.routes["/page"] = route
    error = await outside.refused(f"{outside.site.url}/page")
    assert (error.code, error.again) == (code, again)


async def test_a_private_address_is_never_asked(outside: Outside) -> None:
    async with SiteServer({"/": PAGE}) as other:
        assert (await outside.refused(other.url)).code == "address_refused"
        assert other.connections == 0


@pytest.mark.parametrize("route", [APP, Answer(403)])
async def test_crawlbase_reads_what_turns_programs_away(outside: Outside, route: Route) -> None:
    url = f"{outside.site.url}/app"
    outside.site.routes |= {"/app": route, "/": Answer(200, {"pc_status": "200"}, FORMS["page"].body)}
    async with Crawlbase("token", outside.site.url) as crawlbase:
        reading = await outside.read(url, crawlbase)
        assert FORMS["page"].truth.title in reading.said
        assert "token=token" in outside.site.asked[-1].target
        outside.site.routes["/"] = Answer(200, {"pc_status": "404"}, "")
        with pytest.raises(VendorError) as caught:
            await outside.read(url, crawlbase)
    assert caught.value.code in ("needs_javascript", "blocked"), "the page's own reason"


async def test_what_takes_too_long_to_read_is_ended_and_the_next_is_read() -> None:
    reader = PostingReader(seconds=1)
    try:
        with pytest.raises(JobError) as caught:
            # a second is too short for pages of that size on any machine
            await reader.page("<html>" + "<div><p>word " * 300_000, "https://jobs.example.com/")
        assert caught.value.code == "too_large"
    finally:
        await reader.close()
