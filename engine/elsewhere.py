"""The product's tables are told how jobs about their rows ended: also those that ended where no workflow sees it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import structlog

from domain.errors import LedgerUnavailable
from domain.interviews.item import KIND as ANALYSE_INTERVIEW
from domain.postings.enriching import KIND as ENRICH_POSITION
from engine.beside import beside

if TYPE_CHECKING:
    from activities.elsewhere import RowsElsewhere
    from domain.rows import RowKind
    from ledger.elsewhere import Elsewhere

log = structlog.get_logger()
TICK, AWAY = 1.0, 15.0
# Jobs that ended before they began are looked for so often.
ADOPT_SECONDS = 60.0
ROWS: "dict[str, tuple[RowKind, str]]" = {
    ENRICH_POSITION: ("posting", "jobPositionId"),
    ANALYSE_INTERVIEW: ("interview", "timelineItemId"),
}


class TellingElsewhere:
    """Runs in workers where the product has tables of its own, in as many as there are: every act may be repeated."""

    def __init__(self, rows: "RowsElsewhere", copies: "Elsewhere") -> None:
        self._rows, self._copies = rows, copies
        self._adopted = 0.0

    def running(self) -> AbstractAsyncContextManager[None]:
        return beside(self._run())

    async def _run(self) -> None:
        while True:
            pause = TICK
            try:
                await self.turn()
            except LedgerUnavailable:
                pause = AWAY
            except Exception:
                log.exception("the product's rows could not be told")
                pause = AWAY
            await asyncio.sleep(pause)

    async def turn(self) -> None:
        """Tell what is due once. Raises LedgerUnavailable."""
        now = asyncio.get_running_loop().time()
        if now >= self._adopted:
            self._adopted = now + ADOPT_SECONDS
            await self._copies.adopt(ROWS)
        await self._rows.tell_left()
