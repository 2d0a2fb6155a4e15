"""A limit per address for callers without credentials: a token bucket each, in this process."""

import time
from collections import OrderedDict

from api.errors import TooManyRequests


class Limiter:
    """At most `burst` at once and `per_minute` in the long run, for each of the `remembered` last seen addresses."""

    def __init__(self, *, burst: int = 20, per_minute: float = 60.0, remembered: int = 10_000) -> None:
        self._burst, self._rate, self._remembered = float(burst), per_minute / 60.0, remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, cost: int = 1) -> None:
        """Raises TooManyRequests when the address has used up its share, also for what costs more than a burst."""
        now = time.monotonic()
        tokens, since = self._buckets.pop(address, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        self._buckets[address] = (tokens - cost, now)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        if tokens < cost:
            self._buckets[address] = (tokens, now)
            raise TooManyRequests("too many requests from this address", retry_after=(cost - tokens) / self._rate)
