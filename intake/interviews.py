"""What comes in at the door for interviews: a recording, or where it lies, is a row at once; a job does the rest."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from uuid import UUID, uuid4

import structlog

from activities.scratch import scratch
from domain.errors import CallerError, NotConfigured, VendorError
from domain.interviews.audio import AudioRefused, StoreUnavailable
from domain.interviews.item import KIND, AnalyseRequest, Interview
from engine.submit import Check
from intake.starting import RowJobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from activities.recordings import GoneRecordings
    from domain.interviews.audio import AudioReader, AudioStore
    from engine.submit import Submitter
    from ledger.interviews import Interviews
    from ledger.jobs import Jobs
    from ledger.postings import Postings

log = structlog.get_logger()
DELETED = "the interview was deleted"


class Upload(Protocol):
    """A file as a form brought it."""

    file: BinaryIO


def interview_jobs(interviews: "Interviews", submitter: "Submitter") -> RowJobs[Interview]:
    """Who starts the jobs that analyse interviews."""
    return RowJobs(interviews, submitter, KIND, "timelineItemId")


def interview_check(interviews: "Interviews", missing: str | None) -> Check:
    """For the submitter: the row is there, and the owner's where there is one. `missing`: why nothing can be heard."""

    async def check(asked: AnalyseRequest, owner: str) -> None:
        if missing:
            raise NotConfigured(f"interviews cannot be transcribed: {missing}", pointer="/jobType")
        row = await interviews.listed(asked.timeline_item_id)
        if row is None or owner not in ("", row.user_id):
            raise CallerError(
                "there is no such interview, or it is not this user's",
                code="not_found",
                pointer="/payload/timelineItemId",
            )

    return check


class InterviewIntake:
    """`missing`: why nothing could be transcribed; `elsewhere`: whether paths in a store elsewhere can be read."""

    def __init__(
        self,
        interviews: "Interviews",
        postings: "Postings",
        jobs: "Jobs",
        starting: RowJobs[Interview],
        store: "AudioStore",
        reader: "AudioReader",
        gone: "GoneRecordings",
        *,
        missing: str | None,
        elsewhere: bool,
    ) -> None:
        self._interviews, self._postings, self._jobs, self._starting = interviews, postings, jobs, starting
        self._store, self._reader, self._gone = store, reader, gone
        self._missing, self._elsewhere = missing, elsewhere

    def check(self) -> None:
        """Raises NotConfigured where no interview can be transcribed, before anybody sends one."""
        if self._missing:
            raise NotConfigured(f"interviews cannot be transcribed: {self._missing}")

    async def uploaded(self, user_id: str, upload: Upload, posting_id: UUID | None, *, by: str | None) -> Interview:
        """Keep a recording and have it analysed. Raises AudioRefused, CallerError, StoreUnavailable."""
        await self._check_posting(user_id, posting_id)
        with scratch() as folder:
            path = folder / "recording"
            await asyncio.to_thread(_copy, upload.file, path)
            info = await self._reader.probe(path)
            interview_id = uuid4()
            # the row comes first: whoever erases the user meanwhile knows of the file
            await self._interviews.put(interview_id, user_id, posting_id=posting_id)
            try:
                await self._store.put(str(interview_id), path, info.content_type)
            except (VendorError, AudioRefused) as error:
                await self._interviews.delete(interview_id)
                if isinstance(error, AudioRefused):
                    raise
                raise StoreUnavailable("the recording could not be kept: try again") from error
            size = (await asyncio.to_thread(path.stat)).st_size
            if not await self._interviews.keep_audio(interview_id, info, size):
                await self._store.delete(str(interview_id))
        return await self._started(interview_id, by)

    async def elsewhere(self, user_id: str, source: str, posting_id: UUID | None, *, by: str | None) -> Interview:
        """Have the recording analysed that lies at an address, or at `bucket/path` in the product's own store."""
        if not is_address(source) and not self._elsewhere:
            raise NotConfigured("this service reads no store of the product's", pointer="/audio")
        await self._check_posting(user_id, posting_id)
        interview_id = uuid4()
        await self._interviews.put(interview_id, user_id, source=source, posting_id=posting_id)
        return await self._started(interview_id, by)

    async def current(self, row: Interview) -> Interview:
        """The row, its job started if it was left without one."""
        return row if row.arriving(datetime.now(UTC)) else await self._starting.started(row)

    def pieces(self, interview_id: UUID, start: int, end: int) -> "AsyncIterator[bytes]":
        """The recording's bytes. Raises JobError `file_gone`, VendorError."""
        return self._store.pieces(str(interview_id), start, end)

    async def delete(self, interview_id: UUID, *, by: str) -> None:
        """End the jobs that are at it; delete recording, transcript, scores."""
        if open_jobs := await self._interviews.open_jobs(interview_id):
            await self._jobs.cancel_many(open_jobs, reason=DELETED, by=by)
        await self._interviews.delete(interview_id)
        try:
            await self._gone.delete(str(interview_id), again=bool(open_jobs))
        except VendorError as error:
            log.warning("a recording could not be deleted: left for later", code=error.code)

    async def _started(self, interview_id: UUID, by: str | None) -> Interview:
        row = await self._interviews.get(interview_id)
        if row is None:
            raise CallerError("the user's data was erased meanwhile", code="not_found")
        return await self._starting.started(row, by=by)

    async def _check_posting(self, user_id: str, posting_id: UUID | None) -> None:
        row = await self._postings.get(posting_id) if posting_id else None
        if posting_id and (row is None or row.user_id != user_id):
            message = "there is no such job position, or it is not this user's"
            raise CallerError(message, code="not_found", pointer="/jobPositionId")


def is_address(source: str) -> bool:
    """Whether it is no path in a store."""
    return source.lower().startswith(("http://", "https://"))


def _copy(file: BinaryIO, path: Path) -> None:
    file.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(file, target, 1024 * 1024)
