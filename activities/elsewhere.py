"""Rows that the product keeps in tables of its own: copied into the ledger when a job begins, told how it goes.

What is found is the ledger's first. What the product's table does not take at once is told later, as long as it takes
(engine/elsewhere.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from domain.errors import JobError, VendorError
from domain.job import Failure, Status
from ledger.interview_work import InterviewWork, Recording
from ledger.postings import Postings, Source

if TYPE_CHECKING:
    from uuid import UUID

    from domain.interviews.questions import Analysis
    from domain.posting import Details
    from domain.rows import RowKind, Rows
    from ledger.database import Database
    from ledger.elsewhere import Elsewhere, Ended

log = structlog.get_logger()
AWAY_SECONDS, REFUSED_SECONDS = 15.0, 300.0
GONE = "the product's table has no such row any more"
# What a row says that this job has completed, in the wire's words; None where it is gone or another job is at it.
Document = Callable[["UUID", "UUID"], Awaitable[Mapping[str, Any] | None]]


class RowsElsewhere:
    """`documents` say by the kind of row what came of a job: they are given the row's id and the job's. A table that is
    away is tried again after `away` seconds."""

    def __init__(
        self,
        rows: "Rows",
        copies: "Elsewhere",
        documents: "Mapping[RowKind, Document]",
        *,
        away: float = AWAY_SECONDS,
    ) -> None:
        self._rows, self._copies, self._documents, self._away = rows, copies, documents, away

    async def take(self, kind: "RowKind", row_id: "UUID", job_id: "UUID") -> None:
        """Copy the row as it stands, once a job, and write back that it is being worked on; the ledger's own rows are
        left alone.

        Raises VendorError, RateLimited, JobError `not_found`, `nothing_to_read`, `row_unreadable`.
        """
        if await self._copies.standing(kind, row_id, job_id) != "theirs":
            return
        await self._copies.begin(kind, row_id, job_id)
        row = await self._rows.read(kind, row_id)
        if row is None:
            await self._copies.forget(kind, row_id)
            raise JobError(GONE, code="not_found")
        if row.empty:
            raise JobError("the product's row names nothing to work on", code="nothing_to_read")
        if not await self._copies.copy(kind, row_id, job_id, row):
            await self._copies.told(job_id)
            raise JobError(GONE, code="not_found")
        working = {"processingStatus": "processing", "error": None, "jobId": str(job_id)}
        if not await self._rows.write(kind, row_id, working):
            raise JobError(GONE, code="not_found")

    async def completed(self, kind: "RowKind", row_id: "UUID", job_id: "UUID") -> None:
        """Write back what the ledger has now. Raises JobError `not_found`, and VendorError for what does not heal."""
        if await self._copies.standing(kind, row_id, job_id) != "taken":
            return
        try:
            there = await self._tell(kind, row_id, job_id)
        except VendorError as error:
            if not error.again:
                raise
            log.warning("the product's row is still to be written", code=error.code, row=str(row_id))
            return
        if not there:
            raise JobError(GONE, code="not_found")

    async def tell_left(self) -> None:
        """Write back how jobs ended, where that was not done yet. What is refused is tried again now and then, and does
        not keep back the others."""
        for row in await self._copies.untold():
            try:
                await self._end(row)
            except (VendorError, JobError) as error:
                log.warning("the product's row is still to be written", code=error.code, row=str(row.id))
                if isinstance(error, VendorError) and error.again:
                    await self._copies.tell_later(row.job_id, error.retry_after or self._away)
                    break
                await self._copies.tell_later(row.job_id, REFUSED_SECONDS)

    async def _end(self, row: "Ended") -> None:
        if row.status == Status.COMPLETED:
            await self._tell(row.kind, row.id, row.job_id)
            return
        # a job that could not read it has not seen whose it is
        theirs = row.taken or not row.owner or await self._is_of(row)
        if theirs:
            error = row.error or Failure(code=row.status, message=_without_result(row.status))
            said = {"code": error.code, "message": error.message}
            document = {"processingStatus": "failed", "error": said, "jobId": str(row.job_id)}
            try:
                await self._rows.write(row.kind, row.id, document)
            except VendorError as refused:
                if refused.code != "no_such_column":
                    raise
                # whoever polls the row is to see at least that it is over
                await self._rows.write(row.kind, row.id, {"processingStatus": "failed"})
        await self._copies.told(row.job_id)

    async def _is_of(self, row: "Ended") -> bool:
        found = await self._rows.read(row.kind, row.id)
        return found is not None and found.user_id == row.owner

    async def _tell(self, kind: "RowKind", row_id: "UUID", job_id: "UUID") -> bool:
        """Write back what was found; False where there is no such row."""
        found, there = await self._documents[kind](row_id, job_id), True
        if found is not None:
            standing = {"processingStatus": "completed", "error": None, "jobId": str(job_id)}
            there = await self._rows.write(kind, row_id, {**found, **standing})
        await self._copies.told(job_id)
        return there


class PostingsElsewhere(Postings):
    """Job positions whose rows may be the product's."""

    def __init__(self, database: "Database", elsewhere: RowsElsewhere) -> None:
        super().__init__(database)
        self._elsewhere = elsewhere

    async def begin(self, job_id: "UUID", posting_id: "UUID") -> Source | None:
        await self._elsewhere.take("posting", posting_id, job_id)
        return await super().begin(job_id, posting_id)

    async def store(
        self,
        job_id: "UUID",
        posting_id: "UUID",
        details: "Details",
        answered_by: str,
        reason: str | None,
        model: str | None,
    ) -> bool:
        kept = await super().store(job_id, posting_id, details, answered_by, reason, model)
        if kept:
            await self._elsewhere.completed("posting", posting_id, job_id)
        return kept


class InterviewsElsewhere(InterviewWork):
    """Interviews whose rows may be the product's."""

    def __init__(self, database: "Database", elsewhere: RowsElsewhere) -> None:
        super().__init__(database)
        self._elsewhere = elsewhere

    async def begin(self, job_id: "UUID", interview_id: "UUID") -> Recording | None:
        await self._elsewhere.take("interview", interview_id, job_id)
        return await super().begin(job_id, interview_id)

    async def complete(
        self,
        job_id: "UUID",
        interview_id: "UUID",
        analysis: "Analysis",
        answered_by: str,
        reason: str | None,
        model: str | None,
    ) -> bool:
        kept = await super().complete(job_id, interview_id, analysis, answered_by, reason, model)
        if kept:
            await self._elsewhere.completed("interview", interview_id, job_id)
        return kept


def _without_result(status: Status) -> str:
    return "the job was canceled" if status == Status.CANCELED else "the job ended without a result"
