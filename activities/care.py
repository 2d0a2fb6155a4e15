"""Care for the ledger as an activity: figures are added up, what is past its days is blanked."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from temporalio import activity

from domain.model import Model

if TYPE_CHECKING:
    from ledger.retention import Retention
    from ledger.stats import Stats

SECONDS = 120.0


class Tidied(Model):
    """How many ends were added to the figures, jobs blanked, histories folded, idempotency keys forgotten,
    exports deleted that nobody imported, job positions whose job was started at last."""

    rolled: int = 0
    blanked: int = 0
    folded: int = 0
    keys: int = 0
    exports: int = 0
    positions: int = 0


class Care:
    """`start_left` starts jobs that could not be started when they were asked for, and counts them."""

    def __init__(
        self, stats: "Stats", retention: "Retention", start_left: Callable[[], Awaitable[int]] | None = None
    ) -> None:
        self._stats, self._retention, self._start_left = stats, retention, start_left

    @activity.defn(name="tidy")
    async def tidy(self) -> Tidied:
        """As much as fits into two minutes; what is left is done the next time."""
        positions = await self._start_left() if self._start_left else 0
        rolled = await self._stats.catch_up()
        return Tidied(rolled=rolled, positions=positions, **await self._retention.run(SECONDS))
