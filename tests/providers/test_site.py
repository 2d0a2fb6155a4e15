"""The site reader against real servers on loopback: finding, keeping to the rules, counting pages, honest reasons."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from pydantic import HttpUrl

from domain.errors import RateLimited, VendorError
from domain.research import CompanyResearchRequest, Evidence, SiteFound
from local import ports
from providers import site as reading
from providers.crawlbase import Crawlbase
from providers.pages import Page, read_page
from providers.search import WebSearch
from providers.site import CompanySite
from providers.web import GuardedClient
from tests.support.site_server import Answer, Asked, Route, SiteServer, page, redirect

NAV = ["about", "careers", "engineering", "products", "culture", "news"]
SECOND = ["about/history", "careers/remote", "engineering/stack", "products/one", "products/two", "culture/values"]
THIRD = ["news/first", "news/second", "news/third"]


def company(*paths: str, name: str = "18F", delay: float = 0.0) -> dict[str, Route]:
    """A site whose home page links to `paths`; each page says two sentences of its own, after `delay` seconds."""
    links = "".join(f'<li><a href="/{path}">{path}</a></li>' for path in paths)
    routes: dict[str, Route] = {
        "/": page(
            f"<nav><ul>{links}</ul></nav><h1>{name} builds better services</h1>"
            f"<main><p>{name} is an office of designers and engineers. It began in March 2014 in the east.</p></main>",
            title=f"{name} | Home",
        )
    }
    for path in paths:
        said = path.replace("/", " ")
        text = f"<p>This page tells all about {said} at the office. Nobody else tells of {said} that well.</p>"
        routes[f"/{path}"] = page(f"<main>{text}</main>", title=said.title(), delay=delay)
    return routes


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    """Reaches whatever `opened` adds to `allow`."""
    client = GuardedClient(allow=[], timeout=3)
    yield client
    await client.aclose()


def request(url: str | None = None, name: str = "18F", *, deep: bool = False) -> CompanyResearchRequest:
    return CompanyResearchRequest(
        company_name=name, role="Engineer", deep_mode=deep, company_url=HttpUrl(url) if url else None
    )


async def read(
    site: SiteServer, *, deep: bool = False, path: str = "/", **options: Any
) -> tuple[SiteFound, list[Evidence]]:
    async with GuardedClient(allow=[site.authority], timeout=options.pop("timeout", 30)) as client:
        return await CompanySite(client, **options).read(request(site.url + path, deep=deep))


async def reason(routes: Mapping[str, Route], **options: Any) -> VendorError:
    async with SiteServer(routes) as site:
        with pytest.raises(VendorError) as caught:
            await read(site, **options)
    return caught.value


@pytest.mark.parametrize(("deep", "pages"), [(False, 4), (True, 12)])
async def test_reads_exactly_four_pages_and_twelve_in_deep_mode(deep: bool, pages: int) -> None:
    async with SiteServer(company(*NAV, *SECOND, *THIRD, delay=0.05)) as site:
        found, evidence = await read(site, deep=deep)
        assert sum(count for path, count in site.hits.items() if path != "/robots.txt") == pages
        assert site.most_at_once <= 4
    assert (found.website, found.pages, found.sentences) == (f"{site.url}/", pages, len(evidence))
    assert len({item.url for item in evidence}) == pages
    assert {item.id.partition(".")[0] for item in evidence} == {f"p{n}" for n in range(1, pages + 1)}
    topics = {item.topic for item in evidence}
    assert topics >= ({"home", *NAV} if deep else {"home", "about", "careers", "engineering"})


async def test_evidence_names_its_page_and_place() -> None:
    async with SiteServer(company("about")) as site:
        _, evidence = await read(site)
    first = next(item for item in evidence if item.quote == "18F is an office of designers and engineers.")
    assert (first.kind, first.topic, first.url, first.title) == ("page", "home", f"{site.url}/", "18F | Home")
    assert [item.id for item in evidence if item.topic == "about"] == ["p2.1", "p2.2"]


async def test_sitemap_fills_what_the_links_leave_open() -> None:
    routes = company("about", "careers", "engineering", "products")
    routes["/"] = page("<main><p>18F is an office of designers and engineers.</p></main>", title="18F")
    index = "<sitemapindex><sitemap><loc>{0}/map.xml.gz</loc></sitemap></sitemapindex>"
    listed = "<urlset><url><loc>{0}/products</loc></url><url><loc>{0}/careers</loc></url>"
    listed += "<url><loc>{0}/privacy</loc></url><url><loc>https://elsewhere.example/about</loc></url></urlset>"
    async with SiteServer(routes) as site:
        packed = {"content-type": "application/xml", "content-encoding": "gzip"}
        site.routes["/index.xml"] = Answer(200, {"content-type": "text/xml"}, index.format(site.url))
        site.routes["/map.xml.gz"] = Answer(200, packed, gzip.compress(listed.format(site.url).encode()))
        site.routes["/robots.txt"] = Answer(200, {"content-type": "text/plain"}, f"Sitemap: {site.url}/index.xml")
        found, evidence = await read(site)
    assert found.pages == 4
    # Nothing leads to /about: it is asked for by its usual address.
    assert {item.url.removeprefix(site.url) for item in evidence} == {"/", "/careers", "/products", "/about"}
    assert not site.hits["/privacy"]


async def test_missing_page_gives_way_to_the_next() -> None:
    routes = company(*NAV)
    routes["/about"] = Answer(404, body="gone")
    routes["/careers"] = redirect("https://jobs.elsewhere.example/18f")
    routes["/engineering"] = page("<p>Just a moment while we look at your browser.</p>", status=403)
    routes["/culture"] = routes["/products"]
    async with SiteServer(routes) as site:
        found, evidence = await read(site)
    assert found.pages == 3
    assert {item.topic for item in evidence} == {"home", "products", "news"}


async def test_found_by_name_alone() -> None:
    parked = page("<h1>18F</h1><p>This domain is for sale, dear visitor.</p>", title="18F")
    other = company("about", name="Some Other Office")
    async with SiteServer({"/": parked}) as lot, SiteServer(other) as stranger, SiteServer(company(*NAV)) as site:
        everyone = [lot, stranger, site]
        templates = (*(server.url for server in everyone), "http://{slug}.invalid")
        async with GuardedClient(allow=[server.authority for server in everyone]) as client:
            found, evidence = await CompanySite(client, candidates=templates).read(request())
    assert (found.website, found.pages) == (site.url + "/", 4)
    assert all(item.url.startswith(site.url) for item in evidence)
    assert site.hits["/"] == 1


async def test_slug_of_the_name_fills_the_candidates() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with SiteServer(company("about", name="Acme Widgets")) as site:
        allow = [f"acme-widgets.test:{site.port}"]
        async with GuardedClient(allow=allow, resolve=resolve) as client:
            reader = CompanySite(client, candidates=(f"http://{{slug}}.test:{site.port}",))
            found, _ = await reader.read(request(name="Acme Widgets, Inc."))
    assert found.website == f"http://acme-widgets.test:{site.port}/"


async def test_no_site_names_the_company() -> None:
    other = company("about", name="Some Other Office")
    async with SiteServer(other) as stranger, GuardedClient(allow=[stranger.authority]) as client:
        with pytest.raises(VendorError) as caught:
            await CompanySite(client, candidates=(stranger.url,)).read(request())
    assert (caught.value.code, caught.value.again) == ("site_not_found", False)
    assert "18F" not in caught.value.message


async def test_a_guess_that_failed_for_now_may_be_tried_again() -> None:
    async with SiteServer({"/": Answer(503)}) as site, GuardedClient(allow=[site.authority]) as client:
        with pytest.raises(VendorError) as caught:
            await CompanySite(client, candidates=(site.url,)).read(request())
    assert (caught.value.code, caught.value.again) == ("site_not_found", True)


@pytest.mark.parametrize("path", ["/res/v1/web/search", "/search"])
async def test_search_knows_the_site(path: str) -> None:
    asked: list[Asked] = []
    async with SiteServer(company(*NAV)) as site, SiteServer() as engine:
        rows = [
            {"title": "18F in the encyclopedia", "url": "https://en.wikipedia.org/wiki/18F"},
            {"title": "18F", "url": f"{site.url}/about", "description": "An office", "content": "An office"},
        ]

        def answer(request: Asked) -> Answer:
            asked.append(request)
            body: dict[str, Any] = {"results": rows} if path == "/search" else {"web": {"results": rows}}
            return Answer(200, {"content-type": "application/json"}, json.dumps(body))

        engine.routes[path] = answer
        url = engine.url + ("/search" if path == "/search" else "")
        async with GuardedClient(allow=[site.authority]) as client, WebSearch("key-1", url) as search:
            found, _ = await CompanySite(client, search, candidates=()).read(request())
    assert (found.website, found.pages) == (site.url + "/", 4)
    if path == "/search":
        assert (asked[0].method, asked[0].headers["authorization"]) == ("POST", "Bearer key-1")
        assert json.loads(asked[0].body)["query"] == "18F official website"
    else:
        assert (asked[0].method, asked[0].headers["x-subscription-token"]) == ("GET", "key-1")
        assert asked[0].target == "/res/v1/web/search?q=18F+official+website&count=5"


async def test_guesses_stand_in_for_a_search_that_fails() -> None:
    async with (
        SiteServer(company("about")) as site,
        SiteServer() as engine,
        GuardedClient(allow=[site.authority]) as client,
        WebSearch("key-1", engine.url) as search,
    ):
        found, _ = await CompanySite(client, search, candidates=(site.url,)).read(request())
    assert found.website == site.url + "/"


async def test_robots_are_kept() -> None:
    routes = company(*NAV)
    rules = "User-agent: *\nAllow: /\n\nUser-agent: longrun\nDisallow: /about\nDisallow: /secret\n"
    routes["/robots.txt"] = Answer(200, {"content-type": "text/plain"}, rules)
    routes["/careers"] = redirect("/secret")
    routes["/secret"] = page("<p>Nobody of ours may read this page.</p>")
    async with SiteServer(routes) as site:
        found, _ = await read(site)
    assert site.asked[0].path == "/robots.txt"
    assert (site.hits["/robots.txt"], site.hits["/about"], site.hits["/secret"], site.hits["/careers"]) == (1, 0, 0, 1)
    assert found.pages == 4


async def test_robots_that_forbid_home_are_not_gone_around() -> None:
    rules = Answer(200, {"content-type": "text/plain"}, "User-agent: *\nDisallow: /")
    async with SiteServer({"/robots.txt": rules, **company("about")}) as site, SiteServer() as elsewhere:
        async with Crawlbase("token-1", elsewhere.url) as crawlbase:
            with pytest.raises(VendorError) as caught:
                await read(site, crawlbase=crawlbase)
        assert (caught.value.code, caught.value.again) == ("site_blocked", False)
        assert "robots.txt" in caught.value.message
        assert (site.hits["/"], elsewhere.connections) == (0, 0)


async def test_robots_that_cannot_be_read_forbid_for_now() -> None:
    error = await reason({"/robots.txt": Answer(503), **company("about")})
    assert (error.code, error.again) == ("site_down", True)


PDF = Answer(200, {"content-type": "application/pdf"}, b"%PDF-1.7")
SHELL = '<div id="root"></div><script src="/app.js"></script><noscript>You need to enable JavaScript.</noscript>'
WALL = Answer(503, {"content-type": "text/html", "cf-mitigated": "challenge"}, "<p>Just a moment...</p>")


@pytest.mark.parametrize(
    ("answer", "code", "heals"),
    [
        (Answer(403), "site_blocked", False),
        (Answer(401), "site_blocked", False),
        (WALL, "site_blocked", False),
        (redirect("/"), "site_blocked", False),
        (page(""), "site_empty", False),
        (page("", head='<meta name="description" content="We say this to robots only.">'), "site_empty", False),
        (page(SHELL, title="18F"), "site_needs_javascript", False),
        (PDF, "site_not_html", False),
        (Answer(200, {"content-type": "application/json"}, "{}"), "site_not_html", False),
        (Answer(200, {}, "just words without any markup"), "site_not_html", False),
        (Answer(404), "site_not_found", False),
        (Answer(500), "site_down", True),
        (Answer(drop=True), "site_down", True),
        (Answer(delay=60), "site_down", True),
    ],
)  # fmt: skip
async def test_each_failure_has_its_own_honest_reason(answer: Answer, code: str, heals: bool) -> None:
    error = await reason({"/": answer}, timeout=0.5 if answer.delay else 30)
    assert (error.code, error.again, type(error)) == (code, heals, VendorError)
    assert "127.0.0.1" not in error.message


async def test_site_that_asks_to_slow_down_is_waited_for() -> None:
    error = await reason({"/": Answer(429, {"retry-after": "3"})})
    assert isinstance(error, RateLimited)
    assert (error.code, error.retry_after) == ("site_blocked", 3)


async def test_site_that_is_not_there_at_all() -> None:
    site = SiteServer()
    site.port = ports.free()
    with pytest.raises(VendorError) as caught:
        await read(site)
    assert (caught.value.code, caught.value.again) == ("site_down", True)


async def test_private_address_is_refused(client: GuardedClient) -> None:
    async with SiteServer(company("about")) as site:
        with pytest.raises(VendorError) as caught:
            await CompanySite(client).read(request(site.url))
    assert (caught.value.code, caught.value.again, site.connections) == ("address_refused", False, 0)


async def test_first_page_may_be_slow_and_the_rest_is_read_together() -> None:
    routes = company(*NAV)
    together = asyncio.Barrier(3)

    def waiting(route: Route) -> Route:
        async def answer(asked: Asked) -> Answer:
            await together.wait()
            assert isinstance(route, Answer)
            return route

        return answer

    routes |= {f"/{path}": waiting(routes[f"/{path}"]) for path in NAV}
    async with SiteServer(routes, first_delay=0.3) as site:
        found, _ = await read(site)
        assert (found.pages, site.most_at_once) == (4, 3)


@pytest.mark.parametrize("answer", [Answer(403), page(SHELL, title="18F")])
async def test_crawlbase_reads_what_turns_programs_away(answer: Answer) -> None:
    rendered = company("about")
    routes: dict[str, Route] = {"/": answer, "/about": answer}
    async with SiteServer(routes) as site, SiteServer() as browser:

        def crawl(asked: Asked) -> Answer:
            assert asked.target.startswith("/?token=token-1&url=http%3A%2F%2F127.0.0.1")
            path = "/about" if asked.target.endswith("about") else "/"
            made = rendered[path] if path == "/" or asked.target.endswith("about") else Answer(404)
            assert isinstance(made, Answer)
            return Answer(200, {**made.headers, "pc_status": "200", "original_status": "200"}, made.body)

        browser.routes["/"] = crawl
        async with Crawlbase("token-1", browser.url) as crawlbase:
            found, evidence = await read(site, crawlbase=crawlbase)
    assert found.pages == 2
    assert {item.url.removeprefix(site.url) for item in evidence} == {"/", "/about"}


@pytest.mark.parametrize(
    ("pc_status", "status", "code", "heals"),
    [("404", 200, "site_blocked", False), ("522", 200, "site_blocked", True), ("", 401, "site_blocked", False),
     ("", 503, "http_503", True)],
)  # fmt: skip
async def test_crawlbase_that_fails_leaves_the_site_s_reason(
    pc_status: str, status: int, code: str, heals: bool
) -> None:
    crawled = Answer(status, {"pc_status": pc_status}, "<p>Nothing was got for you today.</p>")
    async with SiteServer({"/": crawled}) as service, Crawlbase("token-1", service.url) as crawlbase:
        error = await reason({"/": Answer(403)}, crawlbase=crawlbase)
    assert (error.code, error.again) == (code, heals)


async def test_evidence_is_capped_a_page() -> None:
    words = " ".join(f"Sentence number {n} says nothing new today." for n in range(200))
    async with SiteServer({"/": page(f"<main><p>{words}</p></main>", title="18F")}) as site:
        found, evidence = await read(site)
    assert (found.sentences, evidence[-1].id) == (60, "p1.60")


async def test_pages_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = [0, 0]

    def counted(html: str, url: str) -> Page:
        at_once[0] += 1
        at_once[1] = max(at_once)
        time.sleep(0.02)
        found = read_page(html, url)
        at_once[0] -= 1
        return found

    monkeypatch.setattr(reading, "read_page", counted)
    html = "<html><body><p>Acme Rockets builds small rockets for universities.</p></body></html>"
    await asyncio.gather(*(reading.readable(html, "https://acme.example/") for _ in range(4)))
    assert at_once == [0, 1]
