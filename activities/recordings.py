"""Recordings whose rows are gone: their files follow, at once if the store answers, else later."""

from typing import TYPE_CHECKING

import structlog

from domain.errors import VendorError

if TYPE_CHECKING:
    from domain.interviews.audio import AudioStore
    from ledger.interviews import Interviews

log = structlog.get_logger()


class GoneRecordings:
    """What is to be deleted stands in the ledger until it is done, whatever dies meanwhile."""

    def __init__(self, interviews: "Interviews", store: "AudioStore") -> None:
        self._interviews, self._store = interviews, store

    async def delete_all(self) -> int:
        """Delete the files of all that are gone; how many were. Raises VendorError, LedgerUnavailable."""
        deleted = 0
        while keys := await self._interviews.gone():
            for key in keys:
                await self.delete(key)
            deleted += len(keys)
        return deleted

    async def delete(self, key: str) -> None:
        """Delete one file. Raises VendorError, LedgerUnavailable."""
        await self._store.delete(key)
        await self._interviews.forget(key)

    async def tidy(self) -> int:
        """As many as the store lets go of now."""
        try:
            return await self.delete_all()
        except VendorError as error:
            log.warning("recordings whose rows are gone could not be deleted: left for later", code=error.code)
            return 0
