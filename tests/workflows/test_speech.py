"""How a recording comes to who hears it, and when that one is asked to call back."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.interview_audio import InterviewAudio
from activities.speech_callbacks import CallingBack
from domain.interviews.audio import Hearing
from domain.interviews.item import AnalyseRequest
from domain.keyring import Keyring
from domain.waiting import Waiting
from ledger.database import Database
from ledger.interview_work import InterviewWork
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.speech_callbacks import SpeechCallbacks
from ledger.spend import Spend
from ledger.waitpoints import Waitpoints
from providers.audio.reader import AudioFiles
from providers.files import Files
from providers.speech.deepgram import Deepgram
from providers.storage.local import LocalAudio
from providers.storage.recordings import Recordings
from providers.web import GuardedClient
from tests.ledger.book import Book
from tests.support.deepgram import DeepgramServer, Listened, hears, refuses
from tests.support.interview_parts import BYTES, INFO
from tests.support.site_server import Answer

# the SDK's own import
pytestmark = pytest.mark.filterwarnings("ignore:websockets.*deprecated:DeprecationWarning")
LINK = "https://store.example/interview?token=t"


class Linked(LocalAudio):
    """A folder of which it is said that a vendor can reach it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fetched = 0

    async def link(self, key: str) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return LINK

    async def fetch(self, key: str, path: Path) -> None:
        self.fetched += 1
        await super().fetch(key, path)


class World:
    def __init__(self, database: Database, folder: Path, vendor: DeepgramServer) -> None:
        self.database, self.folder, self.vendor = database, folder, vendor
        self.store, self.rows = Linked(folder / "store"), Interviews(database)
        self.speech = Deepgram(Spend(database), key="k", base_url=vendor.url, timeout=60)
        self.client, self.reader = GuardedClient(timeout=5), AudioFiles(max_seconds=60)

    async def later(
        self, job_id: UUID, ask: str, *, minutes: float = 0.1, within: float = 60, key: str = "k"
    ) -> object:
        """What `begun` or `taken` answers for a recording of half a minute."""
        back = CallingBack(
            self.speech,
            Waitpoints(self.database),
            SpeechCallbacks(self.database),
            Keyring((key,) if key else ()),
            public_url="https://us.example",
            after=timedelta(minutes=minutes),
            within=timedelta(seconds=within),
        )
        path = self.folder / "recording"
        path.write_bytes(BYTES)
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_id=str(job_id))
        return await environment.run(getattr(back, ask), Hearing(job_id=job_id, attempt=1, path=path, info=INFO))

    async def heard(self, *, by_link: bool) -> str:
        """What an interview's `transcribe` keeps."""
        fetcher, work = Recordings(Files(self.client, "the recording's server")), InterviewWork(self.database)
        audio = InterviewAudio(
            self.rows, work, JobItems(self.database), self.store, fetcher, self.reader, self.speech, by_link=by_link
        )
        job_id, interview_id = await self.given()
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_id=str(job_id))
        await environment.run(audio.transcribe, AnalyseRequest(timeline_item_id=interview_id))
        transcript = await work.transcript(interview_id)
        assert transcript
        return transcript.text

    async def given(self) -> tuple[UUID, UUID]:
        owner, interview_id, path = uuid4().hex, uuid4(), self.folder / uuid4().hex
        path.write_bytes(BYTES)
        job_id = await Book(self.database).running(owner=owner)
        await self.rows.put(interview_id, owner)
        await self.store.put(str(interview_id), path)
        assert await self.rows.keep_audio(interview_id, INFO, len(BYTES))
        await self.rows.assign(interview_id, job_id)
        return job_id, interview_id

    async def close(self) -> None:
        await self.speech.close()
        await self.client.aclose()
        await self.reader.close()


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncGenerator[World]:
    async with DeepgramServer() as vendor:
        made = World(database, tmp_path, vendor)
        yield made
        await made.close()


async def test_who_can_fetch_it_is_told_where_it_lies(world: World) -> None:
    assert await world.heard(by_link=True) == "What did you build? Um, a billing system."
    assert [one.link for one in world.vendor.listened] == [LINK]
    assert world.store.fetched == 0


async def test_who_cannot_after_all_is_sent_it(world: World) -> None:
    refused, heard = refuses(400, "REMOTE_CONTENT_ERROR"), hears([(0, "Why us?")])

    async def mode(listened: Listened) -> Answer:
        return await (refused if listened.link else heard)(listened)

    world.vendor.mode = mode
    assert await world.heard(by_link=True) == "Why us?"
    assert [(one.link, one.size) for one in world.vendor.listened][1:] == [(None, len(BYTES))]
    assert world.store.fetched == 1


async def test_who_hears_here_is_given_a_file(world: World) -> None:
    await world.heard(by_link=False)
    assert [(one.link, one.head) for one in world.vendor.listened] == [(None, BYTES)]


async def test_about_a_short_one_or_without_a_key_to_sign_with_nobody_calls_back(world: World) -> None:
    job_id, _ = await world.given()
    assert await world.later(job_id, "begun", minutes=1) is None
    assert await world.later(job_id, "begun", key="") is None
    assert not world.vendor.listened


async def test_who_is_asked_to_call_back_is_asked_anew_until_that_is_known(world: World) -> None:
    job_id, _ = await world.given()
    first, again = await world.later(job_id, "begun"), await world.later(job_id, "begun")
    assert isinstance(first, Waiting)
    assert first == again
    told = {one.options["callback"] for one in world.vendor.listened}
    assert len(told) == 1
    assert told.pop().startswith(f"https://us.example/api/deepgram/callbacks/{first.waitpoint}?token=")
    assert await world.later(job_id, "taken") is None


async def test_who_has_not_called_back_in_time_is_paid_and_not_asked_to_again(world: World) -> None:
    job_id, _ = await world.given()
    assert isinstance(await world.later(job_id, "begun", within=0), Waiting)
    assert await world.later(job_id, "taken") is None
    job = await Book(world.database).row(job_id)
    assert job.usage["audioSeconds"] == INFO.seconds
    assert await world.later(job_id, "begun") is None
    assert len(world.vendor.listened) == 1
