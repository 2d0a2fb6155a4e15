"""Plain HTTP services: one place where a transport error, a status or a header becomes a VendorError or RateLimited.

| seen                                                     | raised                                 | retryable |
|----------------------------------------------------------|----------------------------------------|-----------|
| 429, 529; 403 with rate-limit headers (GitHub)           | RateLimited, `retry_after` in seconds  | yes       |
| 408, 409, 425, every 5xx                                 | VendorError `http_<status>`            | yes       |
| every other status                                       | VendorError `http_<status>`            | no        |
| a time-out; a refused, reset or broken connection        | VendorError `timeout`, `connection`    | yes       |
| a body that is not what was promised                     | VendorError `bad_response`             | yes       |
"""

import math
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from email.utils import mktime_tz, parsedate_tz
from types import ModuleType

import httpx2

from domain.errors import RateLimited, VendorError

LIMITED = frozenset({429, 529})
PASSING = frozenset({408, 409, 425})

WORDS = {
    401: "did not accept our credentials (401)",
    402: "asks for payment (402)",
    403: "refused the request (403)",
    404: "knows nothing at that address (404)",
}


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait as the headers ask, never negative, or None where they do not say.

    Read in this order: `retry-after-ms`, `retry-after` (seconds or HTTP date), and GitHub's `x-ratelimit-reset`
    (epoch seconds) when `x-ratelimit-remaining` is 0. `now` is epoch seconds.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    now = time.time() if now is None else now
    milliseconds = _number(found.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    asked = found.get("retry-after")
    seconds = _number(asked)
    if seconds is not None:
        return max(0.0, seconds)
    moment = _epoch(asked)
    if moment is not None:
        return max(0.0, moment - now)
    reset = _number(found.get("x-ratelimit-reset"))
    if found.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(0.0, reset - now)
    return None


def refused(response: httpx2.Response, who: str) -> VendorError:
    """The error an answer of status 4xx or 5xx means. `who` is the service's name for people; the body is not shown."""
    return refused_status(response.status_code, response.headers, who)


def refused_status(status: int, headers: Mapping[str, str], who: str) -> VendorError:
    """The same of a status and headers alone, 3xx included where redirects are not followed."""
    wait = retry_after(headers)
    if 300 <= status < 400:
        return VendorError(f"{who} sends us elsewhere ({status})", code=f"http_{status}", retryable=False)
    # GitHub's primary and secondary limits both answer 403 and say when to come back.
    if status in LIMITED or (status == 403 and wait is not None):
        return RateLimited(f"{who} asks us to slow down ({status})", retry_after=wait)
    words = WORDS.get(status, f"answered with an error ({status})")
    retryable = status in PASSING or status >= 500
    return VendorError(f"{who} {words}", code=f"http_{status}", retryable=retryable, retry_after=wait)


@contextmanager
def answering(who: str, http: ModuleType = httpx2) -> Generator[None]:
    """Translate what httpx2 raises inside the block; wrap the request and the reading of its body in it. `http`: the
    one an SDK asks with instead."""
    try:
        yield
    except http.TimeoutException as error:
        raise VendorError(f"{who} did not answer in time", code="timeout") from error
    except (http.TransportError, http.StreamError) as error:
        raise VendorError(f"{who} could not be reached", code="connection") from error
    except http.DecodingError as error:
        raise VendorError(f"{who} sent a broken answer", code="bad_response") from error


def _number(raw: str | None) -> float | None:
    try:
        number = float(raw or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _epoch(raw: str | None) -> float | None:
    """The epoch seconds of an HTTP date."""
    try:
        parsed = parsedate_tz(raw or "")
        return None if parsed is None else mktime_tz(parsed)
    except (ValueError, OverflowError):
        return None
