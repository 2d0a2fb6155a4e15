"""What the agent of job positions looks up: a company's site by its name, a page, the logo on a page."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from domain.errors import VendorError
from domain.outside import PageText
from domain.storable import storable
from providers.postings.pages import is_image

if TYPE_CHECKING:
    from providers.pages import Page
    from providers.site import CompanySite
    from providers.web import GuardedClient

MOST_LINKS, MOST_LOGOS = 40, 6
LOGO = re.compile(r"(?<![a-z])logo", re.IGNORECASE)
# In a company's own page these show others.
OTHERS = re.compile(r"customer|client|partner|sponsor|press|award|badge|payment|social|trusted", re.IGNORECASE)
ICONS = ("apple-touch-icon", "icon")


class PostingLookups:
    """Fits activities.posting_tools.Lookups and domain.outside.TextReader. Raises VendorError, RateLimited as
    CompanySite does."""

    def __init__(self, site: "CompanySite", client: "GuardedClient") -> None:
        self._site, self._client = site, client

    async def website(self, name: str) -> tuple[PageText, list[tuple[str, str]]]:
        """The home page of the company of that name, and its links as (text, address)."""
        page = await self._site.find(name)
        links = [(link.text, link.url) for link in page.links if link.text]
        return _text(page), links[:MOST_LINKS]

    async def read(self, url: str) -> PageText:
        return _text(await self._site.page(url))

    async def logo(self, url: str) -> tuple[str, str]:
        """The first logo there that answers as an image, and the page's address; raises VendorError `no_logo`."""
        html, address = await self._site.html(url)
        for logo in await asyncio.to_thread(logos_in, html, address):
            if await is_image(self._client, logo):
                return logo, address
        raise VendorError("no logo on that page answers as an image", code="no_logo", retryable=False)


def logos_in(html: str, url: str) -> list[str]:
    """Addresses of what may be the logo of whose page it is, the likeliest first."""
    tree = LexborHTMLParser(html)
    found = (urljoin(url, one) for one in _logos(tree) if one)
    return list(dict.fromkeys(one for one in found if urlsplit(one).scheme in ("http", "https")))[:MOST_LOGOS]


def _logos(tree: LexborHTMLParser) -> Iterator[str]:
    for script in tree.css('script[type="application/ld+json"]'):
        yield from _declared(script.text())
    for node in tree.css('meta[property="og:logo"]'):
        yield _said(node, "content")
    for scope in ("header img", "nav img", "a[href='/'] img", "img"):
        yield from (_said(node, "src") for node in tree.css(scope) if _is_logo(node))
    for rel in ICONS:
        yield from (_said(node, "href") for node in tree.css(f'link[rel~="{rel}"]'))


def _declared(script: str) -> Iterator[str]:
    """The logo of an organisation in JSON-LD: an address, or an ImageObject with one."""
    try:
        waiting: list[Any] = [json.loads(script, strict=False)]
    except (ValueError, RecursionError):
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            logo = node.get("logo")
            logo = logo.get("url") or logo.get("contentUrl") if isinstance(logo, dict) else logo
            if isinstance(logo, str):
                yield logo
            waiting += [node[key] for key in ("@graph", "publisher") if key in node]


def _is_logo(node: LexborNode) -> bool:
    said = " ".join(_said(node, name) for name in ("src", "alt", "class", "id"))
    around = " ".join(_said(one, "class") for one in (node.parent, node.parent and node.parent.parent) if one)
    return bool(LOGO.search(f"{said} {around}")) and not OTHERS.search(f"{said} {around}")


def _said(node: LexborNode, name: str) -> str:
    return (node.attributes.get(name) or "").strip()


def _text(page: "Page") -> PageText:
    return PageText(url=page.url, title=storable(page.title), text=storable(page.text))
