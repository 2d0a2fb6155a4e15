"""What a batch of runs is written from, made in a process of its own while this one makes calls."""

from domain.running.batch import Batch, Ready, Unready, ready
from providers.apart import Apart, ProcessEnded

CALL_SECONDS, MEMORY = 60, 1024**3


class RunSheets:
    """Of one user's batch after the other. None of strangers' files come into that process."""

    def __init__(self, *, seconds: int = CALL_SECONDS, memory: int = MEMORY) -> None:
        self._apart = Apart(seconds=seconds, memory=memory)

    async def ready(self, batch: Batch) -> dict[str, Ready | Unready]:
        """By the run's id. Where the system ends that process, it is made in this one."""
        try:
            return await self._apart.run(ready, batch)
        except (ProcessEnded, MemoryError):
            return ready(batch)

    async def close(self) -> None:
        await self._apart.close()
