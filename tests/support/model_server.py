"""A model's vendor on loopback: Anthropic's `POST /v1/messages`, answered as a mode says.

    async with ModelServer() as vendor:
        vendor.mode = answers(after=1.0)
        ...vendor.url, vendor.requests, vendor.dropped

A mode is given the prompt and returns what to send; it may wait, or never return.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

from domain.research import Claim, Draft, Interview, Sections
from tests.support.site_server import Answer, Asked, SiteServer, read_request

Mode = Callable[[str], Awaitable[Answer]]
CITED = re.compile(r"^\[(?P<id>[pr]\d+\.\d+)\] (?P<quote>.+)$", re.MULTILINE)
SENT_BY_US = 4  # characters a token, about


def answers(after: float = 0.0) -> Mode:
    """A draft whose claims are the prompt's own sentences, each with its id."""

    async def mode(prompt: str) -> Answer:
        await asyncio.sleep(after)
        return message(honest(prompt), prompt)

    return mode


class Held:
    """Like `answers`, once the test says so; `open` belongs into the server's loop."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    async def __call__(self, prompt: str) -> Answer:
        await self._opened.wait()
        return message(honest(prompt), prompt)


async def hangs(_prompt: str) -> Answer:
    return await asyncio.get_running_loop().create_future()


async def babbles(prompt: str) -> Answer:
    """Text that is not the JSON asked for."""
    return message("As a language model I would rather sing.", prompt)


async def lies(prompt: str) -> Answer:
    """The shape asked for and ids that exist, but claims that no source supports."""
    ids = [found["id"] for found in CITED.finditer(prompt)]
    said = Claim(text="Acme Widgets was sold to Globex Corporation for 77 billion dollars in 1987.", evidence=(ids[0],))
    asked = Claim(text="Discuss the 4,711 moon bases that Globex Corporation runs.", evidence=(ids[-1],))
    return message(_draft([said, said], [asked, asked]).model_dump_json(by_alias=True), prompt)


def refuses(status: int, retry_after: str | None = None) -> Mode:
    """An error in the vendor's shape."""
    headers = {"content-type": "application/json"} | ({"retry-after": retry_after} if retry_after else {})
    body = json.dumps({"type": "error", "error": {"type": "api_error", "message": "no"}})

    async def mode(_prompt: str) -> Answer:
        return Answer(status, headers, body)

    return mode


def honest(prompt: str) -> str:
    """A draft as JSON, made of sentences of the prompt."""
    facts = [Claim(text=found["quote"], evidence=(found["id"],)) for found in CITED.finditer(prompt)]
    pages = [fact for fact in facts if fact.evidence[0].startswith("p")]
    return _draft(pages or facts, facts).model_dump_json(by_alias=True)


def message(text: str, prompt: str) -> Answer:
    """What the vendor sends around a text."""
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": len(prompt) // SENT_BY_US, "output_tokens": len(text) // SENT_BY_US},
    }
    return Answer(200, {"content-type": "application/json"}, json.dumps(body))


def _draft(facts: list[Claim], advice: list[Claim]) -> Draft:
    some = tuple(facts[:3])
    return Draft(
        sections=Sections(overview=some, products=some, culture=some, engineering=some, news=some),
        interview=Interview(topics=tuple(advice[:3]), questions=tuple(advice[:3])),
        prepare=tuple(advice[:3]),
        ask_them=tuple(advice[:3]),
    )


class ModelServer(SiteServer):
    """`answered` counts the answers sent, `dropped` the requests whose client went away before."""

    def __init__(self) -> None:
        super().__init__()
        self.mode: Mode = answers()
        self.answered = self.dropped = 0
        self.routes["/v1/messages"] = self._message

    @property
    def requests(self) -> int:
        return self.hits["/v1/messages"]

    async def _message(self, asked: Asked) -> Answer:
        said = json.loads(asked.body)["messages"][-1]["content"]
        return await self.mode(said if isinstance(said, str) else "".join(part["text"] for part in said))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await read_request(reader):
                if not await self._answered(asked, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answered(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer, unless the client leaves first: one that waits sends nothing."""
        answering = asyncio.ensure_future(self._answer(asked))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self.dropped += 1
                return False
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
        self.answered += 1
        return await self._send(writer, answering.result(), asked)
