"""Care for the ledger as an activity: figures are added up, what is past its days is blanked."""

from typing import TYPE_CHECKING

from temporalio import activity

from domain.model import Model

if TYPE_CHECKING:
    from ledger.retention import Retention
    from ledger.stats import Stats

SECONDS = 120.0


class Tidied(Model):
    """How many ends were added to the figures, jobs blanked, histories folded, idempotency keys forgotten,
    exports deleted that nobody imported."""

    rolled: int = 0
    blanked: int = 0
    folded: int = 0
    keys: int = 0
    exports: int = 0


class Care:
    def __init__(self, stats: "Stats", retention: "Retention") -> None:
        self._stats, self._retention = stats, retention

    @activity.defn(name="tidy")
    async def tidy(self) -> Tidied:
        """As much as fits into two minutes; what is left is done the next time."""
        rolled = await self._stats.catch_up()
        return Tidied(rolled=rolled, **await self._retention.run(SECONDS))
