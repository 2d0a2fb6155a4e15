"""An end of listening that loses no connection.

asyncio's own forgets one that it is just accepting, and never closes it
(https://github.com/python/cpython/issues/109564).
"""

import asyncio


def close(server: asyncio.Server) -> None:
    """Take no new connection from now on; what is taken already is handled (see handed_over)."""
    loop = server.get_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    loop.call_soon(server.close)


async def handed_over() -> None:
    """Wait, after a close, until whoever handles connections has been called with the last of them."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
