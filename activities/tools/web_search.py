"""`web_search`: the best hits of the configured web search."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from activities.tools.tool import Spec, Use
from domain.errors import JobError
from domain.model import Request

if TYPE_CHECKING:
    from domain.outside import WebFinder


class Query(Request):
    query: str = Field(min_length=1, max_length=400)
    count: int = Field(default=5, ge=1, le=20)


class WebSearch:
    """`finder` None: this service has no web search."""

    spec = Spec("web_search", "Search the web.", Query, timeout=timedelta(seconds=30))

    def __init__(self, finder: "WebFinder | None") -> None:
        self._finder, self.ready = finder, finder is not None

    async def use(self, asked: Query, use: Use) -> dict[str, Any]:
        if self._finder is None:
            raise JobError("this service has no key for a web search", code="not_configured")
        hits = await self._finder.find(asked.query, asked.count)
        return {"hits": [{"title": hit.title, "url": hit.url, "description": hit.description} for hit in hits]}
