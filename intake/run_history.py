"""Before a history is ingested: what the user's tier allows, and what it will take."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from domain.running.ingest import KIND, Estimate, IngestRequest, estimated, most_runs
from providers.prices import price

if TYPE_CHECKING:
    from engine.submit import Check
    from ledger.run_history import RunHistory


class HistoryIntake:
    """`model`: who would answer, None for the twin; `pause` in seconds; the vendor's limit in calls a minute."""

    def __init__(
        self, history: "RunHistory", *, model: str | None, pause: float, calls_per_minute: float | None = None
    ) -> None:
        self.history, self._model = history, model
        self._pause, self._calls_per_minute = pause, calls_per_minute

    def checks(self) -> "Mapping[str, Check]":
        """For the submitter: a tier's limit is kept before a job exists."""

        async def allowed(asked: IngestRequest, _owner: str) -> None:
            most_runs(await self.history.tier(asked), asked)

        return {KIND: allowed}

    async def estimate(self, asked: IngestRequest) -> Estimate:
        """What an ingest would take. Raises TierLimit, LedgerUnavailable."""
        todo = await self.history.todo(asked)
        model = self._model
        return await asyncio.to_thread(
            estimated,
            todo,
            asked.user_id,
            pause=self._pause,
            model=model,
            price=lambda usage: price(model, usage) if model else None,
            calls_per_minute=self._calls_per_minute,
        )
