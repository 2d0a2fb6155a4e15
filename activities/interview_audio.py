"""`load` and `transcribe` of an interview: its recording into the store, and what is said in it into the ledger."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from uuid import UUID

from temporalio import activity

from activities.scratch import scratch
from domain.errors import JobError, LedgerUnavailable
from domain.interviews.audio import AudioInfo, Hearing, LinkUnreachable
from domain.interviews.item import AnalyseRequest, Heard, Loaded
from domain.waiting import Waiting
from ledger.patience import patiently

if TYPE_CHECKING:
    from activities.speech_callbacks import CallingBack
    from domain.interviews.audio import AudioFetcher, AudioReader, AudioStore, SpeechToText
    from domain.interviews.transcript import Piece, Transcript
    from ledger.interview_work import InterviewWork, Recording
    from ledger.interviews import Interviews
    from ledger.items import JobItems

GONE = "there is no such interview any more"
TELL_SECONDS = 2.0


class InterviewAudio:
    """`by_link`: who hears fetches recordings itself, where the store has links to them. `patience`: seconds for which
    a ledger is waited for that is to be told what was heard."""

    def __init__(
        self,
        rows: "Interviews",
        work: "InterviewWork",
        items: "JobItems",
        store: "AudioStore",
        fetcher: "AudioFetcher",
        reader: "AudioReader",
        speech: "SpeechToText",
        later: "CallingBack | None" = None,
        *,
        by_link: bool = False,
        patience: float = 60.0,
    ) -> None:
        self._rows, self._work, self._items, self._patience = rows, work, items, patience
        self._store, self._fetcher, self._reader = store, fetcher, reader
        self._speech, self._later, self._by_link = speech, later, by_link

    @activity.defn(name="load_interview")
    async def load(self, asked: AnalyseRequest) -> Loaded:
        """Have the recording in the store. Raises AudioRefused, VendorError, JobError `not_found`, `file_gone`."""
        recording = await begun(self._work, asked)
        info = recording.audio or await self._fetched(asked.timeline_item_id, recording.source)
        return Loaded(seconds=info.seconds, container=info.container)

    @activity.defn(name="transcribe_interview")
    async def transcribe(self, asked: AnalyseRequest) -> Heard:
        """Hear who says what. What has been heard is kept as it comes, and not heard again by another attempt. Of a
        long recording the answer may be where it is awaited; asked again after that, this reads it.

        Raises VendorError, RateLimited, JobError `not_configured`, `silent_audio`, `not_found`, `file_gone`.
        """
        if self._speech.missing:
            raise JobError(self._speech.missing, code="not_configured")
        recording, job_id = await begun(self._work, asked), job()
        if recording.audio is None:
            raise JobError("the recording is not there: replay from the first step", code="file_gone")
        info, key = recording.audio, str(asked.timeline_item_id)
        with scratch() as folder:
            hearing = Hearing(
                job_id=job_id,
                attempt=activity.info().attempt,
                path=folder / "recording",
                info=info,
                link=await self._store.link(key) if self._by_link else None,
            )
            transcript = await self._told(key, hearing)
        if isinstance(transcript, Waiting):
            return Heard(seconds=info.seconds, waiting=transcript)
        if not transcript.words:
            raise JobError("nobody says anything in this recording", code="silent_audio")
        await patiently(lambda: self._work.keep_transcript(job_id, asked.timeline_item_id, transcript), self._patience)
        return Heard(seconds=info.seconds, words=len(transcript.words), by=transcript.transcribed_by)

    async def _told(self, key: str, hearing: Hearing) -> "Transcript | Waiting":
        """What is said, or where that is awaited."""
        if self._later and (taken := await self._later.taken(hearing)) is not None:
            return taken
        if hearing.link is not None:
            with suppress(LinkUnreachable):
                return await self._asked(hearing)
        await self._store.fetch(key, hearing.path)
        return await self._asked(hearing.model_copy(update={"link": None}))

    async def _asked(self, hearing: Hearing) -> "Transcript | Waiting":
        if self._later and (waiting := await self._later.begun(hearing)) is not None:
            return waiting
        kept = await self._work.pieces(hearing.job_id)
        async with self._telling(hearing.job_id, hearing.info, since=kept[-1].end if kept else 0.0) as heard:
            return await self._speech.transcribe(hearing, kept=kept, keep=self._keep, heard=heard)

    async def _fetched(self, interview_id: UUID, source: str | None) -> AudioInfo:
        if source is None:
            raise JobError("the recording did not arrive whole: send it again", code="file_gone")
        key = str(interview_id)
        with scratch() as folder:
            path = folder / "recording"
            await self._fetcher.bring(source, path)
            info = await self._reader.probe(path)
            size = (await asyncio.to_thread(path.stat)).st_size
            await self._store.put(key, path, info.content_type)
        if not await self._rows.keep_audio(interview_id, info, size):
            await self._store.delete(key)
            raise JobError(GONE, code="not_found")
        return info

    async def _keep(self, piece: "Piece") -> None:
        job_id = job()
        await patiently(lambda: self._work.keep_piece(job_id, piece), self._patience)

    @asynccontextmanager
    async def _telling(self, job_id: UUID, info: AudioInfo, *, since: float) -> AsyncGenerator[Callable[[float], None]]:
        """Show people by which second it is; the ledger is told now and then, and at the end that it is over."""
        clock = asyncio.get_running_loop().time
        began, at = clock(), [since]

        def heard(second: float) -> None:
            at[0] = max(at[0], min(second, info.seconds))

        told = since

        async def tell() -> None:
            nonlocal told
            while True:
                await asyncio.sleep(TELL_SECONDS)
                if at[0] > told:
                    told = at[0]
                    with suppress(LedgerUnavailable):
                        pace = (clock() - began) / (told - since)
                        await self._items.reach(job_id, int(told), round(info.seconds), pace)

        telling = asyncio.create_task(tell())
        try:
            yield heard
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
        if told > since:
            with suppress(LedgerUnavailable):
                await self._items.reach(job_id, 0, 0)


async def begun(work: "InterviewWork", asked: AnalyseRequest) -> "Recording":
    """The row, with this job at it. Raises JobError `not_found`."""
    recording = await work.begin(job(), asked.timeline_item_id)
    if recording is None:
        raise JobError(GONE, code="not_found")
    return recording


def job() -> UUID:
    return UUID(activity.info().workflow_id)
