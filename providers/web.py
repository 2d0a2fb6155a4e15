"""The one way to fetch what a user named: guarded addresses, checked redirects, capped size and time."""

import asyncio
import ssl
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Self, TypeVar

import httpcore2
import httpx2

from domain.errors import VendorError
from providers.guard import GuardedNetwork, Resolve, look_up
from providers.vendor import answering

USER_AGENT = "Longrun/0.1 (company research)"
MAX_REDIRECTS = 5
HTML = frozenset({"text/html", "application/xhtml+xml"})
WHO = "the website"
# Of a file that takes minutes: for so long nothing may come.
STALLED_SECONDS = 30.0
PIECE = 256 * 1024

T = TypeVar("T")
Permit = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of any status. `url` is the one after redirects; `content_type` has no parameters, "" where unsaid."""

    url: str
    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body in the charset the header names, else as its own marks and bytes suggest."""
        charset = httpx2.Headers(dict(self.headers)).get("content-type", "").lower().partition("charset=")[2]
        try:
            return self.body.decode(charset.split(";")[0].strip(" \"'") or "none")
        except (LookupError, UnicodeDecodeError, ValueError):
            # imported here: the API fetches little, and pages that hide their charset more rarely still
            from trafilatura.utils import decode_file

            return decode_file(self.body)


@cache
def authorities() -> ssl.SSLContext:
    """The certificate authorities believed in, read once a process because that takes some 50 ms."""
    return httpx2.create_ssl_context()


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's own transport over a pool whose connections are opened by GuardedNetwork."""

    def __init__(self, network: GuardedNetwork) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=authorities(),
            max_connections=32,
            max_keepalive_connections=16,
            keepalive_expiry=5.0,
            network_backend=network,
        )


class GuardedClient:
    """Fetches http(s) URLs on a user's word. One instance serves a whole provider; close it with `aclose()`.

    `allow` lists `host:port` pairs that may be private. `timeout` is in seconds for the whole fetch, redirects and body
    included; `max_bytes` caps the body, packed and unpacked. Keeps no cookies, uses no proxy of the environment.
    Raises VendorError: `bad_url`, `unknown_host`, `address_refused`, `too_many_redirects`, `too_large` and
    `unexpected_type` do not heal; `timeout`, `connection` and `bad_response` may.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        timeout: float = 15.0,
        max_bytes: int = 3_000_000,
        resolve: Resolve = look_up,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._http = httpx2.AsyncClient(
            transport=GuardedTransport(GuardedNetwork(allow, resolve=resolve, network=network)),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Accept-Language": "en,*;q=0.5"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 5.0)),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(
        self,
        url: str,
        *,
        permit: Permit | None = None,
        types: Collection[str] | None = None,
        timeout: float | None = None,
    ) -> Fetched:
        """GET a URL and up to five redirects. `permit` is asked before every hop and may raise; `types` are the media
        types a good answer may name, judged before its body is read. `timeout` may only shorten the client's own."""
        limit = min(timeout or self._timeout, self._timeout)
        try:
            async with asyncio.timeout(limit):
                return await self._follow(url, lambda response: self._fetched(response, types), permit=permit)
        except TimeoutError as error:
            raise VendorError(f"{WHO} did not answer in time", code="timeout") from error

    async def save(self, url: str, path: Path) -> Fetched:
        """GET a URL as `get` does, a good answer's body into a file and never whole in memory; `body` is empty."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(
                    url,
                    lambda response: self._saved(response, path),
                    headers={"accept-encoding": "identity"},
                    timeout=httpx2.Timeout(min(self._timeout, STALLED_SECONDS), connect=5.0),
                )
        except TimeoutError as error:
            raise VendorError(f"{WHO} did not answer in time", code="timeout") from error

    async def send(
        self,
        method: str,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        who: str = WHO,
        timeout: float | None = None,
    ) -> Fetched:
        """One request with a body; redirects are not followed, and only a good answer's body is read. `who` is the
        receiver's name for people. `timeout` may only shorten the client's own."""
        target = checked(url)
        try:
            async with asyncio.timeout(min(timeout or self._timeout, self._timeout)):
                with answering(who):
                    async with self._http.stream(method, target, content=content, headers=dict(headers)) as response:
                        if response.is_success:
                            return await self._fetched(response, None, who)
                        return Fetched(str(response.url), response.status_code, "", b"", dict(response.headers))
        except TimeoutError as error:
            raise VendorError(f"{who} did not answer in time", code="timeout") from error

    async def _follow(
        self, url: str, read: Callable[[httpx2.Response], Awaitable[T]], *, permit: Permit | None = None, **options: Any
    ) -> T:
        """What `read` makes of the answer after redirects; `options` are httpx2's own."""
        target = checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            if permit is not None:
                await permit(str(target))
            with answering(WHO):
                async with self._http.stream("GET", target, **options) as response:
                    if not response.has_redirect_location:
                        return await read(response)
                    target = checked(response.headers["location"], base=target)
        raise VendorError(f"{WHO} redirects without end", code="too_many_redirects", retryable=False)

    async def _fetched(self, response: httpx2.Response, types: Collection[str] | None, who: str = WHO) -> Fetched:
        media_type = _media_type(response)
        if types is not None and response.is_success and media_type and media_type not in types:
            raise VendorError(f"{who} answers with another type of file", code="unexpected_type", retryable=False)
        packed = bytearray()
        async for chunk in response.aiter_raw():
            packed += chunk
            if len(packed) > self._max_bytes:
                raise too_large(who)
        body = unpacked(bytes(packed), response.headers.get("content-encoding", ""), self._max_bytes, who)
        return Fetched(str(response.url), response.status_code, media_type, body, dict(response.headers))

    async def _saved(self, response: httpx2.Response, path: Path) -> Fetched:
        if response.is_success:
            if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
                raise VendorError(f"{WHO} packs its answer in a way we did not ask for", code="bad_response")
            with await asyncio.to_thread(path.open, "wb") as file:
                size = 0
                async for piece in response.aiter_raw(PIECE):
                    size += len(piece)
                    if size > self._max_bytes:
                        raise too_large()
                    await asyncio.to_thread(file.write, piece)
        return Fetched(str(response.url), response.status_code, _media_type(response), b"", dict(response.headers))


def _media_type(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def checked(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """The URL without its fragment, if it is http(s) with a host and no userinfo; else VendorError `bad_url`."""
    try:
        target = httpx2.URL(url) if base is None else base.join(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise VendorError("that is not a web address", code="bad_url", retryable=False) from error
    if target.scheme not in ("http", "https") or not target.host or target.userinfo:
        raise VendorError("only plain http and https addresses can be read", code="bad_url", retryable=False)
    # The bare host and its root are one page and get one spelling.
    return target.copy_with(raw_path=target.raw_path, fragment=None)


def unpacked(packed: bytes, encoding: str, max_bytes: int, who: str = WHO) -> bytes:
    """The body without its gzip coat; unpacking stops where a small body would grow past `max_bytes`."""
    if encoding.strip().lower() in ("", "identity") or not packed:
        return packed
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise VendorError(f"{who} packs its answer in a way we did not ask for", code="bad_response", retryable=False)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise VendorError(f"{who} sent a broken answer", code="bad_response") from error
    if len(body) > max_bytes:
        raise too_large(who)
    if not unpacker.eof:
        raise VendorError(f"{who} sent a broken answer", code="bad_response")
    return body


def too_large(who: str = WHO) -> VendorError:
    return VendorError(f"what {who} answers is too large to read", code="too_large", retryable=False)
