"""Where a posting is read from: a known job board's JSON, or its page, directly or through Crawlbase."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from domain.errors import RateLimited, VendorError
from domain.posting import Finding
from domain.postings.enriching import Reading
from providers.crawlbase import or_crawled
from providers.vendor import retry_after
from providers.web import HTML

if TYPE_CHECKING:
    from providers.crawlbase import Crawlbase
    from providers.postings.ats import Boards
    from providers.postings.reader import PostingReader
    from providers.web import Fetched, GuardedClient

LOGIN = re.compile(
    r"/(?:users?/)?(?:log-?in|sign-?in|signup|authwall|sso|auth|checkpoint|account/login)(?:[/.?]|$)", re.I
)
# LinkedIn's own number for programs
TURNED_AWAY = frozenset({402, 403, 405, 406, 407, 451, 999})
HEALS_ELSEWHERE = frozenset({"blocked", "needs_javascript", "login_required"})
# Above that a page with a form for a password says something itself.
MUCH_TEXT = 1_500


class PostingPages:
    """Raises VendorError. None of these heals: `gone`, `login_required`, `blocked`, `needs_javascript`, and of the
    guarded client `bad_url`, `unknown_host`, `address_refused`, `unexpected_type`, `too_large`. These may: `site_down`,
    `timeout`, `connection`, `bad_response`, and RateLimited."""

    def __init__(
        self, client: "GuardedClient", boards: "Boards", reader: "PostingReader", crawlbase: "Crawlbase | None" = None
    ) -> None:
        self._client, self._boards, self._reader, self._crawlbase = client, boards, reader, crawlbase

    async def read(self, url: str) -> Reading:
        """What stands at that address, as far as structure says it."""
        if answer := await self._boards.fetch(url):
            return await self._reader.board(answer)
        return await or_crawled(
            self._direct(url), self._crawlbase, url, lambda html: self._readable(html, url), heals=HEALS_ELSEWHERE
        )

    async def answering(self, reading: Reading) -> Reading:
        """The reading without logos that do not answer as an image."""
        tiers: list[dict[str, Finding]] = []
        for tier in reading.tiers:
            logo = tier.get("company.logo_url")
            dead = logo is not None and not await is_image(self._client, logo.value)
            tiers.append({name: one for name, one in tier.items() if not (dead and name == "company.logo_url")})
        return reading.model_copy(update={"tiers": tuple(tiers)})

    async def _direct(self, url: str) -> Reading:
        answer = await self._client.get(url, types=HTML)
        if problem := refusal(answer):
            raise problem
        walled = LOGIN.search(urlsplit(answer.url).path) and not LOGIN.search(urlsplit(url).path)
        return await self._readable(answer.text, answer.url, walled=bool(walled))

    async def _readable(self, html: str, url: str, *, walled: bool = False) -> Reading:
        reading, needs_javascript, asks_password = await self._reader.page(html, url)
        if not reading.structured:
            if walled or (asks_password and len(reading.text) < MUCH_TEXT):
                raise login_required()
            if needs_javascript:
                raise VendorError("the page shows nothing without JavaScript", code="needs_javascript", retryable=False)
        return reading


async def is_image(client: "GuardedClient", url: str) -> bool:
    """Whether that address answers as an image."""
    try:
        answer = await client.get(url)
    except VendorError:
        return False
    return answer.status == 200 and answer.content_type.startswith("image/")


def refusal(answer: "Fetched") -> VendorError | None:
    """What a status says of a posting's page; None for a good answer."""
    status = answer.status
    if status == 429:
        return RateLimited("the website asks us to slow down (429)", retry_after=retry_after(answer.headers))
    if status in (404, 410):
        return VendorError(f"the position is no longer at that address ({status})", code="gone", retryable=False)
    if status == 401:
        return login_required()
    if status in TURNED_AWAY or answer.headers.get("cf-mitigated") == "challenge":
        return VendorError(f"the website turns programs away ({status})", code="blocked", retryable=False)
    if status >= 500:
        return VendorError(f"the website answered with an error ({status})", code="site_down")
    if status >= 300:
        return VendorError(f"there is no page at that address ({status})", code=f"http_{status}", retryable=False)
    return None


def login_required() -> VendorError:
    return VendorError("the page is shown to those who log in only", code="login_required", retryable=False)
