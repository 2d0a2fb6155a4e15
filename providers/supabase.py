"""A Supabase project: its address, its service key, and what its refusals mean."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self, cast

import httpx2

from domain.errors import VendorError
from providers.guard import is_public
from providers.vendor import answering, refused_status
from providers.web import authorities

WHO = "Supabase"
# PostgREST's and PostgreSQL's codes for what is not there, and how they name a column.
NO_COLUMN, NO_TABLE = frozenset({"PGRST204", "42703"}), frozenset({"PGRST205", "42P01"})
COLUMN = re.compile(r"the '([^']+)' column|column (?:\S+\.)?(\S+) does not exist")
MAPPED = "LONGRUN_ROWS_MAP says what a project has"


class Supabase:
    """Requests to a project's gateway with the service key, which passes row level security: what is asked on a user's
    word is checked by who asks.

    `timeout` is in seconds: of a question and its answer, or between the pieces of a stream. Raises ValueError for a
    URL that cannot be used.
    """

    def __init__(self, url: str, service_key: str, *, timeout: float = 20.0) -> None:
        base = httpx2.URL(url.rstrip("/"))
        if base.scheme not in ("http", "https") or not base.host or base.userinfo:
            raise ValueError("say http(s)://host, as the project's settings show it")
        self.url = str(base)
        self._timeout = timeout
        self._http = httpx2.AsyncClient(
            base_url=base,
            headers={"apikey": service_key, "Authorization": f"Bearer {service_key}", "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(timeout, connect=5.0),
            verify=authorities(),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    @property
    def public(self) -> bool:
        """Whether vendors can reach it too, as far as its name tells."""
        host = httpx2.URL(self.url).host
        try:
            return is_public(host)
        except ValueError:
            return "." in host and not host.endswith((".local", ".internal", ".localhost"))

    async def ask(self, method: str, path: str, *, timeout: float | None = None, **request: Any) -> Any:
        """The JSON of a good answer. `timeout` may only shorten the client's own. Raises VendorError, RateLimited."""
        try:
            async with asyncio.timeout(min(timeout or self._timeout, self._timeout)):
                async with self.stream(method, path, **request) as response:
                    return _json(await response.aread())
        except TimeoutError as error:
            raise VendorError(f"{WHO} did not answer in time", code="timeout") from error

    @asynccontextmanager
    async def stream(self, method: str, path: str, **request: Any) -> AsyncGenerator[httpx2.Response]:
        """A good answer, its body still to be read. Raises VendorError, RateLimited."""
        with answering(WHO):
            async with self._http.stream(method, path, **request) as response:
                if not response.is_success:
                    await response.aread()
                    raise _absent(response) or refused_status(_status(response), response.headers, WHO)
                yield response


def _absent(response: httpx2.Response) -> VendorError | None:
    """A table or column that is asked for and not there: who runs this has to know which."""
    said = _said(response)
    if said.get("code") in NO_TABLE:
        return VendorError(f"{WHO} has no such table: {MAPPED}", code="no_such_table", retryable=False)
    if said.get("code") not in NO_COLUMN:
        return None
    found = COLUMN.search(str(said.get("message")))
    name = f" {found[1] or found[2]}" if found else ""
    return VendorError(f"{WHO} has no such column{name}: {MAPPED}", code="no_such_column", retryable=False)


def _said(response: httpx2.Response) -> dict[str, Any]:
    try:
        said = _json(response.content)
    except VendorError:
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _status(response: httpx2.Response) -> int:
    """What it means: the storage server answers 400 to most requests that it refuses, and says the status in the body
    (supabase/storage, src/http/error-handler.ts)."""
    if response.status_code != 400:
        return response.status_code
    try:
        said = int(_said(response)["statusCode"])
    except (KeyError, TypeError, ValueError):
        return response.status_code
    return said if said in range(400, 600) else response.status_code


def _json(body: bytes) -> Any:
    try:
        return httpx2.Response(200, content=body).json() if body else None
    except ValueError as error:
        raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from error


def connected(url: str | None, service_key: str | None) -> Supabase | None:
    """The project of the settings; None where there is none. Raises ValueError where they cannot be used."""
    if not url:
        return None
    if not service_key:
        raise ValueError("SUPABASE_SERVICE_ROLE_KEY must be set beside SUPABASE_URL")
    try:
        return Supabase(url, service_key)
    except (ValueError, httpx2.InvalidURL) as error:
        raise ValueError(f"SUPABASE_URL cannot be used: {error}") from None
