"""Models over real loopback HTTP: llmock for both vendors, a raw socket server for what no sane server sends."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from llmock.pytest_plugin import LLMock
from pydantic import BaseModel

from domain.errors import BudgetExceeded, RateLimited, VendorError
from domain.protocols import Answer
from domain.usage import Call, Spent, Totals
from providers.models import Models

VENDORS = ("anthropic", "openai")
MODELS = {"anthropic": "claude-haiku-5-5", "openai": "gpt-6-luna"}
KEY = "sk-secret-marker"
GOOD = '{"city": "Washington", "founded": 2014}'


class City(BaseModel):
    city: str
    founded: int


class Drawer:
    """A till in memory, keyed as the ledger's is."""

    def __init__(self, totals: Totals | None = None) -> None:
        self.budget = totals or Totals()
        self.spent: list[Spent] = []
        self.answers: dict[tuple[UUID, str, str, int, str], tuple[str, str, Any]] = {}

    async def answered(self, call: Call, prompt_hash: str) -> tuple[str, str, Any] | None:
        return self.answers.get((call.job_id, call.step, call.item, call.turn, prompt_hash))

    async def totals(self, job_id: UUID) -> Totals:
        return self.budget

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
        await asyncio.sleep(0)
        self.spent.append(spent)
        if answer is not None:
            call = spent.call
            key = (call.job_id, call.step, call.item, call.turn, prompt_hash)
            self.answers[key] = (spent.vendor, spent.model, json.loads(json.dumps(answer)))
        return self.budget


class Make(Protocol):
    def __call__(
        self, vendor: str, url: str, till: Drawer, *, timeout: float = 30.0, model: str | None = None
    ) -> Models: ...


@pytest.fixture
async def make() -> AsyncGenerator[Make]:
    """Builds Models for one vendor and closes their connections afterwards."""
    opened: list[Models] = []

    def build(vendor: str, url: str, till: Drawer, *, timeout: float = 30.0, model: str | None = None) -> Models:
        if vendor == "anthropic":
            made = Models(till, model=model, anthropic_key=KEY, anthropic_base_url=url, timeout=timeout)
        else:
            made = Models(till, model=model, openai_key=KEY, openai_base_url=url, timeout=timeout)
        opened.append(made)
        return made

    yield build
    for made in opened:
        await made.close()


async def ask(model: Models, call: Call | None = None, *, max_tokens: int = 1000) -> Answer:
    call = call or Call(job_id=uuid4(), step="analyze")
    return await model.ask(call, instructions="Be exact.", prompt="Where?", output=City, max_tokens=max_tokens)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A raw HTTP server that counts requests and notices when a caller hangs up."""

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0
        self.asked = asyncio.Event()
        self.dropped = asyncio.Event()


@asynccontextmanager
async def wire(answer: Handler) -> AsyncGenerator[Wire]:
    seen = Wire()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = 0
        while line := (await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        await reader.readexactly(length)
        seen.requests += 1
        seen.asked.set()
        try:
            await answer(reader, writer)
            await writer.drain()
        except ConnectionError:
            seen.dropped.set()
        finally:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield seen


def sends(body: bytes, content_type: str = "application/json", status: str = "200 OK", headers: str = "") -> Handler:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n{headers}content-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)

    return answer


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then: each read succeeds, the answer never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("vendor", VENDORS)
class TestAnAnswer:
    async def test_is_parsed_priced_and_recorded_with_one_request(
        self, make: Make, llmock: LLMock, vendor: str
    ) -> None:
        llmock.reply(GOOD)
        till = Drawer()
        answer = await ask(make(vendor, llmock.base_url(vendor), till))
        assert answer == Answer(output=City(city="Washington", founded=2014), vendor=vendor, model=MODELS[vendor])
        assert len(llmock.requests) == 1
        [spent] = till.spent
        assert (spent.vendor, spent.model) == (vendor, MODELS[vendor])
        assert spent.usage.input_tokens > 0
        assert spent.usage.output_tokens > 0
        # 0.1 and 0.5 USD a million tokens, both vendors' small models.
        expected = (spent.usage.input_tokens * Decimal("0.1") + spent.usage.output_tokens * Decimal("0.5")) / 1_000_000
        assert spent.cost_usd == expected

    async def test_is_asked_for_by_schema_and_not_by_forced_tool_use(
        self, make: Make, llmock: LLMock, vendor: str
    ) -> None:
        llmock.reply(GOOD)
        await ask(make(vendor, llmock.base_url(vendor), Drawer()))
        body: dict[str, Any] = llmock.last_request.body  # pyright: ignore[reportAssignmentType]
        sent = body["output_config"] if vendor == "anthropic" else body["text"]
        assert sent["format"]["type"] == "json_schema"
        assert set(sent["format"]["schema"]["properties"]) == {"city", "founded"}
        assert not body.get("tools")
        assert not body.get("tool_choice")
        assert "Be exact." in json.dumps(body.get("system") or body.get("instructions"))

    async def test_that_was_paid_is_not_asked_again(self, make: Make, llmock: LLMock, vendor: str) -> None:
        llmock.reply(GOOD)
        till, call = Drawer(), Call(job_id=uuid4(), step="analyze", attempt=1)
        first = await ask(make(vendor, llmock.base_url(vendor), till), call)
        again = await ask(make(vendor, llmock.base_url(vendor), till), call.model_copy(update={"attempt": 2}))
        assert again.output == first.output
        assert (first.recalled, again.recalled) == (False, True)
        assert len(llmock.requests) == 1
        assert len(till.spent) == 1

    async def test_to_another_turn_is_asked(self, make: Make, llmock: LLMock, vendor: str) -> None:
        llmock.reply(GOOD, times=2)
        till, call = Drawer(), Call(job_id=uuid4(), step="analyze")
        model = make(vendor, llmock.base_url(vendor), till)
        await ask(model, call)
        assert not (await ask(model, call.model_copy(update={"turn": 1}))).recalled
        assert len(llmock.requests) == 2

    @pytest.mark.parametrize(
        "text", ["I would rather not say.", '{"city": "Washington"}', '{"city": 1, "founded": []}']
    )
    async def test_that_breaks_the_schema_is_paid_but_never_reused(
        self, make: Make, llmock: LLMock, vendor: str, text: str
    ) -> None:
        llmock.reply(text)
        llmock.reply(GOOD)
        till, call = Drawer(), Call(job_id=uuid4(), step="analyze")
        model = make(vendor, llmock.base_url(vendor), till)
        with pytest.raises(VendorError) as caught:
            await ask(model, call)
        assert (caught.value.code, caught.value.again) == ("bad_answer", True)
        assert text not in str(caught.value)
        assert len(till.spent) == 1
        assert till.spent[0].usage.output_tokens > 0
        assert (await ask(model, call.model_copy(update={"attempt": 2}))).output.founded == 2014
        assert len(llmock.requests) == 2

    async def test_of_a_model_without_a_price_has_tokens_and_no_cost(
        self, make: Make, llmock: LLMock, vendor: str
    ) -> None:
        llmock.reply(GOOD)
        till = Drawer()
        name = "claude-nobody-9" if vendor == "anthropic" else "gpt-6.2-sol"
        await ask(make(vendor, llmock.base_url(vendor), till, model=name))
        assert till.spent[0].model == name
        assert till.spent[0].cost_usd is None
        assert till.spent[0].usage.output_tokens > 0

    async def test_is_recorded_although_the_job_is_canceled_meanwhile(
        self, make: Make, llmock: LLMock, vendor: str
    ) -> None:
        llmock.reply(GOOD)
        reached, written = asyncio.Event(), asyncio.Event()

        class SlowDrawer(Drawer):
            async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
                reached.set()
                await written.wait()
                return await super().record(spent, prompt_hash=prompt_hash, answer=answer)

        till = SlowDrawer()
        task = asyncio.create_task(ask(make(vendor, llmock.base_url(vendor), till)))
        await reached.wait()
        task.cancel()
        written.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(till.spent) == 1


@pytest.mark.parametrize("vendor", VENDORS)
class TestABudget:
    @pytest.mark.parametrize(
        "totals",
        [
            Totals(max_tokens=1000),
            Totals(tokens=50_000, max_tokens=50_900),
            Totals(max_cost_usd=Decimal("0.0004")),
            Totals(cost_usd=Decimal("0.0997"), max_cost_usd=Decimal("0.1")),
        ],
    )
    async def test_that_the_call_could_pass_stops_it_before_the_request(
        self, make: Make, llmock: LLMock, vendor: str, totals: Totals
    ) -> None:
        till = Drawer(totals)
        with pytest.raises(BudgetExceeded) as caught:
            await ask(make(vendor, llmock.base_url(vendor), till))
        assert caught.value.code == "budget_exceeded"
        assert not llmock.requests
        assert not till.spent

    async def test_with_room_lets_it_through(self, make: Make, llmock: LLMock, vendor: str) -> None:
        llmock.reply(GOOD)
        totals = Totals(tokens=10, max_tokens=5000, cost_usd=Decimal("0.01"), max_cost_usd=Decimal("0.02"))
        await ask(make(vendor, llmock.base_url(vendor), Drawer(totals)))
        assert len(llmock.requests) == 1

    async def test_in_dollars_cannot_be_kept_by_a_model_without_a_price(
        self, make: Make, llmock: LLMock, vendor: str
    ) -> None:
        name = "claude-nobody-9" if vendor == "anthropic" else "gpt-6.2-sol"
        till = Drawer(Totals(max_cost_usd=Decimal(100)))
        with pytest.raises(BudgetExceeded):
            await ask(make(vendor, llmock.base_url(vendor), till, model=name))
        assert not llmock.requests


@pytest.mark.parametrize("vendor", VENDORS)
class TestAFailure:
    @pytest.mark.parametrize(
        ("status", "code", "retryable"),
        [
            (400, "http_400", False),
            (401, "unauthorized", False),
            (403, "unauthorized", False),
            (404, "unknown_model", False),
            (408, "http_408", True),
            (409, "http_409", True),
            (422, "http_422", False),
            (500, "http_500", True),
            (503, "http_503", True),
        ],
    )
    async def test_by_status_is_sorted_after_one_request(
        self, make: Make, llmock: LLMock, vendor: str, status: int, code: str, retryable: bool
    ) -> None:
        llmock.fail(status, times=None)
        till = Drawer()
        with pytest.raises(VendorError) as caught:
            await ask(make(vendor, llmock.base_url(vendor), till))
        assert not isinstance(caught.value, RateLimited)
        assert (caught.value.code, caught.value.again) == (code, retryable)
        assert len(llmock.requests) == 1
        assert not till.spent

    @pytest.mark.parametrize("status", [429, 529])
    async def test_by_load_says_how_long_to_wait(self, make: Make, llmock: LLMock, vendor: str, status: int) -> None:
        llmock.fail(status, retry_after=7, times=None)
        with pytest.raises(RateLimited) as caught:
            await ask(make(vendor, llmock.base_url(vendor), Drawer()))
        assert caught.value.retry_after == 7
        assert caught.value.again
        assert len(llmock.requests) == 1

    async def test_by_a_spent_quota_is_not_retried(self, make: Make, vendor: str) -> None:
        error = {"message": f"no quota for {KEY}", "type": "insufficient_quota", "code": "insufficient_quota"}
        if vendor == "anthropic":
            error = {"type": "billing_error", "message": f"no credit for {KEY}"}
        status = "429 Too Many Requests" if vendor == "openai" else "402 Payment Required"
        body = json.dumps({"type": "error", "error": error}).encode()
        async with wire(sends(body, status=status, headers="retry-after: 3\r\n")) as server:
            with pytest.raises(VendorError) as caught:
                await ask(make(vendor, server.url, Drawer()))
        assert (caught.value.code, caught.value.again) == ("quota", False)
        assert KEY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert server.requests == 1

    @pytest.mark.parametrize(
        "answer",
        [
            sends(b"<html>a login page</html>", "text/html"),
            sends(b"", "application/json"),
            sends(b"", "text/plain"),
            sends(b"{}"),
            sends(b'{"id": '),
            sends(b"[]"),
            sends(b"null"),
            sends(b'"words"'),
        ],
        ids=["html", "empty", "empty-text", "empty-object", "cut-json", "list", "null", "string"],
    )
    async def test_by_a_body_that_is_no_answer_is_retryable(self, make: Make, vendor: str, answer: Handler) -> None:
        till = Drawer()
        async with wire(answer) as server:
            with pytest.raises(VendorError) as caught:
                await ask(make(vendor, server.url, till))
        assert (caught.value.code, caught.value.again) == ("bad_answer", True)
        assert server.requests == 1
        assert not till.spent

    async def test_by_a_broken_connection_is_retryable(self, make: Make, vendor: str) -> None:
        async with wire(resets) as server:
            with pytest.raises(VendorError) as caught:
                await ask(make(vendor, server.url, Drawer()))
        assert (caught.value.code, caught.value.again) == ("connection", True)
        assert server.requests == 1

    async def test_by_a_closed_port_is_retryable(self, make: Make, vendor: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(VendorError) as caught:
                await ask(make(vendor, f"http://127.0.0.1:{taken.getsockname()[1]}", Drawer()))
        assert (caught.value.code, caught.value.again) == ("connection", True)

    async def test_by_silence_is_a_timeout(self, make: Make, vendor: str) -> None:
        async with wire(hangs) as server:
            with pytest.raises(VendorError) as caught:
                await ask(make(vendor, server.url, Drawer(), timeout=1.5))
            await asyncio.wait_for(server.dropped.wait(), 30)
        assert (caught.value.code, caught.value.again) == ("timeout", True)
        assert server.requests == 1

    async def test_by_an_answer_that_drips_is_a_timeout(self, make: Make, vendor: str) -> None:
        async with wire(drips) as server:
            with pytest.raises(VendorError) as caught:
                await ask(make(vendor, server.url, Drawer(), timeout=1.5))
            await asyncio.wait_for(server.dropped.wait(), 30)
        assert (caught.value.code, caught.value.again) == ("timeout", True)

    async def test_a_cancel_drops_the_call(self, make: Make, vendor: str) -> None:
        async with wire(hangs) as server:
            task = asyncio.create_task(ask(make(vendor, server.url, Drawer(), timeout=60)))
            await asyncio.wait_for(server.asked.wait(), 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(server.dropped.wait(), 30)


async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    if not await reader.read():
        raise ConnectionResetError


CUT = {
    "anthropic": {"stop_reason": "max_tokens"},
    "openai": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
}
REFUSED = {
    "anthropic": {"stop_reason": "refusal"},
    "openai": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
}


def envelope(vendor: str, text: str, **fields: Any) -> bytes:
    """A vendor's whole answer, as its API documents it."""
    if vendor == "anthropic":
        answer: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODELS[vendor]}
        answer |= {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None}
        answer |= {"usage": {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 80}}
        answer["usage"]["cache_creation_input_tokens"] = 0
    else:
        answer = {"id": "resp_1", "object": "response", "created_at": 1, "model": MODELS[vendor], "status": "completed"}
        content = [{"type": "output_text", "text": text, "annotations": []}]
        answer |= {"output": [{"id": "m", "type": "message", "role": "assistant", "content": content}]}
        answer |= {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}
        usage = {"input_tokens": 180, "output_tokens": 20, "total_tokens": 200}
        details = {"input_tokens_details": {"cached_tokens": 80}, "output_tokens_details": {"reasoning_tokens": 0}}
        answer["usage"] = usage | details
    return json.dumps(answer | fields).encode()


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("fields", "code"), [(CUT, "truncated"), (REFUSED, "refused")])
async def test_an_answer_cut_or_refused_is_paid_and_not_retried(
    make: Make, vendor: str, fields: dict[str, dict[str, Any]], code: str
) -> None:
    till = Drawer()
    async with wire(sends(envelope(vendor, '{"city": "Wash', **fields[vendor]))) as server:
        with pytest.raises(VendorError) as caught:
            await ask(make(vendor, server.url, till))
    assert (caught.value.code, caught.value.again) == (code, False)
    assert server.requests == 1
    assert till.spent[0].usage.output_tokens == 20
    assert not till.answers


@pytest.mark.parametrize("vendor", VENDORS)
async def test_input_tokens_are_the_total_with_the_cached_part(make: Make, vendor: str) -> None:
    till = Drawer()
    async with wire(sends(envelope(vendor, GOOD))) as server:
        await ask(make(vendor, server.url, till))
    usage, cost = till.spent[0].usage, till.spent[0].cost_usd
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (180, 80, 20)
    assert cost == Decimal("0.0000208")  # 100 at 0.1, 80 cached at 0.01, 20 at 0.5 USD a million


class TestTheChoice:
    @pytest.mark.parametrize(
        ("given", "missing"),
        [
            ({}, "no model key is set"),
            ({"model": "claude-sonnet-5-5"}, "no model key is set"),
            ({"model": "claude-sonnet-5-5", "openai_key": KEY}, "no key is set for the model claude-sonnet-5-5"),
            ({"model": "gpt-6.1-sol", "anthropic_key": KEY}, "no key is set for the model gpt-6.1-sol"),
            ({"anthropic_key": KEY}, None),
            ({"openai_key": KEY}, None),
            ({"anthropic_key": "", "openai_key": ""}, "no model key is set"),
        ],
    )
    def test_without_a_fitting_key_says_what_is_missing(self, given: dict[str, str], missing: str | None) -> None:
        assert Models(Drawer(), **given).missing == missing  # pyright: ignore[reportArgumentType]

    async def test_without_a_key_asks_nobody(self) -> None:
        with pytest.raises(VendorError) as caught:
            await ask(Models(Drawer()))
        assert (caught.value.code, caught.value.again) == ("not_configured", False)

    async def test_prefers_anthropic_when_both_keys_are_set(self, llmock: LLMock) -> None:
        llmock.reply(GOOD, times=2)
        urls = {"anthropic_base_url": llmock.base_url("anthropic"), "openai_base_url": llmock.base_url("openai")}
        both = {"anthropic_key": KEY, "openai_key": KEY, **urls}
        default = Models(Drawer(), **both)  # pyright: ignore[reportArgumentType]
        assert (await ask(default)).model == "claude-haiku-5-5"
        named = Models(Drawer(), model="gpt-6.1-sol", **both)  # pyright: ignore[reportArgumentType]
        assert (await ask(named)).vendor == "openai"
        await default.close()
        await named.close()
