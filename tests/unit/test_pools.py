"""Idle connections are closed, also when the call that closes them is given up."""

import asyncio
import gc
from contextlib import suppress
from types import ModuleType

import httpx
import httpx2
import pytest

from tests.support.site_server import SiteServer, page


@pytest.mark.parametrize("http", [httpx, httpx2])
async def test_a_call_given_up_while_it_closes_idle_connections_loses_none(http: ModuleType) -> None:
    async with SiteServer({"/": page("now", delay=0.02)}) as site:
        for turns in range(12):
            await given_up(http, site.url, turns)
    gc.collect()  # what was lost warns now, and the warning fails this test


async def given_up(http: ModuleType, url: str, turns: int) -> None:
    """Ask when eight connections have been idle for too long, and cancel so many turns of the loop later."""
    async with http.AsyncClient(limits=http.Limits(keepalive_expiry=0.01), timeout=30, trust_env=False) as client:
        await asyncio.gather(*(client.get(url) for _ in range(8)))
        await asyncio.sleep(0.02)
        call = asyncio.create_task(client.get(url))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
