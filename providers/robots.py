"""robots.txt, kept as RFC 9309 says, for one reading of one site."""

import asyncio
from collections import defaultdict
from urllib.parse import urlsplit

from protego import Protego

from domain.errors import VendorError
from providers.web import HTML, GuardedClient

AGENT = "Longrun"
TIMEOUT = 8.0


class RobotsForbidError(VendorError):
    """The site asks machines to stay away from a page; no other way around is tried."""

    code = "site_blocked"

    def __init__(self) -> None:
        super().__init__("the website asks programs not to read it (robots.txt)", retryable=False)


class Robots:
    """The rules of every origin met while reading a site, each file fetched once.

    A missing file (any 4xx, or endless redirects) allows everything. One that cannot be had (5xx, no connection, a
    time-out) forbids everything for now (RFC 9309, 2.3.1.4): VendorError `site_down`, which may heal.
    """

    def __init__(self, client: GuardedClient) -> None:
        self._client = client
        self._rules: dict[str, Protego | VendorError] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def permit(self, url: str) -> None:
        """Return where the URL may be fetched; else raise RobotsForbidError, or what kept the rules from being read."""
        if not (await self._rules_of(url)).can_fetch(url, AGENT):
            raise RobotsForbidError

    async def sitemaps(self, url: str) -> list[str]:
        return list((await self._rules_of(url)).sitemaps)

    async def _rules_of(self, url: str) -> Protego:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        async with self._reading[origin]:
            if origin not in self._rules:
                self._rules[origin] = await self._read(origin)
        rules = self._rules[origin]
        if isinstance(rules, VendorError):
            raise rules
        return rules

    async def _read(self, origin: str) -> Protego | VendorError:
        try:
            answer = await self._client.get(f"{origin}/robots.txt", timeout=TIMEOUT)
        except VendorError as error:
            if error.again:
                return unreadable()
            return error if error.code in ("address_refused", "unknown_host", "bad_url") else Protego.parse("")
        if answer.status >= 500 or answer.status == 429:
            return unreadable()
        return Protego.parse(answer.text if answer.status < 300 and answer.content_type not in HTML else "")


def unreadable() -> VendorError:
    return VendorError("the website's robots.txt cannot be read at the moment", code="site_down")
