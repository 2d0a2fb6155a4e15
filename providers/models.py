"""Structured answers of a language model, paid for once: budget before the call, usage after it, whatever it answered.

Anthropic or OpenAI, as settings and keys say. One `ask` is one HTTP request: retries belong to Temporal.
"""

import asyncio
import hashlib
from collections.abc import Awaitable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from domain.errors import BudgetExceeded, VendorError
from domain.protocols import Answer, Till
from domain.usage import Call, Spent, Usage

if TYPE_CHECKING:
    from providers.model_turn import Turn, Vendor

T = TypeVar("T")
DEFAULTS: dict[Literal["anthropic", "openai"], str] = {"anthropic": "claude-haiku-5-5", "openai": "gpt-6-luna"}
# English text runs near four bytes a token and code near three: two are never undercut by a real prompt.
BYTES_PER_TOKEN = 2


class Models:
    """Fits `domain.protocols.LanguageModel`.

    `model` names the model (Anthropic's if it begins with `claude`, else OpenAI's); None takes the default of the
    first key that is set. `timeout` is the whole call's, in seconds. Base URLs: None is the vendor's own.
    """

    def __init__(
        self,
        till: Till,
        *,
        model: str | None = None,
        anthropic_key: str | None = None,
        anthropic_base_url: str | None = None,
        openai_key: str | None = None,
        openai_base_url: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self._till = till
        self._vendor: Vendor | None = None
        self._missing: str | None = None
        keys = {"anthropic": anthropic_key, "openai": openai_key}
        name = _vendor_of(model, anthropic_key)
        key, url = keys[name], {"anthropic": anthropic_base_url, "openai": openai_base_url}[name]
        if key:
            # The SDKs take seconds to import: a worker without a key never pays for them.
            from providers import model_turn

            self._vendor = model_turn.Vendor(name, model or DEFAULTS[name], key=key, base_url=url, timeout=timeout)
        elif any(keys.values()):
            self._missing = f"no key is set for the model {model}"
        else:
            self._missing = "no model key is set"

    @property
    def missing(self) -> str | None:
        """Why no model can be asked, in words, or None."""
        return self._missing

    async def ask(self, call: Call, *, instructions: str, prompt: str, output: type[T], max_tokens: int) -> Answer:
        """One answer of type `output`, from the ledger if this turn's answer to this very prompt was paid already.

        `max_tokens` bounds what the model may write, thinking included. Raises BudgetExceeded before a call that
        could overspend, RateLimited and VendorError (`timeout`, `connection`, `unauthorized`, `quota`, `refused`,
        `truncated`, `bad_answer`, …) for what the vendor did.
        """
        vendor = self._vendor
        if vendor is None:
            raise VendorError(self._missing or "no model key is set", code="not_configured", retryable=False)
        shape: TypeAdapter[T] = TypeAdapter(output)
        schema: dict[str, Any] = shape.json_schema()
        prompt_hash = _hash(instructions, prompt, schema)
        if paid := await self._till.answered(call, prompt_hash):
            name, model, stored = paid
            return Answer(output=shape.validate_python(stored), vendor=name, model=model, recalled=True)
        await self._afford(vendor, call, _tokens(instructions, prompt, schema), max_tokens)
        turn = await vendor.turn(instructions, prompt, schema, max_tokens)
        answer = _read(shape, turn)
        spent = Spent(call=call, vendor=vendor.name, model=vendor.model, usage=turn.usage, cost_usd=turn.cost_usd)
        usable = None if isinstance(answer, VendorError) else shape.dump_python(answer, mode="json", by_alias=True)
        # A cancel that arrives now must not leave money unrecorded.
        await _finish(self._till.record(spent, prompt_hash=prompt_hash, answer=usable))
        if isinstance(answer, VendorError):
            raise answer
        return Answer(output=answer, vendor=vendor.name, model=vendor.model)

    async def close(self) -> None:
        if self._vendor:
            await self._vendor.close()

    async def _afford(self, vendor: "Vendor", call: Call, input_tokens: int, max_tokens: int) -> None:
        """Raise BudgetExceeded when this call's maximum does not fit into what is left."""
        totals = await self._till.totals(call.job_id)
        if totals.max_tokens is not None and totals.tokens + input_tokens + max_tokens > totals.max_tokens:
            raise BudgetExceeded("the next model call could pass the job's token budget")
        if totals.max_cost_usd is not None:
            most = vendor.price(Usage(input_tokens=input_tokens, output_tokens=max_tokens))
            if most is None:
                raise BudgetExceeded("the model has no known price, so the job's cost budget cannot be kept")
            if Decimal(totals.cost_usd) + most > totals.max_cost_usd:
                raise BudgetExceeded("the next model call could pass the job's cost budget")


def _vendor_of(model: str | None, anthropic_key: str | None) -> Literal["anthropic", "openai"]:
    if model:
        return "anthropic" if model.startswith("claude") else "openai"
    return "anthropic" if anthropic_key else "openai"


def _hash(instructions: str, prompt: str, schema: dict[str, Any]) -> str:
    return hashlib.sha256(to_json([instructions, prompt, schema])).hexdigest()


def _tokens(instructions: str, prompt: str, schema: dict[str, Any]) -> int:
    """An upper estimate of a call's input tokens."""
    return len(to_json([instructions, prompt, schema])) // BYTES_PER_TOKEN


def _read(shape: TypeAdapter[T], turn: "Turn") -> T | VendorError:
    """The parsed answer, or what is wrong with it: returned, since the usage must be recorded before it is raised."""
    if turn.problem:
        return turn.problem
    try:
        return shape.validate_json(turn.text)
    except ValidationError:
        # Not chained: pydantic's message quotes the answer.
        return VendorError("the model's answer does not have the shape that was asked for", code="bad_answer")


async def _finish(write: Awaitable[Any]) -> None:
    """Await `write` to its end even when this task is cancelled meanwhile; the cancel is then raised."""
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
