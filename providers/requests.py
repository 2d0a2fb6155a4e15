"""Requests that a plan's author words, and pages that one names: through the guarded client."""

from collections.abc import Mapping

from pydantic_core import from_json

from domain.errors import VendorError
from domain.outside import HttpAnswer, PageText
from domain.storable import storable
from providers.robots import Robots
from providers.site import readable, refusal
from providers.vendor import refused_status
from providers.web import HTML, Fetched, GuardedClient

WHO = "the address"
READABLE = HTML | {"text/plain", "text/markdown", "text/csv", "application/json", "application/xml", "text/xml"}


class Requests:
    """Fits domain.outside.Requester and TextReader."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer, if it is a good one. Redirects are followed by a GET without headers alone."""
        if method == "GET" and not headers:
            found = await self._client.get(url)
        else:
            found = await self._client.send(method, url, content=body, headers=headers, who=WHO)
        if not 200 <= found.status < 300:
            raise refused_status(found.status, found.headers, WHO)
        return HttpAnswer(status=found.status, content_type=found.content_type, body=_body(found))

    async def read(self, url: str) -> PageText:
        """The page's text. Raises VendorError where the site or its robots.txt refuse it, or it is no text."""
        robots = Robots(self._client)
        found = await self._client.get(url, permit=robots.permit, types=READABLE)
        if refused := refusal(found):
            raise refused
        if found.content_type in HTML or not found.content_type:
            page = await readable(found.text, found.url)
            return PageText(url=page.url, title=storable(page.title), text=storable(page.text))
        return PageText(url=found.url, title="", text=storable(found.text))


def _body(found: Fetched) -> object:
    """JSON where the answer says so, else its text; None where it is empty."""
    if not found.body.strip():
        return None
    if found.content_type == "application/json" or found.content_type.endswith("+json"):
        try:
            return storable(from_json(found.body, allow_inf_nan=False))
        except ValueError as error:
            raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from error
    return storable(found.text)
