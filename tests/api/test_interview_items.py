"""Interviews that were given, their recordings in Supabase Storage: shown, played, exported, listed, deleted."""

import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from activities.recordings import GoneRecordings
from domain.interviews.questions import Analysis, Dimension, Judgement, Question, Score
from domain.interviews.transcript import Transcript, Word
from domain.job import Failure
from intake.interviews import interview_jobs
from ledger.interview_work import InterviewWork
from ledger.interviews import Interviews
from ledger.jobs import JobFilter
from providers.storage.supabase import SupabaseAudio
from providers.supabase import Supabase
from tests.api.conftest import Api
from tests.support.interview_door import ITEMS, door, give, send
from tests.support.site_server import Answer
from tests.support.sounds import JFK
from tests.support.supabase_server import SERVICE_KEY, SupabaseServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
BUCKET = "recordings"
HEARD = Transcript(
    words=tuple(
        Word(text=text, start=at, end=at + 0.5, speaker=at % 2) for at, text in enumerate(("Why?", "Because."))
    ),
    duration_seconds=2,
    transcribed_by="deepgram",
    model="nova-3",
)
QUESTION = Question(question="Why?", answer="Because.", start=0, end=1.5, first=1, last=2)
JUDGED = Judgement(scores={Dimension.DEPTH: Score(score=2, quotes=("Because.",), reason="short")})
UNJUDGED = Judgement(error=Failure(code="bad_answer", message="the model's answer was not understood"))


@pytest.fixture(scope="module")
def recording() -> bytes:
    return JFK.read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def project() -> AsyncGenerator[SupabaseServer]:
    async with SupabaseServer() as project:
        yield project


@pytest.fixture
def bucket(project: SupabaseServer) -> dict[str, bytes]:
    """What lies in the bucket of recordings."""
    project.fault = None
    project.buckets = {BUCKET: {}}
    return project.buckets[BUCKET]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(postgres_url: str, template: str, project: SupabaseServer) -> AsyncGenerator[Api]:
    async with door(
        postgres_url,
        template,
        audio_store="supabase",
        audio_bucket=BUCKET,
        supabase_url=project.url,
        supabase_service_role_key=SERVICE_KEY,
    ) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api, bucket: dict[str, bytes]) -> httpx.AsyncClient:
    client = await api.client()
    client.timeout = httpx.Timeout(60)
    return client


async def analysed(api: Api, item: dict[str, Any]) -> None:
    """Do the job's work behind the API's back; of the second question nothing comes."""
    work, job_id, item_id = InterviewWork(api.database), UUID(item["jobId"]), UUID(item["id"])
    await work.begin(job_id, item_id)
    await work.keep_transcript(job_id, item_id, HEARD)
    await work.keep_questions(job_id, item_id, [QUESTION, QUESTION], "anthropic", None)
    await work.judge(job_id, item_id, 1, JUDGED, "anthropic", "claude-haiku-5-5")
    await work.judge(job_id, item_id, 2, UNJUDGED, None, None)
    shown = Analysis(summary="Say more.", improvements=("Say why.",), trend="Better than in 1 earlier interview.")
    assert await work.complete(job_id, item_id, shown, "anthropic", None, "claude-haiku-5-5")


async def test_a_recording_lies_in_the_bucket(
    server: httpx.AsyncClient, recording: bytes, project: SupabaseServer
) -> None:
    item = await give(server, recording, "ann")
    assert project.buckets[BUCKET] == {item["id"]: recording}
    assert project.types[f"{BUCKET}/{item['id']}"] == "audio/flac"


async def test_what_was_made_of_it_is_shown_and_exported(api: Api, server: httpx.AsyncClient, recording: bytes) -> None:
    item = await give(server, recording, "bob")
    await analysed(api, item)
    place = f"{ITEMS}/{item['id']}"
    shown = (await server.get(place)).json()
    assert (shown["processingStatus"], shown["answeredBy"], shown["summary"]) == ("completed", "anthropic", "Say more.")
    assert shown["transcript"]["text"] == "Why? Because."
    assert shown["transcript"]["words"][1] == {"text": "Because.", "start": 1.0, "end": 1.5, "speaker": 1}
    question, failed = shown["questions"]
    assert (question["question"], question["answer"], question["end"]) == ("Why?", "Because.", 1.5)
    assert question["scores"]["depth"] == {"score": 2, "quotes": ["Because."], "reason": "short", "confidence": 1.0}
    assert (failed["scores"], failed["feedback"], failed["error"]["code"]) == ({}, None, "bad_answer")
    assert (shown["improvements"], shown["trend"]) == (["Say why."], "Better than in 1 earlier interview.")
    [listed] = (await server.get(ITEMS, params={"userId": "bob"})).json()["timelineItems"]
    assert (listed["summary"], "transcript" in listed) == ("Say more.", False)

    text = await server.get(f"{place}/export")
    assert text.headers["content-type"].startswith("text/markdown")
    assert re.fullmatch(r'attachment; filename="interview-\d{4}-\d\d-\d\d\.md"', text.headers["content-disposition"])
    for part in ("## 1. Why?", "Not scored: the model's answer was not understood", "Say why.", "Better than in 1"):
        assert part in text.text
    for told in (
        await server.get(f"{place}/export", params={"format": "json"}),
        await server.get(f"{place}/export", headers={"accept": "application/json"}),
    ):
        assert told.headers["content-disposition"].endswith('.json"')
        assert told.json() == shown
    marked = await server.get(f"{place}/export", params={"format": "markdown"}, headers={"accept": "application/json"})
    assert marked.text == text.text
    assert (await server.get(f"{place}/export", params={"format": "pdf"})).status_code == 422


async def test_a_player_gets_the_parts_it_asks_for(api: Api, server: httpx.AsyncClient, recording: bytes) -> None:
    item = await give(server, recording, "cid")
    place = f"{ITEMS}/{item['id']}/audio"
    whole = await server.get(place)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, recording, "audio/flac")
    assert whole.headers["accept-ranges"] == "bytes"
    assert int(whole.headers["content-length"]) == len(recording)
    part = await server.get(place, headers={"range": "bytes=1000-1999", "if-range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, recording[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(recording)}"
    assert (await server.get(place, headers={"range": "bytes=-7"})).content == recording[-7:]
    other = await server.get(place, headers={"range": "bytes=1-2", "if-range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, len(recording))
    beyond = await server.get(place, headers={"range": f"bytes={len(recording)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")

    token, foreign = await api.token("read:owner:cid"), await api.token("read:owner:mallory")
    nobody = await api.client(None)
    assert (await nobody.get(place, params={"token": token})).content == recording
    assert (await nobody.get(place, params={"token": foreign})).status_code == 404
    assert (await nobody.get(place)).status_code == 401


async def test_a_path_among_the_products_objects_is_taken_from_servers(api: Api, server: httpx.AsyncClient) -> None:
    asked = {"audio": "uploads/gil/my talk.mp3"}
    answer = await server.post(ITEMS, json={"userId": "gil", **asked})
    assert (answer.status_code, answer.json()["processingStatus"]) == (201, "pending")
    row = await Interviews(api.database).get(UUID(answer.json()["id"]))
    assert row
    assert row.source == asked["audio"]
    own = await api.bearer("write:owner:gil", owner="gil")
    assert (await own.post(ITEMS, json=asked)).status_code == 404, "the service's own key reads it"


async def test_a_store_that_is_away_keeps_no_row_and_says_so(
    server: httpx.AsyncClient, recording: bytes, project: SupabaseServer
) -> None:
    item = await give(server, recording, "ida")
    project.fault = lambda _: Answer(503)
    refused = await send(server, recording, "ida")
    assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    assert refused.headers["retry-after"]
    [left] = (await server.get(ITEMS, params={"userId": "ida"})).json()["timelineItems"]
    assert left["id"] == item["id"]
    audio = await server.get(f"{ITEMS}/{item['id']}/audio")
    assert (audio.status_code, audio.json()["code"]) == (503, "store_unavailable")
    for text in (refused.text, audio.text):
        assert SERVICE_KEY not in text
        assert project.url not in text


async def test_a_store_with_a_limit_of_its_own_refuses_as_ours_does(
    server: httpx.AsyncClient, recording: bytes, project: SupabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "limit", 1000)
    answer = await send(server, recording, "leo")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await server.get(ITEMS, params={"userId": "leo"})).json()["timelineItems"] == []


async def test_a_recording_that_somebody_took_away_is_not_found(
    server: httpx.AsyncClient, recording: bytes, bucket: dict[str, bytes]
) -> None:
    item = await give(server, recording, "jan")
    del bucket[item["id"]]
    assert (await server.get(f"{ITEMS}/{item['id']}/audio")).status_code == 404
    assert (await server.delete(f"{ITEMS}/{item['id']}")).status_code == 204, "what is gone may be deleted"


async def test_a_store_that_is_away_loses_nothing_that_is_to_be_deleted(
    api: Api, server: httpx.AsyncClient, recording: bytes, project: SupabaseServer, bucket: dict[str, bytes]
) -> None:
    item = await give(server, recording, "kim")
    await analysed(api, item)
    project.fault = lambda _: Answer(503)
    assert (await server.delete(f"{ITEMS}/{item['id']}")).status_code == 204
    assert item["id"] in bucket
    await api.database.execute("UPDATE recordings_gone SET gone_at = now() - interval '5 minutes'")
    async with Supabase(project.url, SERVICE_KEY) as supabase:
        gone = GoneRecordings(Interviews(api.database), SupabaseAudio(supabase, BUCKET))
        assert await gone.tidy() == 0
        project.fault = None
        assert await gone.tidy() >= 1
    assert item["id"] not in bucket
    assert (await server.get(f"{ITEMS}/{item['id']}")).status_code == 404
    rows = await api.database.fetch("SELECT FROM interview_questions WHERE interview_id = $1", UUID(item["id"]))
    assert not rows


async def test_what_was_left_without_a_job_gets_one(api: Api, server: httpx.AsyncClient) -> None:
    interviews, ids = Interviews(api.database), [uuid4(), uuid4()]
    for interview_id in ids:
        await interviews.put(interview_id, "mia", source="https://example.com/a.mp3")
    looked_at = (await server.get(f"{ITEMS}/{ids[0]}")).json()
    assert looked_at["jobId"]
    jobs = interview_jobs(interviews, api.submitter)
    assert await jobs.left() == 0, "it is at the door still"
    await api.database.execute("UPDATE interviews SET created_at = now() - interval '5 minutes' WHERE id = $1", ids[1])
    assert await jobs.left() == 1
    assert len(await api.jobs.list(JobFilter(owner="mia"))) == 2


async def test_a_recording_that_is_on_its_way_is_waited_for(api: Api, server: httpx.AsyncClient) -> None:
    """To a store elsewhere half a gigabyte may take minutes; one whose server died never arrives."""
    interviews, interview_id = Interviews(api.database), uuid4()
    await interviews.put(interview_id, "max")
    jobs = interview_jobs(interviews, api.submitter)
    aged = "UPDATE interviews SET created_at = now() - $2::interval WHERE id = $1"
    await api.database.execute(aged, interview_id, timedelta(minutes=10))
    assert await jobs.left() == 0
    assert (await server.get(f"{ITEMS}/{interview_id}")).json()["jobId"] is None
    await api.database.execute(aged, interview_id, timedelta(hours=2))
    assert (await server.get(f"{ITEMS}/{interview_id}")).json()["jobId"]


async def test_pages_of_a_user_newest_first(api: Api, server: httpx.AsyncClient) -> None:
    ids = [uuid4() for _ in range(3)]
    for interview_id in ids:
        await Interviews(api.database).put(interview_id, "nia", source="https://example.com/a.mp3")
    first = (await server.get(ITEMS, params={"userId": "nia", "limit": 2})).json()
    rest = (await server.get(ITEMS, params={"userId": "nia", "cursor": first["nextCursor"]})).json()
    found = [one["id"] for one in first["timelineItems"] + rest["timelineItems"]]
    assert (found, rest["nextCursor"]) == ([str(one) for one in reversed(ids)], None)
