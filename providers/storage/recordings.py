"""Recordings that lie elsewhere: behind an address, or among the product's own objects in Supabase Storage."""

from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import JobError, VendorError
from domain.interviews.audio import AudioTooLarge

if TYPE_CHECKING:
    from domain.interviews.audio import AudioStore
    from providers.files import Files


class Recordings:
    """Fits domain.interviews.audio.AudioFetcher. `objects` are the product's, by `bucket/path`; None: there are none.

    They are read with the service key: whose they are is for those to check who let a path in.
    """

    def __init__(self, files: "Files", objects: "AudioStore | None" = None) -> None:
        self._files, self._objects = files, objects

    async def bring(self, source: str, path: Path) -> None:
        if not source.lower().startswith(("http://", "https://")):
            if self._objects is None:
                raise JobError("this service has no Supabase project to take it from", code="not_configured")
            await self._objects.fetch(source, path)
            return
        try:
            await self._files.save(source, path)
        except VendorError as error:
            if error.code == "too_large":
                raise AudioTooLarge("the recording is larger than may be") from error
            raise
