"""A web server on loopback for tests: routes are data, and it counts what reached it.

    async with SiteServer({"/": (200, {"content-type": "text/html"}, "<h1>Hello</h1>")}) as site:
        ...site.url, site.hits["/"], site.connections

A route is found by its whole target ("/search?q=x") or else by its path. It is an Answer, a (status, headers, body)
tuple, or a function (sync or async) of the Asked request that returns either. What no route names is 404.
"""

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import responses
from types import TracebackType
from typing import Self

from tests.support import listening

Parts = tuple[int, Mapping[str, str], str | bytes]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Answer:
    """What to send, after `delay` seconds; with `pause` the body goes out in `chunk` bytes each `pause` seconds.

    `drop` closes the connection instead of answering.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | bytes = ""
    delay: float = 0.0
    pause: float = 0.0
    chunk: int = 1024
    drop: bool = False


Route = Answer | Parts | Callable[[Asked], "Answer | Parts | Awaitable[Answer | Parts]"]


def page(
    body: str, title: str = "", head: str = "", *, status: int = 200, delay: float = 0.0, pause: float = 0.0
) -> Answer:
    """An HTML page; `body` and `head` are HTML."""
    html = f'<!DOCTYPE html><html lang="en"><head><title>{title}</title>{head}</head><body>{body}</body></html>'
    return Answer(status, {"content-type": "text/html; charset=utf-8"}, html, delay=delay, pause=pause)


def redirect(to: str, status: int = 302) -> Answer:
    return Answer(status, {"location": to})


class SiteServer:
    """`first_delay` seconds pass before the first request to any path but /robots.txt is answered.

    `asked` holds every request in order, `hits` counts them by path, `connections` counts accepted TCP connections,
    `most_at_once` is the largest number of requests that were being answered at the same time.
    """

    def __init__(self, routes: Mapping[str, Route] | None = None, *, first_delay: float = 0.0, host: str = "127.0.0.1"):
        self.routes: dict[str, Route] = dict(routes or {})
        self.first_delay = first_delay
        self.host = host
        self.port = 0
        self.connections = 0
        self.asked: list[Asked] = []
        self.hits: Counter[str] = Counter()
        self.most_at_once = 0
        self._now = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def authority(self) -> str:
        """`host:port`, as the guarded client's `allow` wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The origin, without a slash at its end."""
        return f"http://{self.authority}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        listening.close(self._server)
        await listening.handed_over()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        # one that is canceled before it begins closes nothing itself
        task.add_done_callback(lambda _: writer.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await read_request(reader):
                self._now += 1
                self.most_at_once = max(self.most_at_once, self._now)
                try:
                    kept = await self._send(writer, await self._answer(asked), asked)
                finally:
                    self._now -= 1
                if not kept:
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        self.hits[asked.path] += 1
        if asked.path != "/robots.txt" and self.first_delay:
            delay, self.first_delay = self.first_delay, 0.0
            await asyncio.sleep(delay)
        route = self.routes.get(asked.target) or self.routes.get(asked.path) or Answer(404, body="not here")
        made = route(asked) if callable(route) else route
        answer = await made if inspect.isawaitable(made) else made
        return answer if isinstance(answer, Answer) else Answer(*answer)

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer, asked: Asked) -> bool:
        """Write the answer; False when the connection is to be closed after it."""
        await asyncio.sleep(answer.delay)
        if answer.drop:
            return False
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        given = {name.lower() for name in answer.headers}
        headers = dict(answer.headers)
        if "content-length" not in given:
            headers["content-length"] = str(len(body))
        lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        step = answer.chunk if answer.pause else max(1, len(body))
        for start in range(0, 0 if asked.method == "HEAD" else len(body), step):
            writer.write(body[start : start + step])
            await writer.drain()
            await asyncio.sleep(answer.pause)
        await writer.drain()
        return True


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a kept-alive connection, or None where the client has gone."""
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)
