"""Company research, the website side: find the company's site, read a few pages of it, hand back sentences."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

from domain.errors import RateLimited, VendorError
from domain.research import CompanyResearchRequest, Evidence, SiteFound
from providers.crawlbase import Crawlbase, or_crawled
from providers.naming import CANDIDATES, candidates, is_about_others, names_company, same_site
from providers.pages import Page, read_page
from providers.picks import canonical, locations, picks, usual
from providers.robots import Robots
from providers.search import WebSearch
from providers.sentences import fold
from providers.vendor import retry_after
from providers.web import HTML, Fetched, GuardedClient

PAGES, PAGES_DEEP = 4, 12
AT_ONCE = 4
GUESS_TIMEOUT = 8.0
SITEMAPS = 3
SENTENCES_PAGE, SENTENCES_ALL = 60, 400
# one page at a time: with lxml at work in several threads a process was once aborted, and with it all that it did
READING = ThreadPoolExecutor(1, "pages")

REASONS: dict[str, tuple[str, str, bool]] = {
    "timeout": ("site_down", "the website did not answer in time", True),
    "connection": ("site_down", "the website could not be reached", True),
    "unknown_host": ("site_not_found", "there is no website at that address", False),
    "bad_response": ("site_down", "the website sent a broken answer", True),
    "unexpected_type": ("site_not_html", "the address leads to a file that is not a web page", False),
    "too_many_redirects": ("site_blocked", "the website sends visitors in circles", False),
}
HEALS_ELSEWHERE = frozenset({"site_blocked", "site_needs_javascript"})


class CompanySite:
    """A SiteReader (domain.protocols). `candidates` are address templates with {slug}, tried when only a name is given
    and `search` (if any) knows no site; `crawlbase` reads what turns programs away or needs JavaScript.

    `read` raises VendorError `site_not_found`, `site_blocked`, `site_empty`, `site_needs_javascript`, `site_not_html`,
    `too_large`, `bad_url`, `address_refused` (none heals, but for a guess that timed out) and `site_down` (may heal);
    where the site says 429, RateLimited with the code `site_blocked`.
    """

    def __init__(
        self,
        client: GuardedClient,
        search: WebSearch | None = None,
        *,
        candidates: Sequence[str] = CANDIDATES,
        crawlbase: Crawlbase | None = None,
        guess_timeout: float = GUESS_TIMEOUT,
    ) -> None:
        self._client = client
        self._search = search
        self._templates = tuple(candidates)
        self._crawlbase = crawlbase
        self._guess_timeout = guess_timeout

    async def read(self, request: CompanyResearchRequest) -> tuple[SiteFound, list[Evidence]]:
        """The pages read, 4 or in deep mode 12 counting home, and their sentences as evidence `p<page>.<sentence>`."""
        robots = Robots(self._client)
        if request.company_url is not None:
            home = await self._page(str(request.company_url), robots)
        else:
            home = await self._find(request.company_name, robots)
        wanted = PAGES_DEEP if request.deep_mode else PAGES
        pages = [home, *await self._more(home, wanted - 1, robots)]
        evidence = cited(pages)
        return SiteFound(website=home.url, pages=len(pages), sentences=len(evidence)), evidence

    async def find(self, name: str) -> Page:
        """The home page of the company of that name; raises as `read` does."""
        return await self._find(name, Robots(self._client))

    async def page(self, url: str) -> Page:
        """A page of anybody's, where its site lets programs read it; raises as `read` does."""
        return await self._page(url, Robots(self._client))

    async def html(self, url: str) -> tuple[str, str]:
        """A page as it stands, and its address after redirects; raises as `read` does."""
        robots = Robots(self._client)

        async def direct() -> tuple[str, str]:
            answer = await self._client.get(url, permit=robots.permit, types=HTML)
            if problem := refusal(answer):
                raise problem
            return answer.text, answer.url

        async def as_seen(html: str) -> tuple[str, str]:
            return html, url

        return await or_crawled(direct(), self._crawlbase, url, as_seen, heals=HEALS_ELSEWHERE)

    async def _find(self, name: str, robots: Robots) -> Page:
        """The first plausible address whose page names the company: what the search knows, then what can be guessed."""
        heals = False
        try:
            searched = await self._searched(name)
        except VendorError as error:
            # Guessing may still find what the search could not tell.
            searched, heals = [], error.again
        for urls in (searched, candidates(name, self._templates)):
            guesses = [asyncio.create_task(self._guess(url, robots)) for url in urls]
            try:
                for guess in guesses:
                    page = await guess
                    if isinstance(page, VendorError):
                        heals = heals or page.again
                    elif names_company(page, name):
                        return page
            finally:
                for guess in guesses:
                    guess.cancel()
        raise VendorError("no website that names the company was found", code="site_not_found", retryable=heals)

    async def _searched(self, name: str) -> list[str]:
        hits = await self._search.find(f"{name} official website") if self._search else []
        return list(dict.fromkeys(urljoin(hit.url, "/") for hit in hits if not is_about_others(hit.url, name)))

    async def _guess(self, url: str, robots: Robots) -> Page | VendorError:
        try:
            return await self._page(url, robots, timeout=self._guess_timeout)
        except VendorError as error:
            return error

    async def _page(self, url: str, robots: Robots, *, timeout: float | None = None, within: str | None = None) -> Page:
        """A page worth reading, directly or through Crawlbase; else VendorError with the site's reason as its code."""
        direct = self._direct(url, robots, timeout, within)
        return await or_crawled(direct, self._crawlbase, url, lambda html: readable(html, url), heals=HEALS_ELSEWHERE)

    async def _direct(self, url: str, robots: Robots, timeout: float | None, within: str | None) -> Page:
        async def permit(hop: str) -> None:
            if within is not None and not same_site(hop, within):
                raise VendorError("the page lies on another website", code="site_not_found", retryable=False)
            await robots.permit(hop)

        try:
            answer = await self._client.get(url, permit=permit, types=HTML, timeout=timeout)
        except VendorError as error:
            if error.code not in REASONS:
                raise
            code, words, heals = REASONS[error.code]
            raise VendorError(words, code=code, retryable=heals) from error
        if problem := refusal(answer):
            raise problem
        return await readable(answer.text, answer.url)

    async def _more(self, home: Page, wanted: int, robots: Robots) -> list[Page]:
        """Up to `wanted` further pages; one that cannot be read gives way to the next pick."""
        waiting = picks(home)
        if len(waiting) < wanted:
            waiting = picks(home, await self._sitemap(home, robots))
            waiting += usual(home, waiting)
        tickets = asyncio.Semaphore(AT_ONCE)

        async def one(url: str) -> Page | None:
            async with tickets:
                try:
                    return await self._page(url, robots, within=home.url)
                except VendorError:
                    # Only the home page decides whether the site can be read.
                    return None

        pages: list[Page] = []
        known = {canonical(home.url), home.text}
        while waiting and len(pages) < wanted:
            batch = waiting[: wanted - len(pages)]
            waiting = waiting[len(batch) :]
            for page in filter(None, await asyncio.gather(*map(one, batch))):
                # Sites that answer every address with the same page, and two addresses of one page.
                if canonical(page.url) not in known and page.text not in known:
                    known |= {canonical(page.url), page.text}
                    pages.append(page)
        return pages

    async def _sitemap(self, home: Page, robots: Robots) -> list[str]:
        """The pages that the site's sitemaps list; a sitemap that cannot be read lists none."""
        try:
            waiting = await robots.sitemaps(home.url) or [urljoin(home.url, "/sitemap.xml")]
        except VendorError:
            return []
        urls: list[str] = []
        for _ in range(SITEMAPS):
            if not waiting:
                break
            try:
                answer = await self._client.get(waiting.pop(0), permit=robots.permit)
            except VendorError:
                continue
            listed, further = locations(answer.text if answer.status == 200 else "")
            urls += listed
            waiting += further
        return urls


def refusal(answer: Fetched) -> VendorError | None:
    """What a status says about the site; None for a good answer."""
    status = answer.status
    walled = answer.headers.get("cf-mitigated") == "challenge"
    if status == 429:
        return RateLimited(
            "the website asks us to slow down (429)", code="site_blocked", retry_after=retry_after(answer.headers)
        )
    if walled or status in (401, 402, 403, 405, 406, 407, 451):
        return VendorError(f"the website turns programs away ({status})", code="site_blocked", retryable=False)
    if status >= 500:
        return VendorError(f"the website answered with an error ({status})", code="site_down")
    if status >= 300:
        return VendorError(f"there is no page at that address ({status})", code="site_not_found", retryable=False)
    return None


async def readable(html: str, url: str) -> Page:
    """The page, if it says anything to a reader without JavaScript; else VendorError."""
    if html.strip() and "<" not in html:
        raise VendorError("the address leads to a file that is not a web page", code="site_not_html", retryable=False)
    page = await asyncio.get_running_loop().run_in_executor(READING, read_page, html, url)
    if page.needs_javascript:
        raise VendorError("the website shows nothing without JavaScript", code="site_needs_javascript", retryable=False)
    if not page.sentences or not page.words:
        raise VendorError("the website has no text to read", code="site_empty", retryable=False)
    return page


def cited(pages: Sequence[Page]) -> list[Evidence]:
    """The sentences of all pages, each once, at most 60 a page and 400 in all."""
    evidence: list[Evidence] = []
    seen: set[str] = set()
    for number, page in enumerate(pages, start=1):
        kept = 0
        for quote, offset in page.sentences:
            if kept >= SENTENCES_PAGE or len(evidence) >= SENTENCES_ALL:
                break
            if fold(quote) in seen:
                continue
            seen.add(fold(quote))
            kept += 1
            evidence.append(
                Evidence(
                    id=f"p{number}.{kept}",
                    kind="page",
                    url=page.url,
                    title=page.title or urlsplit(page.url).netloc,
                    quote=quote,
                    topic="home" if number == 1 else page.topic,
                    offset=offset,
                )
            )
    return evidence
