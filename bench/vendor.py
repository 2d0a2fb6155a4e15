"""A model's vendor that answers at once, in the shape of Anthropic's messages: `python -m bench.vendor --port 9000`.

It says the same kind words about every run. `GET /` answers how often it was asked.
"""

import asyncio
import json
from typing import Annotated

import typer

WORDS = "You went out again, and the road was kind to you. Keep it easy this week, and enjoy the next one."
BODY = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": json.dumps({"text": WORDS})}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 400, "output_tokens": 60},
    }
)
LENGTH = b"content-length:"


class Vendor(asyncio.Protocol):
    """One kept connection; requests come one after the other."""

    asked = 0

    def __init__(self, after: float) -> None:
        self._after, self._buffer = after, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH)), 0)
        if not found or len(body) < length:
            return
        self._buffer = b""
        if head.startswith(b"GET"):
            self._answer(json.dumps({"asked": Vendor.asked}))
            return
        Vendor.asked += 1
        if self._after:
            asyncio.get_running_loop().call_later(self._after, self._answer, BODY)
        else:
            self._answer(BODY)

    def _answer(self, body: str) -> None:
        if not self._transport.is_closing():
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body.encode())


async def _serve(port: int, after: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Vendor(after), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main(port: Annotated[int, typer.Option()], after: Annotated[float, typer.Option()] = 0.0) -> None:
    """Serve until SIGTERM, each answer after so many seconds."""
    asyncio.run(_serve(port, after))


if __name__ == "__main__":
    typer.run(main)
