"""`fetch_page`: the text of a web page, where its site lets programs read it."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field, HttpUrl

from activities.tools.tool import Spec, Use
from domain.model import Request

if TYPE_CHECKING:
    from domain.outside import TextReader


class PageWanted(Request):
    url: HttpUrl
    max_characters: int = Field(default=20_000, ge=100, le=100_000)


class FetchPage:
    spec = Spec("fetch_page", "Read a web page as plain text.", PageWanted, timeout=timedelta(seconds=60), known="url")
    ready = True

    def __init__(self, reader: "TextReader") -> None:
        self._reader = reader

    async def use(self, asked: PageWanted, use: Use) -> dict[str, Any]:
        page = await self._reader.read(str(asked.url))
        text = page.text[: asked.max_characters]
        return {"url": page.url, "title": page.title, "text": text, "cut": len(text) < len(page.text)}
