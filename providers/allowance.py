"""What a paid call may take, settled before it is made: the rest of its job's budget, the vendor's limits a minute."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from domain.errors import BudgetExceeded
from domain.usage import Totals, Usage

if TYPE_CHECKING:
    from domain.protocols import Bucket, Till


# A budget stands from a job's beginning on: of so many jobs it is remembered that they have none.
KNOWN = 1_000


class Priced(Protocol):
    """A vendor's model with its price; model_turn.Vendor fits."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...

    def price(self, usage: Usage) -> Decimal | None: ...


@dataclass
class Grant:
    """What one call may take at most; `used` is set once it is known."""

    tokens: int
    cost_usd: Decimal = Decimal(0)
    used: int | None = None


@dataclass
class _Held:
    """What the calls of a job that are under way may still take."""

    calls: int = 0
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    released: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Allowance:
    """Calls of one job that are made at once never pass its budget together: one that might waits for the others."""

    def __init__(self, till: "Till", bucket: "Bucket | None" = None) -> None:
        self._till, self._bucket = till, bucket
        self._held: dict[UUID, _Held] = {}
        self._without: dict[UUID, None] = {}

    @asynccontextmanager
    async def granted(
        self, vendor: Priced, job_id: UUID, *, input_tokens: int, max_tokens: int
    ) -> AsyncGenerator[Grant]:
        """Hold what the call may take while the block runs. Raises BudgetExceeded where it does not fit."""
        grant = Grant(input_tokens + max_tokens)
        held = self._held.setdefault(job_id, _Held())
        held.calls += 1
        try:
            limited = await self._afford(
                vendor, job_id, grant, held, Usage(input_tokens=input_tokens, output_tokens=max_tokens)
            )
            try:
                if self._bucket:
                    await self._bucket.take(job_id, vendor.name, vendor.model, grant.tokens)
                yield grant
            finally:
                if limited:
                    _release(held, grant)
            if self._bucket and grant.used is not None:
                await self._bucket.give_back(vendor.name, vendor.model, grant.tokens - grant.used)
        finally:
            held.calls -= 1
            if not held.calls:
                self._held.pop(job_id, None)

    async def _afford(self, vendor: Priced, job_id: UUID, grant: Grant, held: _Held, most: Usage) -> bool:
        """Hold the grant as soon as it surely fits; False where there is no budget to fit into."""
        while job_id not in self._without:
            seen, changed = held.released, held.changed
            totals = await self._till.totals(job_id)
            if totals.max_tokens is None and totals.max_cost_usd is None:
                self._without[job_id] = None
                if len(self._without) > KNOWN:
                    del self._without[next(iter(self._without))]
                break
            if totals.max_cost_usd is not None:
                price = vendor.price(most)
                if price is None:
                    raise BudgetExceeded("the model has no known price, so the job's cost budget cannot be kept")
                grant.cost_usd = price
            if seen != held.released:
                continue  # what was released has been paid since these totals were read
            if reason := _passed(totals, grant.tokens, grant.cost_usd):
                raise BudgetExceeded(f"the next model call could pass the job's {reason} budget")
            if not _passed(totals, grant.tokens + held.tokens, grant.cost_usd + held.cost_usd):
                held.tokens += grant.tokens
                held.cost_usd += grant.cost_usd
                return True
            await changed.wait()
        return False


def _passed(totals: Totals, tokens: int, cost_usd: Decimal) -> str | None:
    """Which budget would be passed."""
    if totals.max_tokens is not None and totals.tokens + tokens > totals.max_tokens:
        return "token"
    if totals.max_cost_usd is not None and totals.cost_usd + cost_usd > totals.max_cost_usd:
        return "cost"
    return None


def _release(held: _Held, grant: Grant) -> None:
    held.tokens -= grant.tokens
    held.cost_usd -= grant.cost_usd
    held.released += 1
    held.changed.set()
    held.changed = asyncio.Event()
