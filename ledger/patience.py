"""Waiting for a ledger that is down, in place: an answer in hand is kept, and no money is spent unrecorded."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.errors import LedgerUnavailable

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


async def patiently(write: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Try an idempotent write until it lands; raises LedgerUnavailable when `seconds` are over."""
    deadline = asyncio.get_running_loop().time() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            return await write()
        except LedgerUnavailable:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
