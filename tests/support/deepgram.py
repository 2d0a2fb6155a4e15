"""Deepgram on loopback: `POST /v1/listen`, answered as a mode says. Recordings are counted, not kept.

    async with DeepgramServer() as vendor:
        vendor.mode = hears([(0, "Why us?"), (1, "Um, because.")])
        ...vendor.url, vendor.listened

A mode is given what was asked and returns what to send; it may wait, or never return. The connection is closed after
each answer, so that one whose `content-length` promises more is cut off in the middle.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.support.site_server import Answer, Asked, SiteServer

Turns = Sequence[tuple[int, str]]
JSON = {"content-type": "application/json"}
REQUEST_ID = "5d0c4b8e-9a52-4f2b-8f9d-8c0f3c5e1c11"
HEAD = 64 * 1024
SECONDS_A_WORD = 0.4


@dataclass(frozen=True)
class Listened:
    """One request: its options, its headers, how large its body was and how that began."""

    options: Mapping[str, str]
    headers: Mapping[str, str]
    size: int
    head: bytes

    @property
    def link(self) -> str | None:
        """From where the recording was to be fetched; None where it was sent."""
        return json.loads(self.head)["url"] if self.headers.get("content-type") == "application/json" else None


Mode = Callable[[Listened], Awaitable[Answer]]


def transcript(turns: Turns, seconds: float | None = None) -> dict[str, Any]:
    """What Deepgram says of a recording in which these speakers say that, a word each 0.4 s."""
    words, utterances = [], []
    for speaker, text in turns:
        said = [_word(len(words) + at, word, speaker) for at, word in enumerate(text.split())]
        words += said
        utterances.append(
            {
                "start": said[0]["start"],
                "end": said[-1]["end"],
                "confidence": 0.98,
                "channel": 0,
                "transcript": text,
                "words": said,
                "speaker": speaker,
                "id": f"utterance-{len(utterances)}",
            }
        )
    heard = {"transcript": " ".join(text for _, text in turns), "confidence": 0.98, "words": words}
    metadata = {
        "transaction_key": "deprecated",
        "request_id": REQUEST_ID,
        "sha256": "0" * 64,
        "created": "2026-08-01T09:00:00.000Z",
        "duration": len(words) * SECONDS_A_WORD if seconds is None else seconds,
        "channels": 1,
        "models": ["30089e05-99d1-4376-b32e-c263170674af"],
        "model_info": {"30089e05-99d1-4376-b32e-c263170674af": {"name": "general-nova-3", "arch": "nova-3"}},
    }
    return {"metadata": metadata, "results": {"channels": [{"alternatives": [heard]}], "utterances": utterances}}


def _word(at: int, word: str, speaker: int) -> dict[str, Any]:
    return {
        "word": word.strip(".,?!").lower(),
        "start": round(at * SECONDS_A_WORD, 3),
        "end": round(at * SECONDS_A_WORD + 0.3, 3),
        "confidence": 0.99,
        "speaker": speaker,
        "speaker_confidence": 0.9,
        "punctuated_word": word,
    }


def sends(body: Any, status: int = 200, headers: Mapping[str, str] = JSON, *, after: float = 0.0) -> Mode:
    """That body, as JSON unless it is bytes, after so many seconds."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def mode(_listened: Listened) -> Answer:
        await asyncio.sleep(after)
        return Answer(status, headers, raw)

    return mode


def hears(turns: Turns, seconds: float | None = None, *, after: float = 0.0) -> Mode:
    return sends(transcript(turns, seconds), after=after)


def refuses(status: int, code: str = "Bad Request", *, retry_after: str | None = None, words: str = "no") -> Mode:
    """An error in the vendor's shape."""
    body = {"err_code": code, "err_msg": words, "request_id": REQUEST_ID}
    return sends(body, status, JSON | ({"retry-after": retry_after} if retry_after else {}))


def cut(turns: Turns) -> Mode:
    """An answer whose connection breaks in the middle."""
    raw = json.dumps(transcript(turns)).encode()
    return sends(raw[: len(raw) // 2], headers=JSON | {"content-length": str(len(raw))})


async def hangs(_listened: Listened) -> Answer:
    return await asyncio.get_running_loop().create_future()


class DeepgramServer(SiteServer):
    """`listened` holds what was asked, in order; `dropped` counts requests whose client went away before an answer.

    Asked to call back it accepts where it would have answered, and does nothing: `call_back` is the test's to call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mode: Mode = hears([(0, "What did you build?"), (1, "Um, a billing system.")])
        self.listened: list[Listened] = []
        self.dropped = 0

    @property
    def callback(self) -> str | None:
        """Where the last request wants its answer to be sent."""
        return self.listened[-1].options.get("callback") if self.listened else None

    async def call_back(self, body: Any, url: str | None = None) -> httpx.Response:
        """Send an answer as Deepgram does, to where the last request wants it unless told otherwise."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            return await client.post(url or self.callback or "", content=raw, headers=JSON)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked, listened = await _read(reader)
            self.asked.append(asked)
            self.hits[asked.path] += 1
            self.listened.append(listened)
            await self._tell(asked, listened, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _tell(
        self, asked: Asked, listened: Listened, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer, unless the client leaves first: one that waits sends nothing."""
        answering = asyncio.ensure_future(self._told(asked, listened))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await self._send(writer, answering.result(), asked)
            else:
                self.dropped += 1
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _told(self, asked: Asked, listened: Listened) -> Answer:
        if (asked.method, asked.path) != ("POST", "/v1/listen"):
            return Answer(404, JSON, json.dumps({"err_code": "NOT_FOUND", "err_msg": "no such place"}))
        answer = await self.mode(listened)
        if "callback" in listened.options and b'"metadata"' in (answer.body if isinstance(answer.body, bytes) else b""):
            return Answer(200, JSON, json.dumps({"request_id": REQUEST_ID}))
        return answer


async def _read(reader: asyncio.StreamReader) -> tuple[Asked, Listened]:
    """The request, its body counted as it comes and forgotten after its beginning."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    left, head = int(headers["content-length"]), b""
    size = left
    while left:
        piece = await reader.read(min(left, HEAD))
        if not piece:
            raise asyncio.IncompleteReadError(head, size)
        left -= len(piece)
        head = (head + piece)[:HEAD] if len(head) < HEAD else head
    options = dict(parse_qsl(urlsplit(target).query))
    return Asked(method, target, headers, head), Listened(options, headers, size, head)
