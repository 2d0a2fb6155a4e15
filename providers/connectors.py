"""Rows of REST services, page by page, as domain/connectors.toml describes them."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urljoin

import httpx2

from domain.connectors import PAGES, Connector, at
from domain.errors import JobError, VendorError
from domain.storable import storable
from providers.vendor import answering, refused
from providers.web import authorities


class Connectors:
    """Fits domain.outside.RowReader. `tokens` and `urls` are by system; `timeout` is a request's, in seconds."""

    def __init__(self, tokens: Mapping[str, str], urls: Mapping[str, str], *, timeout: float = 30.0) -> None:
        self._tokens, self._urls = tokens, urls
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(timeout, connect=5.0), verify=authorities(), trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    def knows(self, connector: Connector) -> bool:
        return connector.system in self._tokens

    async def rows(self, connector: Connector, given: Mapping[str, Any], limit: int) -> tuple[list[Any], bool]:
        """At most `limit` rows, and whether there are more."""
        token = self._tokens.get(connector.system)
        if token is None:
            raise JobError(f"this service has no credentials for {connector.system}", code="not_configured")
        headers = {connector.auth.header: connector.auth.value.replace("{token}", token)}
        asked = {name: value if isinstance(value, str) else ",".join(value) for name, value in given.items()}
        found: list[Any] = []
        place: object = None
        for _ in range(PAGES):
            asked[connector.paging.size] = str(min(connector.paging.most, limit - len(found)))
            if place is not None:
                asked[connector.paging.parameter] = str(place)
            rows, place = await self._page(connector, headers, asked)
            found += rows
            if place is None or len(found) >= limit:
                break
        return storable(found[:limit]), place is not None or len(found) > limit

    async def _page(
        self, connector: Connector, headers: Mapping[str, str], asked: Mapping[str, str]
    ) -> tuple[list[Any], object]:
        """The rows of a page, and where the next one begins."""
        who = connector.system
        url = urljoin(self._urls.get(who, connector.url), connector.path)
        with answering(who):
            response = await self._http.get(url, params=dict(asked), headers=dict(headers))
        if not response.is_success:
            raise refused(response, who)
        try:
            answer = response.json()
        except ValueError as error:
            raise VendorError(f"{who} sent a broken answer", code="bad_response") from error
        rows = at(answer, connector.items)
        if not isinstance(rows, list):
            raise VendorError(f"{who} sent a broken answer", code="bad_response")
        return rows, at(answer, connector.paging.next)
