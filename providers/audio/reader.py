"""Recordings of strangers looked at in processes of their own, under caps of memory and time."""

import asyncio
from importlib import import_module
from pathlib import Path

from domain.interviews.audio import AudioInfo, AudioRefused
from providers.apart import Apart, ProcessEnded

CALL_SECONDS, MEMORY = 900, 1024**3
AT_A_TIME = 2


class AudioFiles:
    """Fits AudioReader. `max_seconds` of sound are the most that a recording may have."""

    def __init__(self, *, max_seconds: float, call_seconds: int = CALL_SECONDS, memory: int = MEMORY) -> None:
        self._max_seconds = max_seconds
        self._all = [Apart(seconds=call_seconds, memory=memory) for _ in range(AT_A_TIME)]
        # the one that ran last has its process still
        self._free: asyncio.LifoQueue[Apart] = asyncio.LifoQueue()
        for apart in self._all:
            self._free.put_nowait(apart)

    async def probe(self, path: Path) -> AudioInfo:
        """Raises AudioRefused, OSError. Four hours of sound take some seconds."""
        apart = await self._free.get()
        try:
            return await apart.run(probe, path, self._max_seconds)
        except (ProcessEnded, MemoryError):
            message = "the recording is damaged: reading it takes more time or memory than any needs"
            raise AudioRefused(message, code="broken_file") from None
        finally:
            self._free.put_nowait(apart)

    async def close(self) -> None:
        for apart in self._all:
            await apart.close()


def probe(path: Path, max_seconds: float) -> AudioInfo:
    """Only the process that calls it loads what decodes."""
    return import_module("providers.audio.probing").probe(path, max_seconds)
