"""The guarded client: what it refuses to reach, and what it caps. Every refusal is proved by a listener that counts."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import httpcore2
import httpx2
import pytest

from domain.errors import RateLimited, VendorError
from providers.connectors import Connectors
from providers.crawlbase import Crawlbase
from providers.embeddings import OpenAIEmbeddings
from providers.github_api import talking
from providers.guard import is_public, look_up
from providers.search import WebSearch
from providers.supabase import Supabase
from providers.vendor import answering, refused, retry_after
from providers.web import HTML, GuardedClient, authorities
from tests.providers.test_embeddings import Purse
from tests.support.site_server import Answer, Asked, SiteServer, page, redirect

HOSTILE = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port6}/",
    "http://[::]:{port6}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://10.0.0.1/",
    "http://100.100.100.200/",
    "http://192.168.1.1/",
    "http://allowed.test:{allowed}/to-loopback",
    "http://allowed.test:{allowed}/to-file",
    "http://allowed.test:{allowed}/to-userinfo",
    "http://rebinding.test:{port}/",
    "http://mixed.test:{port}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http:///etc/passwd",
]


async def resolve(host: str, port: int) -> list[str]:
    """The system's resolver, and three names of our own."""
    own = {"allowed.test": ["127.0.0.1"], "rebinding.test": ["127.0.0.1"], "mixed.test": ["93.184.216.34", "127.0.0.1"]}
    return own.get(host) or await look_up(host, port)


@pytest.fixture
async def victims() -> AsyncIterator[tuple[SiteServer, SiteServer]]:
    """Listeners on both loopbacks that nothing may reach."""
    async with SiteServer({"/": page("secret")}) as four, SiteServer({"/": page("secret")}, host="::1") as six:
        yield four, six


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_address_never_reaches_a_listener(hostile: str, victims: tuple[SiteServer, SiteServer]) -> None:
    four, six = victims
    routes = {
        "/to-loopback": redirect(f"http://127.0.0.1:{four.port}/"),
        "/to-file": redirect("file:///etc/passwd"),
        "/to-userinfo": redirect(f"http://allowed.test@127.0.0.1:{four.port}/"),
    }
    async with SiteServer(routes) as allowed:
        url = hostile.format(port=four.port, port6=six.port, allowed=allowed.port)
        async with GuardedClient(allow=[f"allowed.test:{allowed.port}"], timeout=30, resolve=resolve) as client:
            with pytest.raises(VendorError) as caught:
                await client.get(url)
        assert allowed.connections == ("allowed.test" in hostile and "@" not in hostile)
    assert caught.value.code in ("address_refused", "bad_url", "unknown_host")
    assert not caught.value.again
    assert (four.connections, six.connections) == (0, 0)


async def test_the_listener_would_have_counted(victims: tuple[SiteServer, SiteServer]) -> None:
    for victim in victims:
        async with GuardedClient(allow=[victim.authority]) as client:
            assert b"secret" in (await client.get(f"{victim.url}/")).body
        assert victim.connections == 1


@dataclass
class Wire(httpcore2.AsyncNetworkBackend):
    """Records where connections go and opens none."""

    reached: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.reached.append((host, port))
        raise httpcore2.ConnectError("recorded")


async def test_rebinding_name_connects_to_the_address_that_was_checked() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    wire = Wire()
    async with GuardedClient(resolve=rebinding, network=wire) as client:
        with pytest.raises(VendorError) as first:
            await client.get("http://rebinding.test/")
        assert (first.value.code, wire.reached, len(answers)) == ("connection", [("93.184.216.34", 80)], 1)
        with pytest.raises(VendorError) as second:
            await client.get("http://rebinding.test/")
    assert second.value.code == "address_refused"
    assert wire.reached == [("93.184.216.34", 80)]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::1", False),
        ("::127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
        ("fe80::1%lo", False),
        ("fec0::1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("198.18.0.1", False),
        ("168.63.129.16", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_allow_lifts_the_rule_for_one_host_and_port_only() -> None:
    async with SiteServer({"/": page("hello")}) as site, SiteServer({"/": page("secret")}) as other:
        async with GuardedClient(allow=[site.authority]) as client:
            assert (await client.get(site.url)).status == 200
            for url in (other.url, f"http://localhost:{site.port}"):
                with pytest.raises(VendorError, match="open internet"):
                    await client.get(url)
        assert other.connections == 0


async def test_addresses_with_a_user_are_never_asked() -> None:
    async with SiteServer() as site, GuardedClient(allow=[site.authority]) as client:
        site.routes["/"] = redirect(f"http://user:word@{site.authority}/in")
        for url in (f"http://user@{site.authority}/in", site.url):
            with pytest.raises(VendorError) as caught:
                await client.get(url)
            assert caught.value.code == "bad_url"
        assert site.hits == {"/": 1}


async def test_redirects_are_followed_five_times_and_asked_for_each() -> None:
    routes = {f"/{n}": redirect(f"/{n - 1}") for n in range(1, 7)} | {"/0": page("end")}
    hops: list[str] = []

    async def permit(url: str) -> None:
        hops.append(url.rpartition("/")[2])

    async with SiteServer(routes) as site, GuardedClient(allow=[site.authority]) as client:
        fetched = await client.get(f"{site.url}/5", permit=permit)
        assert (fetched.url, fetched.status, fetched.content_type) == (f"{site.url}/0", 200, "text/html")
        assert hops == ["5", "4", "3", "2", "1", "0"]
        with pytest.raises(VendorError) as caught:
            await client.get(f"{site.url}/6")
        assert caught.value.code == "too_many_redirects"
        assert site.hits["/0"] == 1


async def test_calls_given_up_at_any_time_leave_it_all_its_connections() -> None:
    routes = {"/slow": page("later", delay=0.02), "/": page("now")}
    async with SiteServer(routes) as site, GuardedClient(allow=[site.authority], timeout=30) as client:
        for turns in range(100):
            calls = [asyncio.create_task(client.get(f"{site.url}/slow")) for _ in range(40)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for call in calls[::2] if turns % 2 else calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        answers = await asyncio.gather(*(client.get(f"{site.url}/") for _ in range(40)))
    assert len(answers) == 40


async def test_sizes_are_capped_packed_and_unpacked() -> None:
    zipped = {"content-type": "text/html", "content-encoding": "gzip"}
    routes = {
        "/fits": Answer(200, zipped, gzip.compress(b"x" * 10_000)),
        "/bomb": Answer(200, zipped, gzip.compress(b"x" * 5_000_000)),
        "/long": Answer(200, {}, b"x" * 10_001),
        "/broken": Answer(200, zipped, gzip.compress(b"x" * 10_000)[:-20]),
        "/odd": Answer(200, {"content-encoding": "br"}, b"x"),
    }
    async with SiteServer(routes) as site, GuardedClient(allow=[site.authority], max_bytes=10_000) as client:
        assert (await client.get(f"{site.url}/fits")).body == b"x" * 10_000
        for path, code in (
            ("bomb", "too_large"),
            ("long", "too_large"),
            ("broken", "bad_response"),
            ("odd", "bad_response"),
        ):
            with pytest.raises(VendorError) as caught:
                await client.get(f"{site.url}/{path}")
            assert (path, caught.value.code) == (path, code)


async def test_endless_body_is_dropped_at_the_cap() -> None:
    endless = Answer(200, {"content-length": "1000000000"}, b"x" * 200_000, pause=0.001, chunk=20_000)
    async with SiteServer({"/": endless}) as site, GuardedClient(allow=[site.authority], max_bytes=50_000) as client:
        with pytest.raises(VendorError) as caught:
            await client.get(site.url)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (page("late", delay=60), "timeout"),
        (Answer(200, {}, b"drip" * 100, pause=0.05, chunk=1), "timeout"),
        (Answer(drop=True), "connection"),
        (Answer(200, {"content-length": "10"}, "cut"), "timeout"),
    ],
)
async def test_time_is_capped_as_a_whole(answer: Answer, code: str) -> None:
    timeout = 0.3 if code == "timeout" else 30
    async with SiteServer({"/": answer}) as site, GuardedClient(allow=[site.authority], timeout=timeout) as client:
        with pytest.raises(VendorError) as caught:
            await client.get(site.url)
    assert (caught.value.code, caught.value.again) == (code, True)


async def test_type_is_judged_before_the_body() -> None:
    film = Answer(200, {"content-type": "video/mp4"}, b"x" * 500, pause=0.2, chunk=1)
    async with SiteServer({"/": film}) as site, GuardedClient(allow=[site.authority], timeout=30) as client:
        with pytest.raises(VendorError) as caught:
            await client.get(site.url, types=HTML)
    assert caught.value.code == "unexpected_type"


async def test_charset_of_the_header_then_of_the_bytes() -> None:
    routes = {
        "/named": Answer(200, {"content-type": "text/html; charset=ISO-8859-1"}, "café".encode("latin-1")),
        "/unnamed": Answer(200, {"content-type": "text/html"}, "<p>café, naïve, déjà vu</p>".encode()),
        "/lying": Answer(200, {"content-type": "text/html; charset=hex"}, b"plain words"),
    }
    async with SiteServer(routes) as site, GuardedClient(allow=[site.authority]) as client:
        assert (await client.get(f"{site.url}/named")).text == "café"
        assert (await client.get(f"{site.url}/unnamed")).text == "<p>café, naïve, déjà vu</p>"
        assert (await client.get(f"{site.url}/lying")).text == "plain words"


async def test_says_who_it_is_and_keeps_no_cookies() -> None:
    def bake(asked: Asked) -> Answer:
        return Answer(200, {"set-cookie": "id=1; Path=/"}, "")

    async with SiteServer({"/": bake}) as site, GuardedClient(allow=[site.authority]) as client:
        await client.get(site.url)
        await client.get(site.url)
        assert [asked.headers["user-agent"] for asked in site.asked] == ["Longrun/0.1 (company research)"] * 2
        assert "cookie" not in site.asked[1].headers
        assert site.connections == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"}, 60),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 GMT"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767225630"}, 30),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1767225630"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=1767225600) == seconds


async def test_refusals_by_status_over_the_wire() -> None:
    routes = {f"/{status}": Answer(status, {}, "secret body") for status in (401, 403, 404, 408, 429, 500, 529)}
    routes["/limited"] = Answer(403, {"retry-after": "5"}, "")
    seen: dict[str, tuple[bool, bool, float | None]] = {}
    async with SiteServer(routes) as site, httpx2.AsyncClient(base_url=site.url) as http:
        for path in routes:
            error = refused(await http.get(path), "the service")
            assert "secret" not in error.message
            seen[path[1:]] = (isinstance(error, RateLimited), error.again, error.retry_after)
    assert seen == {
        "401": (False, False, None),
        "403": (False, False, None),
        "404": (False, False, None),
        "408": (False, True, None),
        "429": (True, True, None),
        "500": (False, True, None),
        "529": (True, True, None),
        "limited": (True, True, 5.0),
    }


async def test_transport_errors_over_the_wire() -> None:
    routes = {"/drop": Answer(drop=True), "/slow": Answer(delay=60)}
    codes: list[str] = []
    async with SiteServer(routes) as site, httpx2.AsyncClient(base_url=site.url) as http:
        for path, timeout in (("/drop", 30), ("/slow", 0.2)):
            with pytest.raises(VendorError) as caught, answering("the service"):
                await http.get(path, timeout=timeout)
            codes.append(caught.value.code)
    assert codes == ["connection", "timeout"]


async def test_the_certificates_are_read_once_however_many_vendors_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    authorities()

    def read(*_: object, **__: object) -> ssl.SSLContext:
        raise AssertionError("the certificates are read again")

    monkeypatch.setattr(ssl, "create_default_context", read)
    async with (
        talking("https://github.test", None, timeout=1, patience=1),
        Connectors({}, {}),
        Crawlbase("token"),
        Supabase("https://project.test", "key"),
        WebSearch("key"),
    ):
        await OpenAIEmbeddings("key", Purse()).aclose()
