"""What the agent of job positions looks up, over real sockets: sites by name, pages, logos that answer as images."""

from collections.abc import AsyncGenerator

import pytest

from domain.errors import VendorError
from providers.crawlbase import Crawlbase
from providers.postings.lookups import PostingLookups, logos_in
from providers.site import CompanySite
from providers.web import GuardedClient
from tests.support.site_server import Answer, SiteServer, page

PNG = Answer(200, {"content-type": "image/png"}, b"\x89PNG")
SAYS = "<p>Acme Rockets builds small rockets that carry satellites of universities into orbit.</p>"
SHELL = page('<div id="root"></div><script src="/app.js"></script>')


@pytest.fixture
async def site() -> AsyncGenerator[SiteServer]:
    async with SiteServer() as site:
        yield site


@pytest.fixture
async def lookups(site: SiteServer) -> AsyncGenerator[PostingLookups]:
    async with (
        GuardedClient(allow=[site.authority], timeout=30) as client,
        Crawlbase("token", f"{site.url}/crawl") as crawlbase,
    ):
        found = CompanySite(client, candidates=(f"{site.url}/{{slug}}",), crawlbase=crawlbase)
        yield PostingLookups(found, client)


async def test_a_site_is_found_by_its_companys_name(site: SiteServer, lookups: PostingLookups) -> None:
    site.routes["/acmerockets"] = page(
        f'<h1>Acme Rockets</h1>{SAYS}<a href="/about">About us</a>', title="Acme Rockets"
    )
    found, links = await lookups.website("Acme Rockets GmbH")
    assert found.url == f"{site.url}/acmerockets"
    assert "satellites of universities" in found.text
    assert ("About us", f"{site.url}/about") in links
    with pytest.raises(VendorError) as failed:
        await lookups.website("Globex")
    assert failed.value.code == "site_not_found"


async def test_a_page_that_needs_javascript_is_read_by_a_browser_elsewhere(
    site: SiteServer, lookups: PostingLookups
) -> None:
    seen = f"<html><head><title>Acme</title></head><body><main><h1>Acme</h1>{SAYS}</main></body></html>"
    site.routes |= {"/app": SHELL, "/crawl/": Answer(200, {"pc_status": "200"}, seen)}
    assert "satellites of universities" in (await lookups.read(f"{site.url}/app")).text
    assert site.hits["/crawl/"] == 1
    site.routes["/robots.txt"] = Answer(200, {"content-type": "text/plain"}, "User-agent: *\nDisallow: /app")
    with pytest.raises(VendorError):
        await lookups.read(f"{site.url}/app")
    assert site.hits["/crawl/"] == 1, "nothing goes around a robots.txt"


async def test_the_first_logo_that_answers_as_an_image_is_it(site: SiteServer, lookups: PostingLookups) -> None:
    images = '<header><img alt="Acme logo" src="/gone.png"><img class="logo" src="/logo.png"></header>'
    site.routes |= {"/": page(f"{images}{SAYS}"), "/logo.png": PNG, "/gone.png": page("not here")}
    assert await lookups.logo(f"{site.url}/") == (f"{site.url}/logo.png", f"{site.url}/")
    site.routes["/"] = page(f'<img src="/photo.png">{SAYS}')
    with pytest.raises(VendorError) as failed:
        await lookups.logo(f"{site.url}/")
    assert (failed.value.code, failed.value.again) == ("no_logo", False)


def test_what_a_site_declares_comes_before_what_looks_like_a_logo() -> None:
    html = """<html><head>
        <script type="application/ld+json">{"@graph": [{"@type": "Organization", "logo": {"url": "/ld.svg"}}]}</script>
        <script type="application/ld+json">{"broken</script>
        <meta property="og:logo" content="https://cdn.example/og.png">
        <link rel="apple-touch-icon" href="/touch.png"></head>
        <body><img src="/customers/logo-of-globex.png"><div class="partners"><img src="/logo2.png"></div>
        <header><img src="/brand/logo.png"></header><img src="data:image/png;base64,logo"><img src="/blogo.png">"""
    assert logos_in(html, "https://acme.example/about") == [
        "https://acme.example/ld.svg",
        "https://cdn.example/og.png",
        "https://acme.example/brand/logo.png",
        "https://acme.example/touch.png",
    ]
