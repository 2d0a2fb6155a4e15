"""One turn of a model over pydantic-ai, and what its failures mean. The only file that imports model SDKs.

| seen                                                        | raised                                  | retryable |
|-------------------------------------------------------------|-----------------------------------------|-----------|
| 429, 529                                                    | RateLimited, `retry_after` in seconds   | yes       |
| a spent quota or balance (402, OpenAI `insufficient_quota`) | VendorError `quota`                     | no        |
| 401, 403                                                    | VendorError `unauthorized`              | no        |
| 404; an input past the context window                       | VendorError `unknown_model`, `too_long` | no        |
| 408, 409, 425, every 5xx                                    | VendorError `http_<status>`             | yes       |
| every other 4xx                                             | VendorError `http_<status>`             | no        |
| the call passes its time-out                                | VendorError `timeout`                   | yes       |
| a refused, reset or broken connection                       | VendorError `connection`                | yes       |
| a body that is no answer: HTML, nothing, other JSON         | VendorError `bad_answer`                | yes       |
| an answer refused or cut by the vendor (has usage)          | `Turn.problem`: `refused`, `truncated`  | no        |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import genai_prices
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import exceptions as ai
from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from domain.errors import RateLimited, VendorError
from domain.tool_use import Exchange, ToolOffer, ToolUse
from domain.usage import Usage

# Spelled out, so that the environment is never asked.
ANTHROPIC = "https://api.anthropic.com"
OPENAI = "https://api.openai.com/v1"
PASSING = frozenset({408, 409, 425})
# Models newer than pydantic-ai's tables are taken at their vendor's word, who answers 400 if they cannot.
NATIVE = ModelProfile(supports_json_schema_output=True)


@dataclass(frozen=True)
class Turn:
    """What came back and what it cost; `problem` when the text is no answer although it was paid.

    `uses`: tools that the model asks for; there is then no answer yet.
    """

    text: str
    usage: Usage
    cost_usd: Decimal | None
    problem: VendorError | None = None
    uses: tuple[ToolUse, ...] = ()


class Vendor:
    """One vendor's model: its SDK client with its own retries off, under one deadline of `timeout` seconds a call."""

    def __init__(
        self, name: Literal["anthropic", "openai"], model: str, *, key: str, base_url: str | None, timeout: float
    ) -> None:
        self.name = name
        self.model = model
        self._model: Model
        # The deadline covers the whole call; the SDK's own time-out only each read, which a dripping server resets.
        self._settings = ModelSettings(request_timeout=timeout, timeout=timeout)
        if name == "anthropic":
            self._client = AsyncAnthropic(api_key=key, base_url=base_url or ANTHROPIC, max_retries=0, timeout=timeout)
            self._model = AnthropicModel(
                model, provider=AnthropicProvider(anthropic_client=self._client), profile=NATIVE
            )
        else:
            self._client = AsyncOpenAI(api_key=key, base_url=base_url or OPENAI, max_retries=0, timeout=timeout)
            self._model = OpenAIResponsesModel(
                model, provider=OpenAIProvider(openai_client=self._client), profile=NATIVE
            )
            self._settings |= OpenAIResponsesModelSettings(openai_store=False)

    async def turn(
        self,
        instructions: str,
        prompt: str,
        schema: dict[str, Any],
        max_tokens: int,
        offers: Sequence[ToolOffer] = (),
        exchanges: Sequence[Exchange] = (),
    ) -> Turn:
        """Ask once for JSON after `schema`, natively (forced tool use is refused by some models).

        With `offers` the model may ask for tools first; `exchanges` are the turns before this one.
        """
        settings = self._settings | ModelSettings(max_tokens=max_tokens)
        tools = [
            ToolDefinition(name=one.name, description=one.description, parameters_json_schema=one.parameters)
            for one in offers
        ]
        if not tools:
            # Anthropic takes no history of tools that the request does not name
            tools = [ToolDefinition(name=name) for name in _used(exchanges)]
            settings |= ModelSettings(tool_choice="none") if tools else ModelSettings()
        parameters = ModelRequestParameters(
            output_mode="native",
            output_object=OutputObjectDefinition(json_schema=schema, name="answer", strict=True),
            function_tools=tools,
        )
        try:
            response = await model_request(
                self._model,
                _messages(instructions, prompt, exchanges),
                model_settings=settings,
                model_request_parameters=parameters,
            )
        except ai.ModelAPIError as error:
            # Not chained: the SDKs' messages carry bodies and addresses.
            raise _failure(error) from None
        except (ai.UnexpectedModelBehavior, AttributeError, TypeError, AssertionError, ValueError, LookupError):
            # The SDKs build answers without validating them, so other JSON breaks wherever it is first read.
            raise VendorError("the model's answer cannot be read", code="bad_answer") from None
        usage = Usage(
            input_tokens=response.usage.input_tokens,
            output_tokens=response.usage.output_tokens,
            cached_tokens=response.usage.cache_read_tokens,
        )
        uses, problem = _uses(response, {offer.name for offer in offers}), _problem(response)
        return Turn(response.text or "", usage, self._cost(response.usage), None if uses else problem, uses)

    def price(self, usage: Usage) -> Decimal | None:
        """USD for `usage`, or None where the price is unknown."""
        return self._cost(RequestUsage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens))

    async def close(self) -> None:
        await self._client.close()

    def _cost(self, usage: RequestUsage) -> Decimal | None:
        try:
            return genai_prices.calc_price(usage, self.model, provider_id=self.name).total_price
        except LookupError:
            return None


def _messages(instructions: str, prompt: str, exchanges: Sequence[Exchange]) -> list[ModelMessage]:
    messages: list[ModelMessage] = [ModelRequest.user_text_prompt(prompt, instructions=instructions)]
    for exchange in exchanges:
        asked = [ToolCallPart(use.tool, use.arguments, tool_call_id=_call_id(use)) for use in exchange.uses]
        messages.append(ModelResponse(parts=asked))
        told = [
            ToolReturnPart(use.tool, said, tool_call_id=_call_id(use))
            for use, said in zip(exchange.uses, exchange.said, strict=True)
        ]
        messages.append(ModelRequest(parts=told, instructions=instructions))
    return messages


def _used(exchanges: Sequence[Exchange]) -> list[str]:
    return list(dict.fromkeys(use.tool for exchange in exchanges for use in exchange.uses))


def _call_id(use: ToolUse) -> str:
    """Vendors take letters, digits, `_` and `-`."""
    return "call_" + use.id.replace(".", "_")


def _uses(response: ModelResponse, offered: set[str]) -> tuple[ToolUse, ...]:
    """The tools asked for, numbered; none where the turn was cut, for then its arguments are too."""
    if response.finish_reason in ("length", "content_filter"):
        return ()
    parts = [part for part in response.parts if isinstance(part, ToolCallPart) and part.tool_name in offered]
    try:
        return tuple(
            ToolUse(id=str(at), tool=part.tool_name, arguments=part.args_as_dict(raise_if_invalid=True))
            for at, part in enumerate(parts)
        )
    except (ValueError, AssertionError):
        return ()


def _problem(response: ModelResponse) -> VendorError | None:
    if response.finish_reason == "content_filter":
        return VendorError("the model refused to answer", code="refused", retryable=False)
    if response.finish_reason == "length":
        return VendorError("the model's answer was cut at its length limit", code="truncated", retryable=False)
    if response.finish_reason not in ("stop", None) or not response.text:
        return VendorError("the model sent no answer", code="bad_answer")
    return None


def _failure(error: ai.ModelAPIError) -> VendorError:
    wait = error.retry_after
    match error:
        case ai.ModelRateLimitError() | ai.ModelHTTPError(status_code=529):
            return RateLimited("the model's vendor asks us to slow down", retry_after=wait)
        case ai.ModelQuotaExceededError():
            return VendorError("the account at the model's vendor has no quota left", code="quota", retryable=False)
        case ai.ModelAuthenticationError():
            return VendorError("the model's vendor does not accept the key", code="unauthorized", retryable=False)
        case ai.ModelNotFoundError():
            return VendorError("the vendor does not know this model", code="unknown_model", retryable=False)
        case ai.ModelContextWindowExceededError():
            return VendorError("the sources are too long for the model", code="too_long", retryable=False)
        case ai.ModelTimeoutError() | ai.ModelRequestTimeout():
            return VendorError("the model did not answer in time", code="timeout")
        case ai.ModelConnectionError():
            return VendorError("the model's vendor could not be reached", code="connection")
        case ai.ModelHTTPError(status_code=status):
            hint = error.provider_retry_hint
            retryable = hint if hint is not None else status in PASSING or status >= 500
            message = f"the model's vendor answered with an error ({status})"
            return VendorError(message, code=f"http_{status}", retryable=retryable, retry_after=wait)
        case _:
            return VendorError("the model's answer cannot be read", code="bad_answer")
