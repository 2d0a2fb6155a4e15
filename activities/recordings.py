"""Recordings whose rows are gone: their files follow, at once if the store answers, else later."""

from typing import TYPE_CHECKING

import structlog

from domain.errors import VendorError

if TYPE_CHECKING:
    from domain.interviews.audio import AudioStore
    from ledger.interviews import Interviews

log = structlog.get_logger()
# Longer than a job that is at a recording goes on writing it once it was canceled.
SETTLED_SECONDS = 60.0


class GoneRecordings:
    """What is to be deleted stands in the ledger until it is done, whatever dies meanwhile."""

    def __init__(self, interviews: "Interviews", store: "AudioStore") -> None:
        self._interviews, self._store = interviews, store

    async def delete_all(self, *, seconds: float = 0.0) -> int:
        """Delete the files of all that are gone since then; how many were. Raises VendorError, LedgerUnavailable."""
        deleted = 0
        while keys := await self._interviews.gone(seconds=seconds):
            for key in keys:
                await self.delete(key)
            deleted += len(keys)
        return deleted

    async def delete(self, key: str, *, again: bool = False) -> None:
        """Delete one file; `again`: and leave it to `tidy` too, since a job may be writing it. Raises VendorError,
        LedgerUnavailable."""
        await self._store.delete(key)
        if not again:
            await self._interviews.forget(key)

    async def tidy(self) -> int:
        """As many as the store lets go of now, of those that nobody writes any more."""
        try:
            return await self.delete_all(seconds=SETTLED_SECONDS)
        except VendorError as error:
            log.warning("recordings whose rows are gone could not be deleted: left for later", code=error.code)
            return 0
