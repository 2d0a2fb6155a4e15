"""The tests' own servers: what they have accepted they close, at whichever moment they are stopped."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.support.mail_server import MailServer
from tests.support.proxy import TcpProxy
from tests.support.site_server import SiteServer

Server = SiteServer | MailServer | TcpProxy
MAKERS: list[Callable[[int], AbstractAsyncContextManager[Server]]] = [
    lambda _: SiteServer(),
    lambda _: MailServer(),
    lambda port: TcpProxy("127.0.0.1", port),
]


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("make", MAKERS, ids=["site", "mail", "proxy"])
async def test_a_server_that_is_stopped_leaves_no_connection_open(
    make: Callable[[int], AbstractAsyncContextManager[Server]], turns: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        async with make(target.getsockname()[1]) as server:
            client = socket.create_connection(("127.0.0.1", server.port))
            for _ in range(turns):
                await asyncio.sleep(0)
        with client:
            client.settimeout(30)
            assert await asyncio.to_thread(ends, client)


def ends(client: socket.socket) -> bool:
    """Whether the other side closes the connection, orderly or not, whatever it says before."""
    try:
        while client.recv(1024):
            pass
    except ConnectionError:
        pass
    return True
