"""Calls that are made at once never pass their job's budget together, and take their turn at the vendor's."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import BudgetExceeded
from domain.usage import Call, Spent, Totals, Usage
from providers.allowance import KNOWN, Allowance

JOB = uuid4()


class Purse:
    """A till in memory; reading it takes a moment, as the ledger's does."""

    def __init__(self, **budget: Any) -> None:
        self.totals_now = Totals(**budget)
        self.looks = 0

    async def answered(self, call: Call, prompt_hash: str) -> None:
        return None

    async def totals(self, job_id: UUID) -> Totals:
        seen = self.totals_now
        self.looks += 1
        await asyncio.sleep(0)
        return seen

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
        raise NotImplementedError

    def pay(self, tokens: int, usd: Decimal) -> None:
        before = self.totals_now
        self.totals_now = before.model_copy(
            update={"tokens": before.tokens + tokens, "cost_usd": before.cost_usd + usd}
        )


class Model:
    """A dollar a token."""

    name, model = "v", "m"

    def price(self, usage: Usage) -> Decimal:
        return Decimal(usage.input_tokens + usage.output_tokens)


class Turns:
    """A bucket that notes what was asked of it."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.given: list[int] = []

    async def take(self, job_id: UUID, vendor: str, model: str, tokens: int) -> None:
        self.taken.append(tokens)

    async def give_back(self, vendor: str, model: str, tokens: int) -> None:
        self.given.append(tokens)


async def calls(allowance: Allowance, purse: Purse, count: int, *, uses: int) -> int:
    """How many of so many calls at once, of 10 tokens at most each, were made; the others met the budget."""

    async def call() -> None:
        async with allowance.granted(Model(), JOB, input_tokens=4, max_tokens=6) as grant:
            await asyncio.sleep(0.001)
            purse.pay(uses, Decimal(uses))
            grant.used = uses

    done = await asyncio.gather(*[call() for _ in range(count)], return_exceptions=True)
    assert all(one is None or isinstance(one, BudgetExceeded) for one in done), done
    return done.count(None)


@pytest.mark.parametrize("budget", [{"max_tokens": 100}, {"max_cost_usd": Decimal(100)}])
async def test_calls_at_once_use_a_budget_up_and_never_pass_it(budget: dict[str, Any]) -> None:
    purse = Purse(**budget)
    made = await calls(Allowance(purse), purse, 50, uses=10)
    assert (made, purse.totals_now.tokens) == (10, 100)


async def test_a_call_that_might_not_fit_waits_for_what_the_others_leave() -> None:
    """Each takes three of the ten tokens that it may: thirty-one of them fit, one after the other at the end."""
    purse = Purse(max_tokens=100)
    made = await calls(Allowance(purse), purse, 50, uses=3)
    assert made == 31
    assert purse.totals_now.tokens <= 100


async def test_a_failed_call_leaves_its_share_to_others() -> None:
    purse = Purse(max_tokens=10)
    allowance = Allowance(purse)
    with pytest.raises(ZeroDivisionError):
        async with allowance.granted(Model(), JOB, input_tokens=4, max_tokens=6):
            raise ZeroDivisionError
    assert await calls(allowance, purse, 1, uses=10) == 1


async def test_without_a_budget_all_go_at_once_and_give_back_what_they_left() -> None:
    purse, turns = Purse(), Turns()
    assert await calls(Allowance(purse, turns), purse, 20, uses=3) == 20
    assert (turns.taken, turns.given) == ([10] * 20, [7] * 20)


async def test_a_budget_is_asked_before_a_turn_is_taken() -> None:
    purse, turns = Purse(max_tokens=5), Turns()
    assert await calls(Allowance(purse, turns), purse, 1, uses=3) == 0
    assert turns.taken == []


async def test_of_a_job_without_a_budget_it_is_remembered_that_it_has_none() -> None:
    purse = Purse()
    allowance = Allowance(purse)
    assert await calls(allowance, purse, 1, uses=10) == await calls(allowance, purse, 1, uses=10) == 1
    assert purse.looks == 1
    for _ in range(KNOWN):
        async with allowance.granted(Model(), uuid4(), input_tokens=4, max_tokens=6):
            pass
    assert await calls(allowance, purse, 1, uses=10) == 1
    assert purse.looks == 2 + KNOWN, "of so many jobs, and no more"
