"""The tools of plans over real HTTP and SMTP on loopback, and a model that asks for them."""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from activities.tools.connector import ReadRows
from activities.tools.document_search import DocumentQuery, SearchDocuments
from activities.tools.fetch_page import FetchPage, PageWanted
from activities.tools.http_request import HttpCall, HttpRequest
from activities.tools.send_email import Mail as Letter
from activities.tools.send_email import SendEmail
from activities.tools.tool import Use
from activities.tools.web_search import Query, WebSearch
from domain.connectors import connectors
from domain.errors import JobError, RateLimited, VendorError
from domain.plan import StepAnswer
from domain.tool_use import Exchange, ToolOffer
from domain.usage import Call
from providers import search
from providers.connectors import Connectors
from providers.mail import Mail
from providers.models import Models
from providers.requests import Requests
from providers.web import GuardedClient
from tests.providers.test_models import Drawer
from tests.support.mail_server import MailServer
from tests.support.site_server import Answer, Asked, SiteServer, page, redirect

JSON = {"content-type": "application/json"}
USE = Use(uuid4(), "ann", "Send", "the-key", 2)
CONTACTS = connectors()["HUBSPOT_GET_CONTACTS"]


@pytest.fixture
async def site() -> AsyncGenerator[SiteServer]:
    async with SiteServer() as site:
        yield site


@pytest.fixture
async def requests(site: SiteServer) -> AsyncGenerator[Requests]:
    async with GuardedClient(allow=[site.authority], timeout=30, max_bytes=100_000) as client:
        yield Requests(client)


def told(value: Any, status: int = 200) -> Answer:
    return Answer(status, JSON, json.dumps(value))


class TestHttpRequests:
    async def test_a_post_has_a_key_that_all_its_attempts_share(self, site: SiteServer, requests: Requests) -> None:
        site.routes["/orders"] = told({"id": 7})
        call = HttpCall.model_validate({"url": f"{site.url}/orders", "method": "POST", "body": {"n": 1}})
        assert await HttpRequest(requests).use(call, USE) == {
            "status": 200,
            "contentType": "application/json",
            "body": {"id": 7},
        }
        [asked] = site.asked
        assert (asked.method, asked.body) == ("POST", b'{"n":1}')
        assert (asked.headers["idempotency-key"], asked.headers["longrun-attempt"]) == ("the-key", "2")

    async def test_a_get_has_none_and_follows_redirects(self, site: SiteServer, requests: Requests) -> None:
        site.routes |= {"/old": redirect("/new"), "/new": Answer(200, {"content-type": "text/plain"}, "a\0b")}
        found = await HttpRequest(requests).use(HttpCall.model_validate({"url": f"{site.url}/old"}), USE)
        assert found["body"] == "ab"
        assert not [asked for asked in site.asked if "idempotency-key" in asked.headers]

    @pytest.mark.parametrize(("status", "again"), [(404, False), (302, False), (503, True)])
    async def test_every_other_answer_is_an_error(
        self, site: SiteServer, requests: Requests, status: int, again: bool
    ) -> None:
        site.routes["/"] = Answer(status, {"location": "/"})
        call = HttpCall.model_validate({"url": site.url, "method": "DELETE"})
        with pytest.raises(VendorError) as failed:
            await HttpRequest(requests).use(call, USE)
        assert (failed.value.code, failed.value.again) == (f"http_{status}", again)

    async def test_private_addresses_are_refused(self, site: SiteServer) -> None:
        async with GuardedClient() as client:
            for method in ("GET", "POST"):
                call = HttpCall.model_validate({"url": site.url, "method": method})
                with pytest.raises(VendorError) as failed:
                    await HttpRequest(Requests(client)).use(call, USE)
                assert failed.value.code == "address_refused"
        assert not site.asked


class TestPages:
    async def test_a_page_is_its_text(self, site: SiteServer, requests: Requests) -> None:
        site.routes["/"] = page("<main><h1>Acme</h1><p>Acme makes anvils of steel since 1920.</p></main>", title="Acme")
        found = await FetchPage(requests).use(PageWanted.model_validate({"url": f"{site.url}/"}), USE)
        assert "Acme makes anvils of steel since 1920." in found["text"]
        assert (found["title"], found["cut"]) == ("Acme", False)

    async def test_long_text_is_cut_and_said_to_be(self, site: SiteServer, requests: Requests) -> None:
        site.routes["/a.txt"] = Answer(200, {"content-type": "text/plain"}, "anvil " * 1000)
        wanted = PageWanted.model_validate({"url": f"{site.url}/a.txt", "maxCharacters": 100})
        found = await FetchPage(requests).use(wanted, USE)
        assert (len(found["text"]), found["cut"]) == (100, True)

    async def test_robots_txt_is_kept(self, site: SiteServer, requests: Requests) -> None:
        site.routes["/robots.txt"] = Answer(200, {"content-type": "text/plain"}, "User-agent: *\nDisallow: /")
        with pytest.raises(VendorError) as failed:
            await FetchPage(requests).use(PageWanted.model_validate({"url": f"{site.url}/"}), USE)
        assert failed.value.code == "site_blocked"
        assert site.hits["/"] == 0


class TestConnectors:
    async def test_rows_are_read_page_by_page(self, site: SiteServer) -> None:
        def contacts(asked: Asked) -> Answer:
            given = parse_qs(urlsplit(asked.target).query)
            first, size = int(given.get("after", ["0"])[0]), int(given["limit"][0])
            rows = [{"id": str(at)} for at in range(first, min(first + size, 250))]
            after = {"paging": {"next": {"after": str(first + size)}}} if first + size < 250 else {}
            return told({"results": rows, **after})

        site.routes[CONTACTS.path] = contacts
        async with Connectors({"hubspot": "pat-1"}, {"hubspot": site.url}) as rows:
            tool = ReadRows(CONTACTS, rows)
            asked = tool.spec.shape.model_validate({"limit": 230, "properties": ["email", "name"]})
            found = await tool.use(asked, USE)
        assert ([int(row["id"]) for row in found["rows"]], found["more"]) == (list(range(230)), True)
        assert [parse_qs(urlsplit(one.target).query)["limit"] for one in site.asked] == [["100"], ["100"], ["30"]]
        assert {one.headers["authorization"] for one in site.asked} == {"Bearer pat-1"}
        assert parse_qs(urlsplit(site.asked[0].target).query)["properties"] == ["email,name"]

    async def test_without_credentials_nothing_is_asked(self, site: SiteServer) -> None:
        async with Connectors({}, {"hubspot": site.url}) as rows:
            tool = ReadRows(CONTACTS, rows)
            assert not tool.ready
            with pytest.raises(JobError) as failed:
                await tool.use(tool.spec.shape(), USE)
        assert failed.value.code == "not_configured"
        assert not site.asked

    @pytest.mark.parametrize(
        ("answer", "error", "code"),
        [
            (Answer(401), VendorError, "http_401"),
            (Answer(429, {"retry-after": "7"}), RateLimited, "rate_limited"),
            (Answer(200, JSON, "no"), VendorError, "bad_response"),
            (told({"rows": []}), VendorError, "bad_response"),
        ],
    )
    async def test_what_goes_wrong_is_classed(
        self, site: SiteServer, answer: Answer, error: type[VendorError], code: str
    ) -> None:
        site.routes[CONTACTS.path] = answer
        async with Connectors({"hubspot": "pat-1"}, {"hubspot": site.url}) as rows:
            tool = ReadRows(CONTACTS, rows)
            with pytest.raises(error) as failed:
                await tool.use(tool.spec.shape(), USE)
        assert failed.value.code == code
        assert "pat-1" not in failed.value.message


class TestLettersAndSearch:
    async def test_a_letter_has_the_same_id_at_every_attempt(self) -> None:
        async with MailServer() as server:
            tool = SendEmail(Mail(f"smtp://{server.authority}", sender="Longrun <longrun@example.com>"))
            letter = Letter(to="ann@example.com", subject="Report", text="1 < 2")
            for _ in range(2):
                assert await tool.use(letter, USE) == {"sent": True}
            first, second = server.letters
        assert first.message["Message-ID"] == second.message["Message-ID"] == "<the-key@example.com>"
        assert "1 < 2" in first.message.get_body(("plain",)).get_content()  # pyright: ignore[reportOptionalMemberAccess]

    async def test_what_is_not_there_says_so(self) -> None:
        letter = Letter(to="ann@example.com", subject="s", text="t")
        for tool, asked in (
            (SendEmail(None), letter),
            (WebSearch(None), Query(query="q")),
            (SearchDocuments(None), DocumentQuery(q="q")),
        ):
            assert not tool.ready
            with pytest.raises(JobError) as failed:
                await tool.use(asked, USE)  # pyright: ignore[reportArgumentType]
            assert failed.value.code == "not_configured"

    async def test_hits_of_a_web_search(self, site: SiteServer) -> None:
        site.routes["/search"] = told({"results": [{"title": "A", "url": "https://a.example", "content": "about"}]})
        async with search.WebSearch("key", f"{site.url}/search") as finder:
            found = await WebSearch(finder).use(Query(query="q"), USE)
        assert found == {"hits": [{"title": "A", "url": "https://a.example", "description": "about"}]}


OFFER = ToolOffer(
    name="calculate",
    description="Compute.",
    parameters={"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
)


def anthropic_asks(*calls: tuple[str, Any]) -> Answer:
    content = [
        {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": given}
        for at, (name, given) in enumerate(calls)
    ]
    usage = {"input_tokens": 10, "output_tokens": 5}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5", "content": content}
    return told({**said, "stop_reason": "tool_use", "stop_sequence": None, "usage": usage})


def openai_asks(*calls: tuple[str, Any]) -> Answer:
    output = [
        {
            "type": "function_call",
            "id": f"fc_{at}",
            "call_id": f"call_{at}",
            "name": name,
            "arguments": json.dumps(given),
        }
        for at, (name, given) in enumerate(calls)
    ]
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    said = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o", "status": "completed"}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return told({**said, **more, "output": output, "usage": usage})


class TestAModelThatAsksForTools:
    VENDORS = (("claude-haiku-5-5", "/v1/messages", anthropic_asks), ("gpt-4o", "/responses", openai_asks))

    @pytest.mark.parametrize(("model", "path", "asks"), VENDORS)
    async def test_it_is_told_what_they_said(self, site: SiteServer, model: str, path: str, asks: Any) -> None:
        site.routes[path] = asks(("calculate", {"expression": "6*7"}), ("forbidden", {}))
        till = Drawer()
        keys = {"anthropic_key": "k", "anthropic_base_url": site.url, "openai_key": "k", "openai_base_url": site.url}
        models = Models(till, timeout=30, **keys)  # pyright: ignore[reportArgumentType]
        job_id = uuid4()

        async def choose(turn: int, *exchanges: Exchange, offers: Sequence[ToolOffer] = (OFFER,)) -> Any:
            return await models.choose(
                Call(job_id=job_id, step="Analyze", turn=turn),
                model=model,
                instructions="Be exact.",
                prompt="What is it?",
                exchanges=exchanges,
                offers=offers,
                output=StepAnswer,
                max_tokens=1000,
            )

        first = await choose(1)
        [use] = first.uses
        assert (use.tool, use.arguments) == ("calculate", {"expression": "6*7"}), "none but what was offered"
        assert first.output is None
        again = await choose(1)
        assert (again.recalled, again.uses, len(site.asked)) == (True, first.uses, 1), "a turn is paid for once"
        told_ = Exchange(uses=(use.model_copy(update={"id": "1.0"}),), said=('{"value":42}',))
        await choose(2, told_)
        sent = site.asked[1].body.decode()
        assert '{\\"value\\":42}' in sent
        assert sent.count("call_1_0") == 2
        assert [spent.model for spent in till.spent] == [model] * 2
        with pytest.raises(VendorError):
            await choose(3, told_, offers=())
        last = json.loads(site.asked[2].body)
        assert [tool["name"] for tool in last["tools"]] == ["calculate"], "a vendor wants to know what was used"
        assert last["tool_choice"] in ("none", {"type": "none"}), "and the model may use it no more"
        await models.close()

    async def test_without_that_vendors_key_it_says_so(self) -> None:
        models = Models(Drawer(), anthropic_key="k")
        assert models.missing_for("claude-haiku-5-5") is None
        assert models.missing_for("gpt-4o") == "no key is set for the model gpt-4o"
        assert models.missing is None
