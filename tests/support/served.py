"""An application as a process would serve it: uvicorn on a loopback port, in a thread with an event loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from local import ports
from tests.support import listening


class _Server(uvicorn.Server):
    """Ends when it is told to: uvicorn's own looks for that each tenth of a second, and then waits for another one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._told: asyncio.Event
        self._loop: asyncio.AbstractEventLoop

    async def main_loop(self) -> None:
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        await self.on_tick(0)
        self.up.set()
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            listening.close(server)
        await listening.handed_over()
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        await self.lifespan.shutdown()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._told.set)


@contextmanager
def served(application: FastAPI) -> Generator[str]:
    """Its URL, for the length of the block."""
    # its own from the first, for an application may take long to start
    listener = socket.create_server((ports.LOOPBACK, 0))
    server = _Server(uvicorn.Config(application, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.up.wait(0.1):
            assert thread.is_alive(), "the API did not start"
        yield f"http://{ports.LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        if server.up.is_set():
            server.end()
        thread.join()
        listener.close()
