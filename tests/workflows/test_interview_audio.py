"""Recordings that a job fetches, keeps in Supabase Storage and has Deepgram hear by a signed link: over real HTTP, on a
real engine and ledger; what is no interview, and what Deepgram does instead, is the job's and the row's reason."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
import pytest_asyncio

from domain.interviews.item import Interview
from domain.job import Status
from ledger.database import Database
from ledger.rows import JobRow
from ledger.spend import Spend
from providers.speech.deepgram import Deepgram
from providers.storage.chosen import audio_fetcher
from providers.storage.supabase import SupabaseAudio
from providers.supabase import Supabase
from providers.web import GuardedClient
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.deepgram import DeepgramServer, Listened, Mode, hears, refuses, sends, transcript
from tests.support.interview_parts import TURNS, Analysing, InterviewModel
from tests.support.site_server import Answer, SiteServer
from tests.support.sounds import JFK, RATE, encoded, spoken, written
from tests.support.stack_parts import Parts, stack
from tests.support.supabase_server import SERVICE_KEY, SupabaseServer
from workflows.catalog import ours

# the SDK's own import
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:websockets.*deprecated:DeprecationWarning"),
]
KIND, BUCKET, UPLOADS = "analyse-interview", "recordings", "uploads"
LONGEST, MOST = 30, 2_000_000
HASTY = {"minTimeoutInMs": 1}


class World:
    """A project's buckets, a site, and a Deepgram that hears each recording as `modes` say by its link."""

    def __init__(
        self, parts: Parts, analysing: Analysing, project: SupabaseServer, site: SiteServer, vendor: DeepgramServer
    ) -> None:
        self.parts, self.analysing, self.project, self.site, self.vendor = parts, analysing, project, site, vendor
        self.modes: dict[UUID, Mode] = {}
        vendor.mode = self._hear

    async def analysed(self, source: str, mode: Mode | None = None) -> tuple[JobRow, Interview]:
        """What becomes of a recording that lies there."""
        owner, interview_id = uuid4().hex, uuid4()
        self.modes[interview_id] = mode or hears(TURNS)
        await self.analysing.interviews.put(interview_id, owner, source=source)
        job_id = await self.parts.submit(KIND, {"timelineItemId": str(interview_id)}, owner=owner, retry=HASTY)
        await self.analysing.interviews.assign(interview_id, job_id)
        return await self.parts.ended(job_id, 60), await self.analysing.row(interview_id)

    async def all(self, cases: Mapping[str, tuple[str, Mode | None]]) -> dict[str, tuple[JobRow, Interview]]:
        """All at the same time."""
        ended = await asyncio.gather(*(self.analysed(*case) for case in cases.values()))
        return dict(zip(cases, ended, strict=True))

    def keeps(self, path: str, content: bytes) -> str:
        """An object of the product's own; its `bucket/path`."""
        self.project.buckets[UPLOADS][path] = content
        return f"{UPLOADS}/{path}"

    async def _hear(self, listened: Listened) -> Answer:
        [mode] = [mode for key, mode in self.modes.items() if str(key) in (listened.link or "")]
        return await mode(listened)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    postgres_url: str, template: str, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    async with (
        cloned(postgres_url, template) as url,
        SupabaseServer() as project,
        SiteServer() as site,
        DeepgramServer() as vendor,
        Supabase(project.url, SERVICE_KEY) as supabase,
        GuardedClient(allow=[site.authority], max_bytes=MOST) as client,
    ):
        project.buckets = {BUCKET: {}, UPLOADS: {}}
        database, engine, model = Database(url), await own_namespace(temporal_address), InterviewModel()
        model.missing = "no model key is set"
        speech = Deepgram(Spend(database), key="k", base_url=vendor.url, timeout=60)
        analysing = Analysing(
            database,
            tmp_path_factory.mktemp("recordings"),
            speech,
            model,
            fetcher=audio_fetcher(client, supabase, MOST),
            store=SupabaseAudio(supabase, BUCKET),
            max_seconds=LONGEST,
        )
        async with (
            stack(database, engine, analysing.activities, kinds=ours()) as parts,
            parts.working(),
            parts.dispatching(),
        ):
            yield World(parts, analysing, project, site, vendor)
        await speech.close()
        await analysing.close()
        await database.close()


async def test_deepgram_fetches_it_by_a_signed_link_from_the_bucket_to_which_it_was_brought(world: World) -> None:
    fetched: list[bytes] = []

    async def fetches(listened: Listened) -> Answer:
        async with httpx.AsyncClient(trust_env=False) as anybody:
            answer = await anybody.get(listened.link or "")
            fetched.append(answer.raise_for_status().content)
        return await hears(TURNS, 30.0)(listened)

    sound = JFK.read_bytes()
    world.site.routes["/talk"] = Answer(200, {"content-type": "text/plain"}, sound)
    path = world.keeps("ann/my talk.flac", sound)
    for source in (path, f"{world.site.url}/talk"):
        job, row = await world.analysed(source, fetches)
        assert (job.status, job.error) == (Status.COMPLETED, None)
        assert row.transcript
        assert row.transcript.transcribed_by == "deepgram"
        assert len(row.answers) == len(TURNS) / 2
        assert world.project.buckets[BUCKET][str(row.id)] == sound
    assert fetched == [sound, sound]
    assert SERVICE_KEY not in str([one.link for one in world.vendor.listened])
    assert world.project.buckets[UPLOADS]["ann/my talk.flac"] == sound, "what is the product's stays"


async def test_what_is_fetched_and_holds_no_interview_says_why(world: World, tmp_path: Path) -> None:
    world.site.routes |= {"/text": Answer(200, {"content-type": "audio/mpeg"}, b"Interviewer: hello.\n" * 50)}
    asked_before = len(world.vendor.listened)
    files = {
        "empty_file": b"",
        "not_audio": b"%PDF-1.7\n" + bytes(500),
        "silent_audio": written(tmp_path / "silence.wav", np.zeros(RATE * 5, np.int16)).read_bytes(),
        "truncated_file": written(tmp_path / "whole.wav", spoken(JFK)).read_bytes()[:100_000],
        "broken_file": b"OggS" + bytes(range(256)) * 40,
        "no_audio_track": encoded(tmp_path / "film.mp4", np.zeros(0, np.int16), picture=True).read_bytes(),
        "too_long": encoded(tmp_path / "long.mp3", np.resize(spoken(JFK), (LONGEST + 1) * RATE)).read_bytes(),
        "too_large": bytes(MOST + 1),
    }
    cases = {code: (world.keeps(code, content), code) for code, content in files.items()} | {
        "no such object": (f"{UPLOADS}/none", "file_gone"),
        "no such bucket": ("none/none", "file_gone"),
        "text at an address": (f"{world.site.url}/text", "not_audio"),
        "nothing at an address": (f"{world.site.url}/none", "http_404"),
        "a machine of ours": ("http://127.0.0.1:9/talk", "address_refused"),
    }
    ended = await world.all({name: (source, None) for name, (source, _) in cases.items()})
    for name, (job, row) in ended.items():
        assert job.error, name
        assert (job.status, job.error.code, job.error.step) == (Status.FAILED, cases[name][1], "load"), name
        assert (row.processing_status, row.error and row.error.code) == ("failed", cases[name][1]), name
        assert job.steps[0].attempt == 1, f"{name}: it would be the same another time"
        assert str(row.id) not in world.project.buckets[BUCKET]
    assert len(world.vendor.listened) == asked_before


# What Deepgram does, the job's reason, how often it was asked, and how many of these were paid.
ENDS: dict[str, tuple[Mode, str, int, int]] = {
    "400": (refuses(400), "audio_refused", 1, 0),
    "402": (refuses(402), "quota", 1, 0),
    "413": (refuses(413), "too_large", 1, 0),
    "500": (refuses(500), "http_500", 3, 0),
    "broken": (sends(b'{"metadata": {"dura'), "bad_answer", 3, 3),
    "a list": (sends([]), "bad_answer", 3, 3),
    "another shape": (sends({"metadata": {"duration": "long"}, "results": None}), "bad_answer", 3, 3),
    "words without times": (
        sends({**transcript(TURNS), "results": {"channels": [{"alternatives": [{"words": [{"word": "so"}]}]}]}}),
        "bad_answer",
        3,
        3,
    ),
    "nothing said": (sends(transcript([], 11.0)), "silent_audio", 1, 1),
}


async def test_what_deepgram_does_instead_is_the_reason_and_what_it_heard_is_paid(world: World) -> None:
    path = world.keeps("talk.flac", JFK.read_bytes())
    ended = await world.all({name: (path, mode) for name, (mode, *_) in ENDS.items()})
    for name, (job, row) in ended.items():
        _, code, asked, paid = ENDS[name]
        assert job.error, name
        assert (job.status, job.error.code, job.error.step) == (Status.FAILED, code, "transcribe"), name
        assert (row.processing_status, row.error and row.error.code, row.transcript) == ("failed", code, None), name
        links = [one.link or "" for one in world.vendor.listened]
        assert sum(str(row.id) in link for link in links) == asked, name
        seconds: Any = job.usage.get("audioSeconds", 0)
        assert seconds == pytest.approx(11.0 * paid, abs=0.5), name
        assert str(row.id) in world.project.buckets[BUCKET], "the recording stays for another try"
