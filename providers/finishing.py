"""Writes that a cancel must not cut short."""

import asyncio
from collections.abc import Awaitable
from typing import Any


async def finish(write: Awaitable[Any]) -> None:
    """Await `write` to its end even when this task is cancelled meanwhile; the cancel is then raised."""
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
