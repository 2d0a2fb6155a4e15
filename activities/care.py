"""Care for the ledger as an activity: figures are added up, what is past its days is blanked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from temporalio import activity

from domain.model import Model

if TYPE_CHECKING:
    from ledger.retention import Retention
    from ledger.stats import Stats

SECONDS = 120.0
Count = Callable[[], Awaitable[int]]


class Tidied(Model):
    """How many ends were added to the figures, jobs blanked, histories folded, idempotency keys forgotten,
    exports deleted that nobody imported, rows whose job was started at last, recordings deleted whose row is gone."""

    rolled: int = 0
    blanked: int = 0
    folded: int = 0
    keys: int = 0
    exports: int = 0
    started: int = 0
    recordings: int = 0


class Care:
    """`left` start jobs that could not be started when they were asked for, `gone` deletes recordings whose row is
    gone; they count them."""

    def __init__(
        self,
        stats: "Stats",
        retention: "Retention",
        *,
        left: Sequence[Count] = (),
        gone: Count | None = None,
    ) -> None:
        self._stats, self._retention, self._left, self._gone = stats, retention, left, gone

    @activity.defn(name="tidy")
    async def tidy(self) -> Tidied:
        """As much as fits into two minutes; what is left is done the next time."""
        started = sum([await start() for start in self._left])
        recordings = await self._gone() if self._gone else 0
        rolled = await self._stats.catch_up()
        return Tidied(rolled=rolled, started=started, recordings=recordings, **await self._retention.run(SECONDS))
