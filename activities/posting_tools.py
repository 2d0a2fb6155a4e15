"""The tools of the job positions' agent that plans have not: a company's site by its name, the logo on a page."""

from datetime import timedelta
from typing import Any, Protocol

from pydantic import Field, HttpUrl

from activities.tools.tool import Spec, Use
from domain.model import Request
from domain.outside import PageText

# Of a home page, beside its links.
MOST_CHARACTERS = 8_000


class Lookups(Protocol):
    """Raises VendorError, RateLimited."""

    async def website(self, name: str) -> tuple[PageText, list[tuple[str, str]]]:
        """The home page of the company of that name, and its links as (text, address)."""
        ...

    async def logo(self, url: str) -> tuple[str, str]:
        """A logo on that page which answers as an image, and the page's address."""
        ...


class CompanyNamed(Request):
    company: str = Field(min_length=1, max_length=200)


class PageWithLogo(Request):
    url: HttpUrl = Field(description="a page of the company's own site")


class FindWebsite:
    spec = Spec(
        "find_website",
        "Find a company's website by its name.",
        CompanyNamed,
        timeout=timedelta(seconds=40),
        known="company",
    )
    ready = True

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    async def use(self, asked: CompanyNamed, use: Use) -> dict[str, Any]:
        page, links = await self._lookups.website(asked.company)
        listed = [{"text": text, "url": url} for text, url in links]
        return {"url": page.url, "title": page.title, "text": page.text[:MOST_CHARACTERS], "links": listed}


class FindLogo:
    spec = Spec(
        "find_logo",
        "Find the address of the logo on a page of a company's site.",
        PageWithLogo,
        timeout=timedelta(seconds=40),
        known="url",
    )
    ready = True

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    async def use(self, asked: PageWithLogo, use: Use) -> dict[str, Any]:
        logo, page = await self._lookups.logo(str(asked.url))
        return {"logoUrl": logo, "pageUrl": page}
