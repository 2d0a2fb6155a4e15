"""Pages and texts of postings read where they hold up nobody: in a process of its own."""

from collections.abc import Callable
from typing import TypeVar

from domain.errors import JobError
from domain.postings.enriching import Reading
from providers.apart import Apart, ProcessEnded
from providers.postings import work
from providers.postings.ats import Answered

T = TypeVar("T")
CALL_SECONDS, MEMORY = 30, 2 * 1024**3


class PostingReader:
    """Each call raises JobError `too_large` for what takes more time or memory than any posting needs."""

    def __init__(self, *, seconds: int = CALL_SECONDS, memory: int = MEMORY) -> None:
        self._apart = Apart(seconds=seconds, memory=memory)

    async def close(self) -> None:
        await self._apart.close()

    async def page(self, html: str, url: str) -> tuple[Reading, bool, bool]:
        """What the page says; whether it says nothing without JavaScript; whether it asks for a password."""
        return await self._run(work.read_page, html, url)

    async def board(self, answer: Answered) -> Reading:
        """What a board says. Raises VendorError `gone`, `bad_response`."""
        return await self._run(work.read_board, answer)

    async def words(self, reading: Reading) -> Reading:
        """The reading with what its words say by themselves."""
        found = await self._run(work.read_words, reading.text, reading.headings)
        return reading.model_copy(update={"tiers": (*reading.tiers, found)})

    async def _run(self, function: Callable[..., T], *args: object) -> T:
        try:
            return await self._apart.run(function, *args)
        except (ProcessEnded, MemoryError, RecursionError):
            raise JobError("reading it takes more time or memory than any posting needs", code="too_large") from None
