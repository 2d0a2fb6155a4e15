"""A TCP proxy that fails on command: how a server looks from outside when it goes away and comes back."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from tests.support import listening

READY_FOR_QUERY = b"Z\x00\x00\x00\x05"
CHUNK = 65536


class TcpProxy:
    """Stands between a client and `target_host:port`. One at a time: it passes, holds or refuses."""

    def __init__(self, target_host: str, port: int) -> None:
        self._target = target_host, port
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._links: set[_Link] = set()
        self._pattern: bytes | None = None
        self._left = 0
        self._dropped = asyncio.Event()
        self._barrier: bytes | None = None
        self._held = asyncio.Event()
        self.port = 0

    @classmethod
    def to(cls, url: str) -> Self:
        """A proxy to the server of a database URL."""
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        return cls(parts.hostname, parts.port)

    def url(self, behind: str) -> str:
        """The same URL, by way of this proxy."""
        parts = urlsplit(behind)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.refuse()
        self._passing.set()
        await listening.handed_over()
        await asyncio.gather(*(link.task for link in self._links), return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Break every connection and take no new one."""
        if self._server is not None:
            listening.close(self._server)
            self._server = None
        for link in self._links:
            link.cut()

    def hold(self) -> None:
        """Pass nothing on; what is sent meanwhile arrives after the release."""
        self._passing.clear()

    def hold_at(self, pattern: bytes) -> asyncio.Event:
        """Hold from the next request on that contains `pattern`, and it too. The event is set when that has come."""
        self._barrier, self._held = pattern, asyncio.Event()
        return self._held

    def coming(self, request: bytes) -> None:
        if self._barrier is not None and self._barrier in request:
            self._barrier = None
            self.hold()
            self._held.set()

    async def release(self) -> None:
        """Listen and pass again."""
        if self._server is None:
            await listening.handed_over()
            await self._listen()
        self._passing.set()

    def drop_next_answer_after(self, pattern: bytes, times: int = 1) -> asyncio.Event:
        """Deliver the next request that contains `pattern`, and break the connection when it has been answered.

        Its sender cannot know whether the statement was committed; it was. The event is set when that has happened;
        `times` is how many such requests fare so.
        """
        self._pattern, self._dropped, self._left = pattern, asyncio.Event(), times
        return self._dropped

    def asked(self, request: bytes) -> bool:
        """Whether this request's answer is to be lost."""
        if self._pattern is None or self._pattern not in request:
            return False
        self._left -= 1
        if not self._left:
            self._pattern = None
        return True

    async def open_way(self) -> None:
        await self._passing.wait()

    def lost_answer(self) -> None:
        self._dropped.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, (reader, writer), self._target)
        self._links.add(link)
        link.task.add_done_callback(lambda _: self._links.discard(link))
        if self._server is None:
            link.cut()


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: TcpProxy, near: Pair, target: tuple[str, int]) -> None:
        self._proxy, self._near, self._target = proxy, near, target
        self._ends = [near]
        self._losing = False
        self.task = asyncio.create_task(self._run())

    def cut(self) -> None:
        for _, writer in self._ends:
            writer.transport.abort()

    async def _run(self) -> None:
        try:
            far = await asyncio.open_connection(*self._target)
        except OSError:
            self.cut()
            return
        self._ends.append(far)
        there, back = asyncio.create_task(self._ask(far[1])), asyncio.create_task(self._answer(far[0]))
        try:
            await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            self.cut()

    async def _ask(self, far: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await self._near[0].read(CHUNK):
                self._proxy.coming(data)
                await self._proxy.open_way()
                self._losing = self._losing or self._proxy.asked(data)
                far.write(data)
                await far.drain()

    async def _answer(self, far: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await far.read(CHUNK):
                await self._proxy.open_way()
                if not self._losing:
                    self._near[1].write(data)
                    await self._near[1].drain()
                elif READY_FOR_QUERY in data:
                    self._proxy.lost_answer()
                    return
