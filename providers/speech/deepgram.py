"""Speech to text by Deepgram, paid for once: budget before the call, usage after it, whatever it answered.

Fits `domain.interviews.audio.SpeechToText`, and `domain.interviews.later.SpeechLater` for recordings so long that
Deepgram is asked to call back. One request a call: retries belong to Temporal.
"""

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import to_json

from domain.errors import VendorError
from domain.interviews.audio import Hearing
from domain.interviews.transcript import Piece, Transcript
from domain.usage import Call, Spent, Usage
from providers.allowance import Allowance
from providers.finishing import finish
from providers.speech.aside import Aside
from providers.speech.deepgram_answer import REFUSED, Heard, read_body

if TYPE_CHECKING:
    from domain.protocols import Till
    from providers.speech.deepgram_call import Told

DEEPGRAM = "https://api.deepgram.com"
STEP = "transcribe"
OPTIONS = {"diarize_model": "latest", "utterances": True, "smart_format": True, "filler_words": True}
MICRO = Decimal("0.000001")
# USD a minute of recorded speech, as published in August 2026; a contract may say otherwise.
PUBLISHED = {"nova-3": Decimal("0.0077"), "nova-3-general": Decimal("0.0077")}


@dataclass(frozen=True)
class Sound:
    """So many seconds for this model to listen to; fits providers.allowance.Priced, whatever the tokens."""

    model: str
    seconds: float
    usd_per_minute: Decimal | None
    name: Literal["deepgram"] = "deepgram"

    def price(self, usage: Usage) -> Decimal | None:
        """USD for them, or None where the price is not known."""
        if self.usd_per_minute is None:
            return None
        return (self.usd_per_minute * Decimal(str(self.seconds)) / 60).quantize(MICRO)


class Deepgram:
    """`till` counts what is paid and keeps what was said, so that no recording of a job is paid twice.

    `usd_per_minute`: what a minute costs; None takes the published price, where there is one. `timeout` in seconds.
    """

    def __init__(
        self,
        till: "Till",
        *,
        key: str | None,
        base_url: str | None = None,
        model: str = "nova-3",
        usd_per_minute: float | None = None,
        timeout: float = 1800.0,
    ) -> None:
        self._till, self._key, self._model = till, key, model
        self._price = PUBLISHED.get(model) if usd_per_minute is None else Decimal(str(usd_per_minute))
        self._options = {"model": model, **OPTIONS}
        self._url, self._timeout = base_url or DEEPGRAM, timeout
        self._allowance = Allowance(till)
        self._aside = Aside("deepgram")

    @property
    def name(self) -> Literal["deepgram"]:
        return "deepgram"

    @property
    def missing(self) -> str | None:
        """Why nothing can be transcribed, in words, or None."""
        return None if self._key else "no Deepgram key is set"

    async def transcribe(
        self,
        hearing: Hearing,
        *,
        kept: Sequence[Piece],
        keep: Callable[[Piece], Awaitable[None]],
        heard: Callable[[float], None],
    ) -> Transcript:
        """What was said, from the ledger if this job has paid for it. Deepgram hears it in one piece, and says nothing
        until it has: till then `heard` is told by which second the recording has been sent.

        Raises BudgetExceeded before a call that could overspend; RateLimited and VendorError as `deepgram_call` says.
        """
        if recalled := await self.recall(hearing):
            heard(recalled.duration_seconds)
            return recalled
        async with self._granted(hearing):
            told = await self._aside.run(self._ask(hearing, sent=heard))
            transcript = await self._paid(hearing, told.answer)
        heard(transcript.duration_seconds)
        return transcript

    async def recall(self, hearing: Hearing) -> Transcript | None:
        """The transcript that this job has paid for."""
        paid = await self._till.answered(_call(hearing), self._hash(hearing))
        return None if paid is None else Transcript.model_validate(paid[2])

    async def begin(self, hearing: Hearing, callback: str) -> None:
        """Have it transcribed, and the answer sent to the address `callback`. Raises as `transcribe` does."""
        async with self._granted(hearing):
            told = await self._aside.run(self._ask(hearing, callback))
        if not told.accepted and isinstance(told.answer, VendorError):
            raise told.answer

    async def take(self, hearing: Hearing, body: bytes) -> Transcript:
        """Read what was called back. Raises VendorError."""
        if recalled := await self.recall(hearing):
            return recalled

        async def reading() -> Heard | VendorError:
            return read_body(body)

        answer = await self._aside.run(reading())
        if isinstance(answer, VendorError) and answer.code == REFUSED:
            raise answer
        return await self._paid(hearing, answer)

    async def lost(self, hearing: Hearing) -> None:
        """Count what was accepted and never called back: it was listened to, as far as anybody knows."""
        await self._record(hearing, hearing.info.seconds, None)

    async def close(self) -> None:
        await self._aside.close()

    async def _ask(
        self, hearing: Hearing, callback: str | None = None, sent: Callable[[float], None] | None = None
    ) -> "Told":
        # Here, where the worker's loop is not held up: one without a key never pays for it.
        from providers.speech.deepgram_call import DeepgramCall

        call = DeepgramCall(self._key or "", self._url, self._options, self._timeout)
        return await call(hearing, callback, sent)

    @asynccontextmanager
    async def _granted(self, hearing: Hearing) -> AsyncGenerator[None]:
        """Hold what it may cost. Raises VendorError `not_configured`, BudgetExceeded."""
        if missing := self.missing:
            raise VendorError(missing, code="not_configured", retryable=False)
        sound = Sound(self._model, hearing.info.seconds, self._price)
        async with self._allowance.granted(sound, hearing.job_id, input_tokens=0, max_tokens=0):
            yield

    async def _paid(self, hearing: Hearing, answer: Heard | VendorError) -> Transcript:
        """Record what an answer cost, and keep what it says."""
        if isinstance(answer, VendorError):
            await self._record(hearing, hearing.info.seconds, None)
            raise answer
        transcript = answer.transcript(hearing.info, self._model)
        await self._record(hearing, answer.seconds, transcript.model_dump(mode="json", by_alias=True))
        return transcript

    async def _record(self, hearing: Hearing, seconds: float, usable: Any) -> None:
        cost = Sound(self._model, seconds, self._price).price(Usage())
        spent = Spent(call=_call(hearing), vendor=self.name, model=self._model, audio_seconds=seconds, cost_usd=cost)
        # a cancel that arrives now must not leave money unrecorded
        await finish(self._till.record(spent, prompt_hash=self._hash(hearing), answer=usable))

    def _hash(self, hearing: Hearing) -> str:
        """Of what is asked; which recording that is, its job says."""
        asked = [self._options, hearing.info.model_dump(mode="json")]
        return hashlib.sha256(to_json(asked)).hexdigest()


def _call(hearing: Hearing) -> Call:
    return Call(job_id=hearing.job_id, step=STEP, attempt=hearing.attempt)
