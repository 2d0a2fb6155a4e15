"""What the tools of plans ask of the outside world; providers fit these shapes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from domain.connectors import Connector
from domain.model import Model


class Hit(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def description(self) -> str: ...


class WebFinder(Protocol):
    """A web search. Raises VendorError or RateLimited."""

    async def find(self, query: str, count: int = 5) -> Sequence[Hit]: ...


class PageText(Model):
    """A web page as text; `url` is the one after redirects."""

    url: str
    title: str
    text: str


class TextReader(Protocol):
    """Reads pages where their sites let programs. Raises VendorError."""

    async def read(self, url: str) -> PageText: ...


class HttpAnswer(Model):
    """A good answer: its JSON, or its text."""

    status: int
    content_type: str
    body: Any = None


class Requester(Protocol):
    """Sends what a user asks for to where a user says. Raises VendorError and RateLimited for answers but 2xx."""

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> HttpAnswer: ...


class RowReader(Protocol):
    """Reads rows from a REST service. Raises VendorError, RateLimited, and JobError `not_configured`."""

    def knows(self, connector: Connector) -> bool:
        """Whether this service has credentials there."""
        ...

    async def rows(self, connector: Connector, given: Mapping[str, Any], limit: int) -> tuple[list[Any], bool]:
        """At most `limit` rows, and whether there are more."""
        ...
