"""Embeddings over real loopback HTTP, what they cost, and which of them are used."""

import json
import math
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import BudgetExceeded, RateLimited, VendorError
from domain.usage import Call, Spent, Totals
from providers import embedding, minilm
from providers.embeddings import BATCH, OpenAIEmbeddings
from tests.support.site_server import Answer, Asked, Route, SiteServer

KEY = "sk-secret-marker"


class Purse:
    """A till that only remembers what was spent."""

    def __init__(self, totals: Totals | None = None) -> None:
        self.spent: list[Spent] = []
        self._totals = totals or Totals()

    async def answered(self, call: Call, prompt_hash: str) -> tuple[str, str, Any] | None:
        return None

    async def totals(self, job_id: UUID) -> Totals:
        return self._totals

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
        self.spent.append(spent)
        return self._totals


def embedded(asked: Asked) -> Answer:
    """Of each text its length; the last one first, for the order is not promised."""
    given = json.loads(asked.body)
    data = [{"index": n, "embedding": [float(len(text)), 1.0]} for n, text in enumerate(given["input"])]
    usage = {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}
    return Answer(200, {"content-type": "application/json"}, json.dumps({"data": data[::-1], "usage": usage}))


@asynccontextmanager
async def answering(
    route: Route = embedded, *, totals: Totals | None = None, timeout: float = 30.0
) -> AsyncGenerator[tuple[OpenAIEmbeddings, SiteServer, Purse]]:
    purse = Purse(totals)
    async with SiteServer({"/v1/embeddings": route}) as server:
        embeddings = OpenAIEmbeddings(KEY, purse, base_url=f"{server.url}/v1", timeout=timeout)
        yield embeddings, server, purse
        await embeddings.aclose()


def call() -> Call:
    return Call(job_id=uuid4(), step="index", item="doc")


async def test_many_texts_are_asked_for_in_a_few_requests_and_paid_for_their_job() -> None:
    texts = ["x" * n for n in range(BATCH + 3)]
    async with answering() as (embeddings, server, purse):
        vectors = await embeddings.embed(texts, call())
        assert [vector[0] for vector in vectors] == [float(n) for n in range(BATCH + 3)]
        assert server.hits["/v1/embeddings"] == 2
        first = json.loads(server.asked[0].body)
        assert (first["model"], len(first["input"])) == ("text-embedding-3-small", BATCH)
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert [(spent.usage.input_tokens, spent.cost_usd) for spent in purse.spent] == [(1_000_000, Decimal("0.02"))] * 2


async def test_a_question_is_no_jobs_expense() -> None:
    async with answering() as (embeddings, _, purse):
        assert await embeddings.embed(["why"]) == [[3.0, 1.0]]
    assert purse.spent == []


@pytest.mark.parametrize(
    ("answer", "code", "again"),
    [
        (Answer(500), "http_500", True),
        (Answer(401), "http_401", False),
        (Answer(200, body="<html>"), "bad_answer", True),
        (Answer(200, body='{"data": [], "usage": {"prompt_tokens": 1}}'), "bad_answer", True),
        (Answer(drop=True), "connection", True),
        (Answer(200, delay=60), "timeout", True),
    ],
)
async def test_what_the_vendor_does_wrong_has_a_name(answer: Answer, code: str, again: bool) -> None:
    async with answering(answer, timeout=0.5 if answer.delay else 30) as (embeddings, _, _):
        with pytest.raises(VendorError) as raised:
            await embeddings.embed(["text"], call())
    assert (raised.value.code, raised.value.again) == (code, again)
    assert KEY not in str(raised.value)


async def test_a_limit_says_how_long_to_wait() -> None:
    async with answering(Answer(429, {"retry-after": "7"})) as (embeddings, _, _):
        with pytest.raises(RateLimited) as raised:
            await embeddings.embed(["text"], call())
    assert raised.value.retry_after == 7


async def test_a_budget_is_kept_before_the_vendor_is_asked() -> None:
    async with answering(totals=Totals(tokens=90, max_tokens=100)) as (embeddings, server, _):
        with pytest.raises(BudgetExceeded):
            await embeddings.embed(["many words " * 10], call())
        assert server.hits.total() == 0


async def test_the_model_is_chosen_by_name_or_by_key_and_not_by_what_is_installed() -> None:
    async with AsyncExitStack() as opened:

        def chosen(**given: Any) -> str | None:
            found = embedding.chosen(opened, Purse(), **given)
            return found.model if found else None

        assert chosen() is None
        assert chosen(openai_key=KEY) == "text-embedding-3-small"
        assert chosen(openai_key=KEY, model="text-embedding-3-large") == "text-embedding-3-large"
        assert chosen(openai_key=KEY, model="none") is None
        with pytest.raises(ValueError, match="no key"):
            chosen(model="text-embedding-3-large")
        if minilm.installed():
            assert chosen(openai_key=KEY, model=minilm.MODEL) == minilm.MODEL
        else:
            with pytest.raises(ValueError, match="extra"):
                chosen(model=minilm.MODEL)


@pytest.mark.skipif(not minilm.installed(), reason="not run: the extra `embeddings` is not installed")
async def test_the_local_model_means_what_it_was_published_to_mean() -> None:
    """The cosines of the model's own documentation, and of texts longer than it reads at once."""
    model = minilm.MiniLM()
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
    food, bread, baby = await model.embed(texts)

    def cosine(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert math.sqrt(cosine(food, food)) == pytest.approx(1.0, abs=1e-5)
    assert cosine(food, bread) == pytest.approx(0.7553, abs=0.002)
    assert cosine(food, baby) == pytest.approx(-0.1050, abs=0.005)
    [end] = await model.embed(["Nothing but numbers and more of them. " * 40 + texts[0] * 40])
    [none] = await model.embed(["Nothing but numbers and more of them. " * 40])
    assert cosine(end, food) > cosine(none, food) + 0.1, "the tail is read too"
