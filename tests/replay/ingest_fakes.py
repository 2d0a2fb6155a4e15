"""An ingest whose portions only count; `hangs`: one of them never ends, `broke`: the budget is spent."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity

from domain.errors import BudgetExceeded
from domain.job import Items
from domain.portions import Portion
from domain.running.ingest import IngestPortion, IngestRequest, IngestResult


class Ingest:
    """So many portions of ten runs, with a second's pause after the first."""

    def __init__(self, portions: int = 2, *, hangs: bool = False, broke: bool = False) -> None:
        self._total, self._hangs, self._broke = 10 * portions, hangs, broke
        self._done = 0

    @property
    def activities(self) -> tuple[Callable[..., Any], ...]:
        return self.select, self.generate, self.summarize

    @activity.defn(name="select_runs")
    async def select(self, _asked: IngestRequest) -> Items:
        return Items(total=self._total)

    @activity.defn(name="generate_contents")
    async def generate(self, _portion: IngestPortion) -> Portion:
        if self._hangs:
            await asyncio.Event().wait()
        if self._broke:
            raise BudgetExceeded("the next model call could pass the job's token budget")
        self._done += 10
        pause = 1.0 if self._done == 10 else 0.0
        items = Items(done=self._done, total=self._total)
        return Portion(items=items, left=self._done < self._total, wait_seconds=pause)

    @activity.defn(name="summarize_ingest")
    async def summarize(self) -> IngestResult:
        return IngestResult(
            total=self._total, done=self._total, failed=0, skipped=0, letters=self._total, insights=self._total
        )
