"""What vendors let us ask in a minute: a token bucket a vendor and model, shared by all workers (domain.protocols)."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID
from weakref import WeakValueDictionary

from ledger.patience import patiently

if TYPE_CHECKING:
    from ledger.database import Database


class Buckets:
    """Owners take turns: of those who wait, the one goes next who has had least, and premium weighs four times."""

    def __init__(
        self,
        database: "Database",
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        patience: float = 60.0,
    ) -> None:
        """None: no limit. `patience`: seconds for which a ledger that is down is waited for."""
        self._database, self._patience = database, patience
        self._requests, self._tokens = requests_per_minute, tokens_per_minute
        # of a job's calls one asks at a time, those after it wait here
        self._lines: WeakValueDictionary[tuple[str, str, UUID], asyncio.Lock] = WeakValueDictionary()

    async def take(self, job_id: UUID, vendor: str, model: str, tokens: int) -> None:
        """Wait for the turn of a call that may take so many tokens."""

        async def ask() -> float:
            return await self._ask(job_id, vendor, model, tokens)

        line = self._lines.setdefault((vendor, model, job_id), asyncio.Lock())
        async with line:
            seconds = await patiently(ask, self._patience)
            while seconds > 0:
                await asyncio.sleep(seconds)
                seconds = await patiently(ask, self._patience)

    async def give_back(self, vendor: str, model: str, tokens: int) -> None:
        """Say how many of the tokens were not taken after all; less than nothing: how many more."""
        if self._tokens is not None and tokens:
            await self._database.execute(
                "UPDATE vendor_buckets SET tokens = tokens + $3 WHERE vendor = $1 AND model = $2",
                vendor,
                model,
                float(tokens),
            )

    async def _ask(self, job_id: UUID, vendor: str, model: str, tokens: int) -> float:
        row = await self._database.row(
            "SELECT take_turn($1, $2, $3, $4, $5, $6) AS seconds",
            vendor,
            model,
            job_id,
            float(tokens),
            self._requests,
            self._tokens,
        )
        return row["seconds"] if row else 0.0
