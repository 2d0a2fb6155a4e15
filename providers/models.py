"""Structured answers of a language model, paid for once: budget before the call, usage after it, whatever it answered.

Anthropic or OpenAI, as settings and keys say. One `ask` is one HTTP request: retries belong to Temporal.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from domain.errors import VendorError
from domain.protocols import Answer, Bucket, Till
from domain.tool_use import Choice, Exchange, ToolOffer, ToolUse
from domain.usage import Call, Spent
from providers.allowance import Allowance, Grant
from providers.finishing import finish
from providers.model_names import DEFAULTS, vendor_of

if TYPE_CHECKING:
    from providers.model_turn import Turn, Vendor

T = TypeVar("T")
# English text runs near four bytes a token and code near three: two are never undercut by a real prompt.
BYTES_PER_TOKEN = 2


class Models:
    """Fits `domain.protocols.LanguageModel` and `ToolModel`.

    `model` names the model (Anthropic's if it begins with `claude`, else OpenAI's); None takes the default of the
    first key that is set. `bucket` keeps the vendors' limits a minute; None: there are none.
    `timeout` is the whole call's, in seconds. Base URLs: None is the vendor's own.
    """

    def __init__(
        self,
        till: Till,
        *,
        bucket: Bucket | None = None,
        model: str | None = None,
        anthropic_key: str | None = None,
        anthropic_base_url: str | None = None,
        openai_key: str | None = None,
        openai_base_url: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self._till, self._timeout = till, timeout
        self._allowance = Allowance(till, bucket)
        self._keys = {"anthropic": anthropic_key, "openai": openai_key}
        self._urls = {"anthropic": anthropic_base_url, "openai": openai_base_url}
        self._vendors: dict[str, Vendor] = {}
        self._model = model or DEFAULTS["anthropic" if anthropic_key or not openai_key else "openai"]
        self._named = model
        if not self.missing_for(self._model):
            # Now, since it takes seconds in which a loop that runs would answer nobody.
            self._vendor(self._model)

    @property
    def missing(self) -> str | None:
        """Why no model can be asked, in words, or None."""
        return self.missing_for(self._named)

    def missing_for(self, model: str | None) -> str | None:
        """Why that model cannot be asked (None: the one of the settings), in words, or None."""
        if self._keys[vendor_of(model or self._model)]:
            return None
        return f"no key is set for the model {model}" if model and any(self._keys.values()) else "no model key is set"

    async def ask(self, call: Call, *, instructions: str, prompt: str, output: type[T], max_tokens: int) -> Answer:
        """One answer of type `output`, from the ledger if this turn's answer to this very prompt was paid already.

        `max_tokens` bounds what the model may write, thinking included. Raises BudgetExceeded before a call that
        could overspend, RateLimited and VendorError (`timeout`, `connection`, `unauthorized`, `quota`, `refused`,
        `truncated`, `bad_answer`, …) for what the vendor did.
        """
        vendor = self._vendor(self._named)
        shape, schema = _shape(output)
        prompt_hash, tokens = _measured([instructions, prompt, schema])
        if not call.unpaid and (paid := await self._till.answered(call, prompt_hash)):
            name, model, stored = paid
            return Answer(output=shape.validate_python(stored), vendor=name, model=model, recalled=True)
        async with self._allowance.granted(vendor, call.job_id, input_tokens=tokens, max_tokens=max_tokens) as grant:
            turn = await vendor.turn(instructions, prompt, schema, max_tokens)
            answer = _read(shape, turn)
            usable = None if isinstance(answer, VendorError) else shape.dump_python(answer, mode="json", by_alias=True)
            await self._paid(vendor, call, turn, prompt_hash, usable, grant)
        if isinstance(answer, VendorError):
            raise answer
        return Answer(output=answer, vendor=vendor.name, model=vendor.model)

    async def choose(
        self,
        call: Call,
        *,
        model: str | None,
        instructions: str,
        prompt: str,
        exchanges: Sequence[Exchange],
        offers: Sequence[ToolOffer],
        output: type[Any],
        max_tokens: int,
    ) -> Choice:
        """One turn of a model that may ask for tools before it answers; like `ask` in all else."""
        vendor = self._vendor(model or self._named)
        shape, schema = _shape(output)
        said = [instructions, prompt, schema, exchanges, offers]
        prompt_hash, tokens = _measured([vendor.model, *said])
        if paid := await self._till.answered(call, prompt_hash):
            name, model_name, stored = paid
            answer = None if stored["uses"] else shape.validate_python(stored["output"])
            uses = tuple(ToolUse.model_validate(use) for use in stored["uses"])
            return Choice(output=answer, uses=uses, vendor=name, model=model_name, recalled=True)
        async with self._allowance.granted(vendor, call.job_id, input_tokens=tokens, max_tokens=max_tokens) as grant:
            turn = await vendor.turn(instructions, prompt, schema, max_tokens, offers, exchanges)
            answer = None if turn.uses else _read(shape, turn)
            usable = None
            if not isinstance(answer, VendorError):
                kept = None if answer is None else shape.dump_python(answer, mode="json", by_alias=True)
                usable = {"output": kept, "uses": [use.model_dump(by_alias=True) for use in turn.uses]}
            await self._paid(vendor, call, turn, prompt_hash, usable, grant)
        if isinstance(answer, VendorError):
            raise answer
        return Choice(output=answer, uses=turn.uses, vendor=vendor.name, model=vendor.model)

    def _vendor(self, model: str | None) -> "Vendor":
        """Who answers for that model (None: the one of the settings); raises VendorError `not_configured`."""
        name = model or self._model
        if missing := self.missing_for(model):
            raise VendorError(missing, code="not_configured", retryable=False)
        if name not in self._vendors:
            # The SDKs take seconds to import: a worker without a key never pays for them.
            from providers import model_turn

            who = vendor_of(name)
            key, url = self._keys[who], self._urls[who]
            self._vendors[name] = model_turn.Vendor(who, name, key=key or "", base_url=url, timeout=self._timeout)
        return self._vendors[name]

    async def _paid(
        self, vendor: "Vendor", call: Call, turn: "Turn", prompt_hash: str, usable: Any, grant: Grant
    ) -> None:
        """Record what a turn cost. A cancel that arrives now must not leave money unrecorded."""
        grant.used = turn.usage.input_tokens + turn.usage.output_tokens
        spent = Spent(call=call, vendor=vendor.name, model=vendor.model, usage=turn.usage, cost_usd=turn.cost_usd)
        await finish(self._till.record(spent, prompt_hash=prompt_hash, answer=usable))

    async def close(self) -> None:
        for vendor in self._vendors.values():
            await vendor.close()


@lru_cache(100)
def _shape(output: type[T]) -> tuple[TypeAdapter[T], dict[str, Any]]:
    """How answers of that type are read, and its JSON schema: both take longer to make than a call to prepare."""
    shape: TypeAdapter[T] = TypeAdapter(output)
    return shape, shape.json_schema()


def _measured(said: Any) -> tuple[str, int]:
    """The hash of what is said, and an upper estimate of its tokens."""
    told = to_json(said)
    return hashlib.sha256(told).hexdigest(), len(told) // BYTES_PER_TOKEN


def _read(shape: TypeAdapter[T], turn: "Turn") -> T | VendorError:
    """The parsed answer, or what is wrong with it: returned, since the usage must be recorded before it is raised."""
    if turn.problem:
        return turn.problem
    try:
        return shape.validate_json(turn.text)
    except ValidationError:
        # Not chained: pydantic's message quotes the answer.
        return VendorError("the model's answer does not have the shape that was asked for", code="bad_answer")
