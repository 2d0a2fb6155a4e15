"""What comes in at the door for job positions: an address or a text is a row at once, and a job reads it in peace."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from domain.errors import CallerError, LongrunError
from domain.postings.enriching import KIND, EnrichRequest, Reading, url_key
from engine.submit import Check
from intake.starting import RowJobs

if TYPE_CHECKING:
    from activities.postings import Pages, Words
    from engine.submit import Submitter
    from ledger.postings import PostingRow, Postings

log = structlog.get_logger()
# Who asks waits no longer for what can be read at once; it is also the most that a page may take.
QUICK_SECONDS = 3.0


def posting_check(postings: "Postings") -> Check:
    """For the submitter: the row is there, and the owner's where there is one."""

    async def check(asked: EnrichRequest, owner: str) -> None:
        row = await postings.get(asked.job_position_id)
        if row is None or owner not in ("", row.user_id):
            raise CallerError(
                "there is no such job position, or it is not this user's",
                code="not_found",
                pointer="/payload/jobPositionId",
            )

    return check


def posting_jobs(postings: "Postings", submitter: "Submitter") -> "RowJobs[PostingRow]":
    """Who starts the jobs that read postings."""
    return RowJobs(postings, submitter, KIND, "jobPositionId")


class PostingIntake:
    """`pages` and `words` are read by programs alone, within `seconds`."""

    def __init__(
        self,
        postings: "Postings",
        jobs: "RowJobs[PostingRow]",
        pages: "Pages",
        words: "Words",
        *,
        seconds: float = QUICK_SECONDS,
    ) -> None:
        self._postings, self._jobs, self._pages, self._words = postings, jobs, pages, words
        self._seconds = seconds
        self._reading: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def given(
        self, user_id: str, *, url: str | None = None, text: str | None = None, by: str | None = None
    ) -> "tuple[PostingRow, bool]":
        """Keep a posting and have it read; the row, and whether it is new. An address that the user has given before is
        the row it was, read again where that has failed."""
        row, is_new = await self._postings.put(user_id, url=url, key=url_key(url) if url else None, given=text)
        if is_new:
            await self._sketched(row)
            row = await self._postings.get(row.id) or row
        return await self._jobs.started(row, again=True, by=by), is_new

    async def current(self, row: "PostingRow") -> "PostingRow":
        """The row, its job started if it was left without one."""
        return await self._jobs.started(row)

    async def _sketched(self, row: "PostingRow") -> None:
        """Wait for a quick reading, and no longer than may be: what comes later is kept all the same."""
        task = asyncio.create_task(self._sketch(row))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        await asyncio.wait({task}, timeout=self._seconds)

    async def _sketch(self, row: "PostingRow") -> None:
        try:
            reading = await self._pages.read(row.url) if row.url else Reading(text=row.given or "")
            await self._postings.sketch(row.id, (await self._words.words(reading)).details())
        except LongrunError as error:
            # the job says why, or does better
            log.info("a job position was not read at the door", code=error.code, posting=str(row.id))
