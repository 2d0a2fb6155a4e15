"""An end of idle connections that loses none.

A call of httpx or httpx2 first closes the connections that have been idle for too long; when it is cancelled meanwhile,
the others are left to the garbage collector, whose warning would fail whichever test runs then.
"""

from collections.abc import Sequence
from typing import Any

import httpcore
import httpcore2

from providers.finishing import finish


def close_whole() -> None:
    """From now on, in this process, what a pool has begun to close is closed."""
    for pool in (httpcore.AsyncConnectionPool, httpcore2.AsyncConnectionPool):
        _mend(pool)


def _mend(pool: Any) -> None:
    close = pool._close_connections

    async def whole(self: Any, closing: Sequence[Any]) -> None:
        if closing:
            await finish(close(self, closing))

    pool._close_connections = whole
