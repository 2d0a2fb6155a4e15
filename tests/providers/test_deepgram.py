"""Deepgram over its real SDK and a real loopback wire."""

import asyncio
import json
import logging
import socket
import ssl
import tracemalloc
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest

from domain.errors import BudgetExceeded, RateLimited, VendorError
from domain.interviews.audio import AudioInfo, Hearing
from domain.interviews.transcript import Piece, Transcript
from domain.usage import Totals
from providers.speech.deepgram import Deepgram
from providers.web import authorities
from tests.providers.test_models import Drawer
from tests.support.deepgram import DeepgramServer, Listened, Mode, Turns, cut, hangs, hears, refuses, sends, transcript
from tests.support.site_server import Answer

# the SDK's own import
pytestmark = pytest.mark.filterwarnings("ignore:websockets.*deprecated:DeprecationWarning")
KEY, SAID = "dg-secret-marker", "quixotic marmalade"
TURNS: Turns = [(3, "What did you build?"), (1, f"Um, {SAID}."), (3, "Why?")]
INFO = AudioInfo(container="wav", seconds=90.0)
MEGABYTES = 48


class Make(Protocol):
    def __call__(self, till: Drawer, **changed: Any) -> Deepgram: ...


@pytest.fixture
async def vendor() -> AsyncGenerator[DeepgramServer]:
    async with DeepgramServer() as server:
        server.mode = hears(TURNS, 90.0)
        yield server


@pytest.fixture
async def make(vendor: DeepgramServer) -> AsyncGenerator[Make]:
    opened: list[Deepgram] = []

    def build(till: Drawer, **changed: Any) -> Deepgram:
        usual: dict[str, Any] = {"key": KEY, "base_url": vendor.url, "timeout": 30.0}
        opened.append(Deepgram(till, **usual | changed))
        return opened[-1]

    yield build
    for one in opened:
        await one.close()


@pytest.fixture
def hearing(tmp_path: Path) -> Hearing:
    path = tmp_path / "recording.wav"
    path.write_bytes(b"RIFF" + SAID.encode() * 100)
    return Hearing(job_id=uuid4(), attempt=1, path=path, info=INFO)


async def never(_piece: Piece) -> None:
    raise AssertionError("Deepgram hears a recording in one piece")


async def ask(deepgram: Deepgram, hearing: Hearing, heard: Callable[[float], None] = lambda _: None) -> Transcript:
    return await deepgram.transcribe(hearing, kept=(), keep=never, heard=heard)


async def failing(deepgram: Deepgram, hearing: Hearing) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await ask(deepgram, hearing)
    shown = f"{caught.value} {caught.value.__cause__} {caught.value.__context__ if caught.value.__cause__ else ''}"
    assert not any(word in shown for word in (KEY, *SAID.split()))
    return caught.value


async def test_a_request_does_not_read_the_certificates_again(
    make: Make, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorities()

    def read(*_: object, **__: object) -> ssl.SSLContext:
        raise AssertionError("the event loop stands while they are read")

    monkeypatch.setattr(ssl, "create_default_context", read)
    assert (await ask(make(Drawer()), hearing)).words


class TestATranscript:
    async def test_has_words_with_times_speakers_and_fillers(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        till, heard = Drawer(), []
        found = await ask(make(till), hearing, heard.append)
        assert found.text == f"What did you build? Um, {SAID}. Why?"
        assert [turn.speaker for turn in found.turns()] == [0, 1, 0], "numbered as they are first heard"
        assert (found.words[4].text, found.words[4].start, found.words[4].end) == ("Um,", 1.6, 1.9)
        assert (found.duration_seconds, found.transcribed_by, found.model) == (90.0, "deepgram", "nova-3")
        assert set(heard) == {90.0}, "so small a file is sent at once"
        [asked] = vendor.listened
        assert asked.options == {
            "model": "nova-3",
            "diarize_model": "latest",
            "utterances": "true",
            "smart_format": "true",
            "filler_words": "true",
        }
        assert asked.headers["authorization"] == f"Token {KEY}"
        assert (asked.headers["content-type"], asked.size) == ("audio/wav", hearing.path.stat().st_size)
        assert asked.head == hearing.path.read_bytes()

    async def test_is_made_of_the_channel_where_nothing_tells_utterances(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        body = transcript(TURNS)
        del body["results"]["utterances"]
        for word in body["results"]["channels"][0]["alternatives"][0]["words"]:
            del word["speaker"], word["punctuated_word"]
        vendor.mode = sends(body)
        found = await ask(make(Drawer()), hearing)
        assert found.text.startswith("what did you build um")
        assert {word.speaker for word in found.words} == {None}

    async def test_is_in_the_order_of_time_where_people_speak_at_once(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        body = transcript([(0, "So what did"), (1, "Um")])
        del body["results"]["utterances"][1]["words"][0]["speaker"]
        body["results"]["utterances"][1]["words"][0] |= {"start": 0.6, "end": 0.7}
        vendor.mode = sends(body)
        found = await ask(make(Drawer()), hearing)
        assert [(word.text, word.speaker) for word in found.words] == [("So", 0), ("what", 0), ("Um", 1), ("did", 0)]

    async def test_can_be_fetched_by_the_vendor_from_a_link(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        linked = hearing.model_copy(update={"link": "https://store.example/interview?token=t", "path": Path("/none")})
        assert (await ask(make(Drawer()), linked)).words
        assert vendor.listened[0].link == "https://store.example/interview?token=t"

    async def test_of_a_large_file_takes_no_memory_for_it(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        with hearing.path.open("wb") as file:
            file.truncate(MEGABYTES * 1024**2)
        deepgram = make(Drawer())
        await ask(deepgram, hearing.model_copy(update={"job_id": uuid4()}))  # the SDK is imported by now
        tracemalloc.start()
        try:
            await ask(deepgram, hearing)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert vendor.listened[-1].size == MEGABYTES * 1024**2
        assert most < 8 * 1024**2

    async def test_is_waited_for_with_the_seconds_that_were_sent(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        with hearing.path.open("wb") as file:
            file.truncate(MEGABYTES * 1024**2)
        vendor.mode, sent = hangs, list[float]()
        asking = asyncio.ensure_future(ask(make(Drawer()), hearing, sent.append))
        async with asyncio.timeout(30):
            while not sent or sent[-1] < INFO.seconds:
                await asyncio.sleep(0.01)
        assert sent == sorted(sent)
        assert len(set(sent)) > 100
        assert not asking.done()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    async def test_with_what_no_database_keeps_is_kept_without(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        vendor.mode = hears([(0, "so\0 \ud800what \0")])
        assert [word.text for word in (await ask(make(Drawer()), hearing)).words] == ["so", "?what"]

    async def test_is_read_while_the_loop_goes_on(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        vendor.mode = hears([(at % 2, "word " * 50) for at in range(300)])
        deepgram, longest = make(Drawer()), 0.0
        asking = asyncio.ensure_future(ask(deepgram, hearing))
        loop = asyncio.get_running_loop()
        while not asking.done():
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)
        assert len((await asking).words) == 15_000
        assert longest < 10, "a heart beats each second, and is missed after ten"


class TestWhatIsPaid:
    async def test_is_counted_in_seconds_with_its_price(self, make: Make, hearing: Hearing) -> None:
        till = Drawer()
        await ask(make(till), hearing)
        [spent] = till.spent
        assert (spent.vendor, spent.model, spent.audio_seconds) == ("deepgram", "nova-3", 90.0)
        assert spent.cost_usd == Decimal("0.0077") * 90 / 60
        assert (spent.call.step, spent.call.job_id, spent.usage.input_tokens) == ("transcribe", hearing.job_id, 0)

    @pytest.mark.parametrize(
        ("changed", "cost"), [({"usd_per_minute": 0.01}, Decimal("0.015")), ({"model": "x"}, None)]
    )
    async def test_has_the_operators_price_or_none(
        self, make: Make, hearing: Hearing, changed: dict[str, Any], cost: Decimal | None
    ) -> None:
        till = Drawer()
        await ask(make(till, **changed), hearing)
        assert till.spent[0].cost_usd == cost

    async def test_is_paid_once(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        till = Drawer()
        first = await ask(make(till), hearing)
        heard: list[float] = []
        again = await ask(make(till), hearing.model_copy(update={"attempt": 2}), heard.append)
        assert (again, heard) == (first, [90.0])
        assert (len(vendor.listened), len(till.spent)) == (1, 1)
        await ask(make(till), hearing.model_copy(update={"job_id": uuid4()}))
        assert len(vendor.listened) == 2, "another job pays for itself"

    async def test_is_held_against_the_budget_before_the_request(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        till = Drawer(Totals(max_cost_usd=Decimal("0.0115")))
        with pytest.raises(BudgetExceeded):
            await ask(make(till), hearing)
        with pytest.raises(BudgetExceeded):
            await ask(make(Drawer(Totals(max_cost_usd=Decimal(9))), model="x"), hearing)
        assert not vendor.listened
        assert await ask(make(Drawer(Totals(max_cost_usd=Decimal("0.0116")))), hearing)

    @pytest.mark.parametrize("mode", [sends(b"{"), sends({}), cut(TURNS)], ids=["broken-json", "other-json", "cut"])
    async def test_is_counted_whatever_became_of_the_answer(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing, mode: Mode
    ) -> None:
        vendor.mode, till = mode, Drawer()
        assert (await failing(make(till), hearing)).again
        assert [spent.audio_seconds for spent in till.spent] == [90.0]
        vendor.mode = hears(TURNS)
        assert (await ask(make(till), hearing)).words, "an answer that nobody could read is asked for again"


class TestAFailure:
    @pytest.mark.parametrize(
        ("status", "code", "retryable"),
        [
            (302, "http_302", False),
            (400, "audio_refused", False),
            (401, "unauthorized", False),
            (402, "quota", False),
            (403, "unauthorized", False),
            (404, "http_404", False),
            (408, "http_408", True),
            (413, "too_large", False),
            (500, "http_500", True),
            (503, "http_503", True),
            (504, "http_504", True),
        ],
    )
    async def test_by_status_is_sorted_after_one_request(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing, status: int, code: str, retryable: bool
    ) -> None:
        vendor.mode, till = refuses(status, words=f"no {KEY} {SAID}"), Drawer()
        error = await failing(make(till), hearing)
        assert not isinstance(error, RateLimited)
        assert (error.code, error.again) == (code, retryable)
        assert (len(vendor.listened), till.spent) == (1, [])

    async def test_by_status_may_come_as_anything(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        vendor.mode = sends(b"<html>bad gateway</html>", 502, {"content-type": "text/html"})
        assert (await failing(make(Drawer()), hearing)).code == "http_502"

    async def test_by_load_says_how_long_to_wait(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        vendor.mode = refuses(429, "TOO_MANY_REQUESTS", retry_after="7")
        error = await failing(make(Drawer()), hearing)
        assert isinstance(error, RateLimited)
        assert (error.retry_after, len(vendor.listened)) == (7, 1)

    async def test_to_fetch_a_link_may_pass(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        vendor.mode = refuses(400, "REMOTE_CONTENT_ERROR")
        error = await failing(make(Drawer()), hearing.model_copy(update={"link": "https://store.example/gone"}))
        assert (error.code, error.again) == ("link_unreachable", True)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>a login page</html>",
            b"[]",
            b"null",
            b'"words"',
            b"{}",
            b"\xff\xfe",
            b'{"request_id": "1"}',
            b"[" * 100_000,
            json.dumps({"metadata": {"duration": "long"}, "results": {"channels": []}}).encode(),
            json.dumps(transcript([(0, SAID)])).replace('"start": 0.0', '"start": "then"').encode(),
            json.dumps(transcript([(0, SAID)])).replace('"start": 0.0', '"start": -1').encode(),
            json.dumps(transcript([(0, SAID)])).replace('"word": "quixotic"', '"word": 7').encode(),
        ],
        ids=[
            "empty",
            "html",
            "list",
            "null",
            "string",
            "empty-object",
            "not-utf-8",
            "accepted",
            "too-deep",
            "no-channel",
            "start-in-words",
            "start-below-0",
            "word-is-a-number",
        ],
    )
    async def test_by_a_body_that_is_no_answer_is_retryable(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing, body: bytes
    ) -> None:
        vendor.mode = sends(body)
        error = await failing(make(Drawer()), hearing)
        assert (error.code, error.again) == ("bad_answer", True)
        assert len(vendor.listened) == 1

    async def test_by_a_connection_cut_in_the_middle_is_retryable(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        vendor.mode = cut(TURNS)
        error = await failing(make(Drawer()), hearing)
        assert (error.code, error.again) == ("connection", True)

    async def test_to_reach_anybody_is_retryable(self, make: Make, hearing: Hearing) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            error = await failing(make(Drawer(), base_url=url), hearing)
        assert (error.code, error.again) == ("connection", True)

    async def test_to_answer_ends_with_the_time_out(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        vendor.mode, till = hangs, Drawer()
        error = await failing(make(till, timeout=1.0), hearing)
        assert (error.code, error.again, till.spent) == ("timeout", True, [])

    async def test_to_come_to_an_end_ends_with_the_time_out(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        async def drips(_listened: Listened) -> Answer:
            return Answer(200, {"content-type": "application/json"}, b" " * 100_000, pause=0.05, chunk=1)

        vendor.mode, till = drips, Drawer()
        async with asyncio.timeout(60):
            error = await failing(make(till, timeout=4.0), hearing)
        assert (error.code, error.again) == ("timeout", True)
        assert [spent.audio_seconds for spent in till.spent] == [90.0]

    async def test_for_want_of_a_key_asks_nobody(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        deepgram = make(Drawer(), key=None)
        assert deepgram.missing == "no Deepgram key is set"
        assert (await failing(deepgram, hearing)).code == "not_configured"
        assert not vendor.listened

    async def test_leaves_neither_key_nor_words_in_logs(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        for mode in (hears(TURNS), refuses(400, words=SAID), sends(SAID), cut(TURNS)):
            vendor.mode = mode
            try:
                await ask(make(Drawer()), hearing)
            except VendorError:
                continue
        assert not any(word in caplog.text for word in (KEY, *SAID.split()))


class TestACancel:
    async def test_ends_the_request_at_once(self, make: Make, vendor: DeepgramServer, hearing: Hearing) -> None:
        vendor.mode, till = hangs, Drawer()
        asking = asyncio.ensure_future(ask(make(till), hearing))
        async with asyncio.timeout(30):
            while not vendor.listened:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            while not vendor.dropped:
                await asyncio.sleep(0.01)
        assert not till.spent


class TestCallingBack:
    async def test_tells_where_and_is_paid_when_it_has_come(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing
    ) -> None:
        till = Drawer()
        deepgram = make(till)
        await deepgram.begin(hearing, "https://us.example/api/deepgram/1?token=t")
        assert vendor.callback == "https://us.example/api/deepgram/1?token=t"
        assert not till.spent
        body = json.dumps(transcript(TURNS, 90.0)).encode()
        found = await deepgram.take(hearing, body)
        assert found == await ask(deepgram, hearing)
        assert (len(vendor.listened), [spent.audio_seconds for spent in till.spent]) == (1, [90.0])

    @pytest.mark.parametrize("mode", [refuses(401), refuses(503), sends(b"{")], ids=["401", "503", "broken"])
    async def test_is_refused_as_asking_is(
        self, make: Make, vendor: DeepgramServer, hearing: Hearing, mode: Mode
    ) -> None:
        vendor.mode = mode
        with pytest.raises(VendorError):
            await make(Drawer()).begin(hearing, "https://us.example/")

    async def test_with_a_refusal_is_not_paid_and_with_nonsense_is(self, make: Make, hearing: Hearing) -> None:
        till = Drawer()
        with pytest.raises(VendorError) as caught:
            await make(till).take(hearing, b'{"err_code": "ASR_FAILED", "err_msg": "no"}')
        assert (caught.value.code, caught.value.again, till.spent) == ("refused_later", True, [])
        with pytest.raises(VendorError) as caught:
            await make(till).take(hearing, SAID.encode())
        assert (caught.value.code, caught.value.again, len(till.spent)) == ("bad_answer", True, 1)
