"""Documents that are indexed from a script: only the order of work is recorded."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import activity

from domain.errors import BudgetExceeded
from domain.job import Items
from domain.library import IndexPortion, ReindexPortion
from domain.portions import Portion


class Documents:
    """Two portions. `refused`: the job's budget does not do; `hangs`: a portion never ends."""

    def __init__(self, *, refused: bool = False, hangs: bool = False) -> None:
        self._refused, self._hangs, self._done = refused, hangs, 0
        self.reached = asyncio.Event()

    @property
    def activities(self) -> Sequence[Callable[..., Any]]:
        return [self.index, self.reindex]

    @activity.defn(name="index_documents")
    async def index(self, _: IndexPortion) -> Portion:
        return await self._portion()

    @activity.defn(name="reindex_documents")
    async def reindex(self, _: ReindexPortion) -> Portion:
        return await self._portion()

    async def _portion(self) -> Portion:
        if self._refused:
            raise BudgetExceeded("the next model call could pass the job's cost budget")
        if self._hangs:
            self.reached.set()
            await asyncio.Event().wait()
        self._done += 1
        return Portion(items=Items(done=self._done, total=2), left=self._done < 2)
