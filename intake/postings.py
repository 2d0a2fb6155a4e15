"""What comes in at the door for job positions: an address or a text is a row at once, and a job reads it in peace."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from domain.errors import CallerError, LongrunError
from domain.posting import Finding
from domain.postings.enriching import KIND, EnrichRequest, Reading, url_key
from engine.submit import Check
from intake.quick_posting import QuickReading
from intake.starting import RowJobs

if TYPE_CHECKING:
    from activities.postings import Pages, Words
    from engine.submit import Submitter
    from ledger.postings import PostingRow, Postings

log = structlog.get_logger()
# Who asks waits no longer for what can be read at once; it is also the most that a page may take.
QUICK_SECONDS = 3.0
# With a model there is so much in all. Its job is there before it, for the money, and begins after it: at once, or by
# itself where nobody says so.
MODEL_SECONDS, DELAY = 4.0, timedelta(seconds=10)


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
    """`pages` and `words` are read by programs alone, within `seconds`; `quick` by a small model beside them."""

    def __init__(
        self,
        postings: "Postings",
        jobs: "RowJobs[PostingRow]",
        pages: "Pages",
        words: "Words",
        *,
        quick: QuickReading | None = None,
        seconds: float | None = None,
    ) -> None:
        self._postings, self._jobs, self._pages, self._words = postings, jobs, pages, words
        self._quick, self._seconds = quick, seconds or (MODEL_SECONDS if quick else QUICK_SECONDS)
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
            if self._quick:
                row = await self._jobs.started(row, by=by, delay=DELAY)
            await self._sketched(row)
            row = await self._postings.get(row.id) or row
            if self._quick and row.job_id:
                await self._quick.release(row.job_id)
        return await self._jobs.started(row, again=True, by=by), is_new

    async def current(self, row: "PostingRow") -> "PostingRow":
        """The row, its job started if it was left without one."""
        return await self._jobs.started(row)

    async def _sketched(self, row: "PostingRow") -> None:
        """Wait for a quick reading, and no longer than may be: what comes later is kept all the same."""
        task = asyncio.create_task(self._sketch(row, asyncio.get_running_loop().time() + self._seconds))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        await asyncio.wait({task}, timeout=self._seconds)

    async def _sketch(self, row: "PostingRow", until: float) -> None:
        try:
            reading = await self._pages.read(row.url) if row.url else Reading(text=row.given or "")
            async with asyncio.TaskGroup() as group:
                glance = group.create_task(self._glance(reading, row, until))
                reading = await self._words.words(reading)
                await self._postings.sketch(row.id, reading.details())
            if found := glance.result():
                await self._postings.sketch(row.id, reading.details(found))
        except* LongrunError as errors:
            # the job says why, or does better
            codes = sorted({error.code for error in errors.exceptions if isinstance(error, LongrunError)})
            log.info("a job position was not read at the door", codes=codes, posting=str(row.id))

    async def _glance(self, reading: Reading, row: "PostingRow", until: float) -> dict[str, Finding]:
        """What the quick model finds, where there is one and a job that pays for it."""
        if self._quick is None or row.job_id is None:
            return {}
        return await self._quick.findings(reading, row.job_id, until)
