"""Web search by key: Brave, or Tavily where the address says so."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from domain.errors import VendorError
from providers.vendor import answering, refused
from providers.web import authorities

BRAVE = "https://api.search.brave.com/res/v1/web/search"
WHO = "the web search"


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    url: str
    description: str


class WebSearch:
    """`url` is the API's address, with or without its path; none means Brave. `timeout` is in seconds."""

    def __init__(self, key: str, url: str | None = None, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url or BRAVE)
        path = parts.path.rstrip("/")
        self._tavily = "tavily" in parts.netloc or path == "/search"
        self._url = f"{parts.scheme}://{parts.netloc}{path or ('/search' if self._tavily else urlsplit(BRAVE).path)}"
        self._http = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if self._tavily else {"X-Subscription-Token": key},
            timeout=httpx2.Timeout(timeout, connect=5.0),
            verify=authorities(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def find(self, query: str, count: int = 5) -> list[Hit]:
        """The best hits, best first. Raises VendorError or RateLimited."""
        with answering(WHO):
            if self._tavily:
                response = await self._http.post(self._url, json={"query": query, "max_results": count})
            else:
                response = await self._http.get(self._url, params={"q": query, "count": count})
        if not response.is_success:
            raise refused(response, WHO)
        try:
            answer: Any = response.json()
            rows: list[Any] = answer["results"] if self._tavily else answer.get("web", {}).get("results", [])
            about = "content" if self._tavily else "description"
            return [Hit(str(row.get("title", "")), str(row["url"]), str(row.get(about, ""))) for row in rows[:count]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from error
