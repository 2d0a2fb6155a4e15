"""Recordings in a folder of this machine, or in one that API and workers share."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import uuid4

from domain.errors import JobError, VendorError

KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,199}")
PIECE = 256 * 1024
MODE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class LocalAudio:
    """Fits domain.interviews.audio.AudioStore. Keys are names without slashes or dots: none leaves the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, file: Path, content_type: str = "") -> None:
        """One that is cancelled has ended before it says so: nothing comes there after what was there is deleted."""
        stopped = Event()
        writing = asyncio.ensure_future(asyncio.to_thread(self._put, key, file, stopped))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.wait([writing])
            raise

    async def fetch(self, key: str, path: Path) -> None:
        await asyncio.to_thread(self._fetch, key, path)

    async def pieces(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        with _reading():
            file = await asyncio.to_thread(self._place(key).open, "rb")
            with file:
                file.seek(start)
                while start < end and (piece := await asyncio.to_thread(file.read, min(PIECE, end - start))):
                    start += len(piece)
                    yield piece

    async def link(self, key: str) -> None:
        return None

    async def delete(self, key: str) -> None:
        with _reading():
            await asyncio.to_thread(self._delete, key)

    def _put(self, key: str, file: Path, stopped: Event) -> None:
        place = self._place(key)
        with _reading():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f".{key}.{uuid4().hex}"
            try:
                with file.open("rb") as source, os.fdopen(os.open(draft, MODE, 0o600), "wb") as target:
                    while not stopped.is_set() and (piece := source.read(PIECE)):
                        target.write(piece)
                    target.flush()
                    os.fsync(target.fileno())
                if not stopped.is_set():
                    draft.replace(place)
            finally:
                draft.unlink(missing_ok=True)

    def _fetch(self, key: str, path: Path) -> None:
        with _reading():
            shutil.copyfile(self._place(key), path)

    def _delete(self, key: str) -> None:
        self._place(key).unlink(missing_ok=True)
        # what a process left that died while it wrote
        for draft in self._folder.glob(f".{key}.*"):
            draft.unlink(missing_ok=True)

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError("a key is made of letters, digits, hyphens and underscores")
        return self._folder / key


@contextmanager
def _reading() -> Generator[None]:
    """A missing file is gone for good; what else a disk refuses may heal."""
    try:
        yield
    except FileNotFoundError:
        raise JobError("the recording is no longer kept", code="file_gone") from None
    except OSError as error:
        raise VendorError("the folder of recordings cannot be used", code="audio_store") from error
