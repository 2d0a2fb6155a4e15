"""The load generator, in a process of its own: HTTP/1.1 on kept connections, with nothing that costs more than asyncio.

`python -m bench.load` reads a Volley a line and answers each with a Landing a line.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"


class Ask(BaseModel):
    method: str
    path: str
    body: str = ""


class Volley(BaseModel):
    """Requests sent in order by `concurrency` connections, each as soon as the one before it is answered."""

    port: int
    token: str
    concurrency: int
    requests: list[Ask]


class Landing(BaseModel):
    """`began` and `ended` are Unix times; `seconds` are in the order in which the answers came."""

    began: float
    ended: float
    seconds: list[float]
    bodies: list[str]


class Answer(NamedTuple):
    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One caller."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self.seconds: list[float] = []
        self.bodies: list[bytes] = []
        self._requests, self.done = requests, done
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answer = parse(self._buffer)
        if answer is None:
            return
        self.seconds.append(time.perf_counter() - self._sent)
        self.bodies.append(answer.body)
        self._buffer = b""
        if answer.status >= 300:
            self._transport.close()
            self.done.set_exception(RuntimeError(f"{answer.status}: {answer.body.decode()[:500]}"))
            return
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


def parse(buffer: bytes) -> Answer | None:
    """The answer, once it is there whole; our servers always tell its length."""
    end = buffer.find(HEAD_END)
    if end < 0:
        return None
    head = buffer[:end].lower() + b"\r\n"
    at = head.index(LENGTH) + len(LENGTH)
    body = buffer[end + len(HEAD_END) :]
    return Answer(int(head[9:12]), body) if len(body) >= int(head[at : head.index(b"\r\n", at)]) else None


def _encode(volley: Volley, ask: Ask) -> bytes:
    body = ask.body.encode()
    lines = [f"{ask.method} {ask.path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {volley.token}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def fire(volley: Volley) -> Landing:
    """Raises RuntimeError at the first answer that is not 2xx."""
    loop = asyncio.get_running_loop()
    requests = iter([_encode(volley, ask) for ask in volley.requests])
    callers: list[Connection] = []
    for _ in range(volley.concurrency):
        caller = Connection(requests, loop.create_future())
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", volley.port)
        callers.append(caller)
    began = time.time()
    for caller in callers:
        caller.next()
    await asyncio.gather(*(caller.done for caller in callers))
    return Landing(
        began=began,
        ended=time.time(),
        seconds=[each for caller in callers for each in caller.seconds],
        bodies=[each.decode() for caller in callers for each in caller.bodies],
    )


def main() -> None:
    for line in sys.stdin:
        print(asyncio.run(fire(Volley.model_validate_json(line))).model_dump_json(), flush=True)


if __name__ == "__main__":
    main()
