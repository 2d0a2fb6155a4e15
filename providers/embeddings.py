"""What texts mean, by OpenAI's embeddings over plain HTTP: budget and limits before a call, its cost after it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import genai_prices
import httpx2
from pydantic import BaseModel, ValidationError

from domain.errors import VendorError
from domain.usage import Call, Spent, Usage
from providers.allowance import Allowance
from providers.finishing import finish
from providers.vendor import answering, refused
from providers.web import authorities

if TYPE_CHECKING:
    from domain.protocols import Bucket, Till

MODEL = "text-embedding-3-small"
OPENAI = "https://api.openai.com/v1"
WHO = "the embeddings' vendor"
# of the vendor's limits (2048 texts, 300,000 tokens a request) far enough away
BATCH, BYTES_PER_TOKEN = 64, 2


class _Row(BaseModel):
    index: int
    embedding: list[float]


class _Used(BaseModel):
    prompt_tokens: int


class _Answer(BaseModel):
    data: list[_Row]
    usage: _Used


class OpenAIEmbeddings:
    """Fits domain.protocols.Embedder and providers.allowance.Priced. One request for each 64 texts; close it."""

    name = "openai"

    def __init__(
        self,
        key: str,
        till: "Till",
        *,
        bucket: "Bucket | None" = None,
        model: str = MODEL,
        base_url: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.model = model
        self._till, self._allowance = till, Allowance(till, bucket)
        self._http = httpx2.AsyncClient(
            base_url=base_url or OPENAI,
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout,
            verify=authorities(),
            trust_env=False,
        )

    async def embed(self, texts: Sequence[str], call: Call | None = None) -> list[list[float]]:
        vectors: list[list[float]] = []
        for at in range(0, len(texts), BATCH):
            batch = texts[at : at + BATCH]
            vectors += await (self._paid(batch, call) if call else self._asked(batch))
        return vectors

    def price(self, usage: Usage) -> Decimal | None:
        """USD for `usage`, or None where the price is unknown."""
        try:
            given = genai_prices.Usage(input_tokens=usage.input_tokens)
            return genai_prices.calc_price(given, self.model, provider_id=self.name).total_price
        except LookupError:
            return None

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _paid(self, texts: Sequence[str], call: Call) -> list[list[float]]:
        """For a job. What a cancel interrupts is not recorded: its vectors never came."""
        most = sum(len(text.encode()) for text in texts) // BYTES_PER_TOKEN
        async with self._allowance.granted(self, call.job_id, input_tokens=most, max_tokens=0) as grant:
            answer = await self._ask(texts)
            usage = Usage(input_tokens=answer.usage.prompt_tokens)
            grant.used = usage.input_tokens
            spent = Spent(call=call, vendor=self.name, model=self.model, usage=usage, cost_usd=self.price(usage))
            await finish(self._till.record(spent, prompt_hash="", answer=None))
        return _vectors(answer, len(texts))

    async def _asked(self, texts: Sequence[str]) -> list[list[float]]:
        return _vectors(await self._ask(texts), len(texts))

    async def _ask(self, texts: Sequence[str]) -> _Answer:
        with answering(WHO):
            response = await self._http.post("embeddings", json={"model": self.model, "input": list(texts)})
        if response.status_code >= 300:
            raise refused(response, WHO)
        try:
            return _Answer.model_validate_json(response.content)
        except ValidationError:
            raise VendorError(f"{WHO} sent what are no embeddings", code="bad_answer") from None


def _vectors(answer: _Answer, count: int) -> list[list[float]]:
    rows = sorted(answer.data, key=lambda row: row.index)
    if [row.index for row in rows] != list(range(count)):
        raise VendorError(f"{WHO} left some texts out", code="bad_answer")
    return [row.embedding for row in rows]
