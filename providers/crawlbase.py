"""Crawlbase's Crawling API: a browser elsewhere, for sites that turn programs away or need JavaScript."""

from collections.abc import Awaitable, Callable, Collection
from typing import Self, TypeVar

import httpx2

from domain.errors import VendorError
from providers.robots import RobotsForbidError
from providers.vendor import answering, refused
from providers.web import authorities

T = TypeVar("T")
WHO = "the crawling service"
PASSING = frozenset({"520", "522", "599"})


class Crawlbase:
    """`token` is the JavaScript token; the service may take up to `timeout` seconds for a page."""

    def __init__(self, token: str, base_url: str = "https://api.crawlbase.com", *, timeout: float = 90.0) -> None:
        self._token = token
        self._http = httpx2.AsyncClient(
            base_url=base_url, timeout=httpx2.Timeout(timeout, connect=5.0), verify=authorities()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(self, url: str) -> str:
        """The page's HTML as a browser sees it. Raises VendorError, RateLimited."""
        with answering(WHO):
            response = await self._http.get("/", params={"token": self._token, "url": url})
        if not response.is_success:
            raise refused(response, WHO)
        # The service answers 200 for pages it could not get; only this header tells.
        status = response.headers.get("pc_status", "")
        if status != "200":
            raise VendorError(f"{WHO} could not get the page", code="site_blocked", retryable=status in PASSING)
        return response.text


async def or_crawled(
    direct: Awaitable[T],
    crawlbase: Crawlbase | None,
    url: str,
    read: Callable[[str], Awaitable[T]],
    *,
    heals: Collection[str],
) -> T:
    """What the page gives directly; where that fails with one of these codes, what `read` makes of it as a browser
    elsewhere sees it. Nothing goes around a robots.txt. Raises VendorError, RateLimited."""
    try:
        return await direct
    except RobotsForbidError:
        raise
    except VendorError as error:
        if crawlbase is None or error.code not in heals:
            raise
        try:
            html = await crawlbase.get(url)
        except VendorError as failure:
            if failure.again:
                raise
            # the site's own reason says more than that the way around is closed too
            raise error from failure
        return await read(html)
