"""One request to Deepgram over its SDK, and what its failures mean. The only file that imports the SDK: in seconds.

| seen                                                        | raised                                  | retryable |
|-------------------------------------------------------------|-----------------------------------------|-----------|
| 429                                                         | RateLimited, `retry_after` in seconds   | yes       |
| 400: the recording, or how it was asked for                 | VendorError `audio_refused`             | no        |
| 400 `REMOTE_CONTENT_ERROR`: the link cannot be fetched      | LinkUnreachable                         | yes       |
| 401, 403                                                    | VendorError `unauthorized`              | no        |
| 402                                                         | VendorError `quota`                     | no        |
| 413                                                         | VendorError `too_large`                 | no        |
| 408, 409, 425, every 5xx                                    | VendorError `http_<status>`             | yes       |
| every other status                                          | VendorError `http_<status>`             | no        |
| the call passes its time-out                                | VendorError `timeout`                   | yes       |
| a refused, reset or broken connection                       | VendorError `connection`                | yes       |
| a body that is no answer: HTML, nothing, other JSON         | VendorError `bad_answer`                | yes       |
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# the SDK's own clients import theirs when they are first asked for
import deepgram.listen.v1.media.client  # noqa: F401  # pyright: ignore[reportUnusedImport]
import httpx
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.core.request_options import RequestOptions
from deepgram.environment import DeepgramClientEnvironment

from domain.errors import VendorError
from domain.interviews.audio import Hearing, LinkUnreachable
from providers.speech.deepgram_answer import Heard, read, unreadable
from providers.vendor import answering, refused_status
from providers.web import authorities

WHO = "Deepgram"
PIECE = 256 * 1024
CONNECT_SECONDS = 10.0
REFUSALS = {
    400: ("cannot work with this recording", "audio_refused"),
    401: ("does not accept the key", "unauthorized"),
    402: ("asks for payment: the account has no credit left", "quota"),
    403: ("does not accept the key", "unauthorized"),
    413: ("takes no recording of this size", "too_large"),
}


@dataclass(frozen=True)
class Told:
    """What came back once Deepgram had begun to answer with a 2xx: that is paid, whatever it was."""

    answer: Heard | VendorError
    accepted: bool = False


@dataclass(frozen=True)
class DeepgramCall:
    """How it is asked. `timeout` bounds a whole request, its upload included."""

    key: str
    base_url: str
    options: Mapping[str, Any]
    timeout: float

    async def __call__(
        self, hearing: Hearing, callback: str | None = None, sent: Callable[[float], None] | None = None
    ) -> Told:
        """Ask once. With `callback` it answers at once that it was `accepted`, and tells the rest there. `sent` is told
        up to which second the recording is under way, as far as its bytes are as even as its seconds."""
        begun = asyncio.Event()

        async def note(response: httpx.Response) -> None:
            if response.is_success:
                begun.set()

        try:
            with answering(WHO, httpx):
                async with asyncio.timeout(self.timeout), self._http(note) as http:
                    return _told(await self._ask(http, hearing, callback, sent), callback)
        except TimeoutError:
            failure = VendorError(f"{WHO} did not answer in time", code="timeout")
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            # The SDK reads answers without validating them, so what is no JSON breaks wherever it is first read.
            failure = unreadable()
        except VendorError as error:
            failure = error
        if begun.is_set():
            return Told(failure)
        raise failure from None

    async def _ask(
        self, http: httpx.AsyncClient, hearing: Hearing, callback: str | None, sent: Callable[[float], None] | None
    ) -> Any:
        """The SDK's answer. Raises what httpx raises, and VendorError."""
        url = self.base_url
        where = DeepgramClientEnvironment(base=url, production=url, agent=url, agent_rest=url)
        client = AsyncDeepgramClient(api_key=self.key, environment=where, max_retries=0, httpx_client=http)
        given = dict(self.options)
        if callback is not None:
            given["callback"] = callback
        try:
            if hearing.link is not None:
                return await client.listen.v1.media.transcribe_url(url=hearing.link, **given)
            size = hearing.path.stat().st_size
            headers = {"content-type": hearing.info.content_type, "content-length": str(size)}
            pieces = _pieces(hearing.path, lambda read: sent(hearing.info.seconds * read / size) if sent else None)
            return await client.listen.v1.media.transcribe_file(
                request=pieces, request_options=RequestOptions(additional_headers=headers), **given
            )
        except ApiError as error:
            # Not chained: its message holds the body.
            raise _refused(error.status_code or 0, error.headers or {}, error.body) from None

    def _http(self, note: Any) -> httpx.AsyncClient:
        """A client for one request: another one's answer must not be taken for its."""
        limits = httpx.Timeout(self.timeout, connect=CONNECT_SECONDS)
        hooks = {"response": [note]}
        return httpx.AsyncClient(timeout=limits, verify=authorities(), trust_env=False, event_hooks=hooks)


async def _pieces(path: Path, told: Callable[[int], None]) -> AsyncGenerator[bytes]:
    """The file's bytes; of each piece that was taken it is told how far that is."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
            told(file.tell())


def _told(answer: Any, callback: str | None) -> Told:
    if callback is None:
        return Told(read(answer))
    accepted = isinstance(getattr(answer, "request_id", None), str)
    return Told(unreadable(), accepted=accepted)


def _refused(status: int, headers: dict[str, str], body: Any) -> VendorError:
    if 200 <= status < 300:
        return unreadable()
    if status == 400 and isinstance(body, dict) and body.get("err_code") == "REMOTE_CONTENT_ERROR":
        return LinkUnreachable(f"{WHO} could not fetch the recording")
    if status in REFUSALS:
        words, code = REFUSALS[status]
        return VendorError(f"{WHO} {words} ({status})", code=code, retryable=False)
    return refused_status(status, headers, WHO)
