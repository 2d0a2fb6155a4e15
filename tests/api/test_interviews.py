"""Interviews at the door: a row at once, whatever the engine does; a refusal with its reason for what is none."""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
import pytest_asyncio

from activities.recordings import GoneRecordings
from domain.errors import VendorError
from domain.interviews.questions import Analysis, Dimension, Judgement, Question, Score
from domain.interviews.transcript import Transcript, Word
from domain.job import Status
from engine.submit import Submitter
from intake.interviews import interview_jobs
from ledger.audit import AuditLog
from ledger.database import Database
from ledger.interview_work import InterviewWork
from ledger.interviews import Interviews
from ledger.jobs import JobFilter, Jobs
from ledger.postings import Postings
from ledger.steps import Steps
from local import ports
from providers.storage.local import LocalAudio
from settings import Settings
from tests.api.conftest import KEY, Api, serving
from tests.support.databases import cloned
from tests.support.sounds import JFK, encoded, spoken, written
from workflows.catalog import installed

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEMS = "/api/timeline-items"
MOST = 600_000
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="module")
def recording() -> bytes:
    return JFK.read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(postgres_url: str, template: str, folder: Path) -> AsyncGenerator[Api]:
    """Its engine is down."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{ports.free()}")
        async with cloned(postgres_url, template) as url, AsyncExitStack() as clients:
            database = Database(url)
            jobs = Jobs(database)
            settings = Settings(
                database_url=url, api_keys=(KEY,), deepgram_api_key="k", audio_dir=folder, audio_max_bytes=MOST
            )
            with serving(settings) as address:
                yield Api(
                    address, database, jobs, Steps(database), Submitter(jobs, installed()), AuditLog(database), clients
                )
            await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api) -> httpx.AsyncClient:
    client = await api.client()
    client.timeout = httpx.Timeout(60)
    return client


async def send(client: httpx.AsyncClient, content: bytes, user_id: str | None = None, **more: str) -> httpx.Response:
    data = {**({"userId": user_id} if user_id else {}), **more}
    return await client.post(ITEMS, files={"file": ("interview.bin", content)}, data=data, timeout=60)


async def give(client: httpx.AsyncClient, content: bytes, user_id: str, **more: str) -> dict[str, Any]:
    answer = await send(client, content, user_id, **more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{ITEMS}/{answer.json()['id']}"
    return answer.json()


async def analysed(api: Api, item: dict[str, Any]) -> None:
    """Do the job's work behind the API's back."""
    work, job_id, item_id = InterviewWork(api.database), UUID(item["jobId"]), UUID(item["id"])
    await work.begin(job_id, item_id)
    await work.keep_transcript(job_id, item_id, HEARD)
    await work.keep_questions(job_id, item_id, [QUESTION], "anthropic", None)
    await work.judge(job_id, item_id, 1, JUDGED, "anthropic", "claude-haiku-5-5")
    shown = Analysis(summary="Say more.", improvements=("Say why.",))
    assert await work.complete(job_id, item_id, shown, "anthropic", None, "claude-haiku-5-5")


async def test_a_recording_is_a_row_with_a_job_though_the_engine_is_down(
    api: Api, server: httpx.AsyncClient, recording: bytes, folder: Path
) -> None:
    item = await give(server, recording, "ann")
    assert (item["userId"], item["processingStatus"], item["container"]) == ("ann", "pending", "flac")
    assert item["durationSeconds"] == pytest.approx(11, abs=0.1)
    assert (item["transcript"], item["questions"], item["summary"], item["answeredBy"]) == (None, [], None, None)
    job = await api.jobs.get(UUID(item["jobId"]))
    assert job
    assert (job.kind, job.owner, job.payload) == ("analyse-interview", "ann", {"timelineItemId": item["id"]})
    assert job.status == Status.QUEUED
    assert (folder / item["id"]).read_bytes() == recording
    assert (await server.get(f"{ITEMS}/{item['id']}")).json() == item


async def test_what_was_made_of_it_is_shown_and_exported(api: Api, server: httpx.AsyncClient, recording: bytes) -> None:
    item = await give(server, recording, "bob")
    await analysed(api, item)
    place = f"{ITEMS}/{item['id']}"
    shown = (await server.get(place)).json()
    assert (shown["processingStatus"], shown["answeredBy"], shown["summary"]) == ("completed", "anthropic", "Say more.")
    assert shown["transcript"]["text"] == "Why? Because."
    assert shown["transcript"]["words"][1] == {"text": "Because.", "start": 1.0, "end": 1.5, "speaker": 1}
    [question] = shown["questions"]
    assert (question["question"], question["answer"], question["end"]) == ("Why?", "Because.", 1.5)
    assert question["scores"]["depth"] == {"score": 2, "quotes": ["Because."], "reason": "short", "confidence": 1.0}
    [listed] = (await server.get(ITEMS, params={"userId": "bob"})).json()["timelineItems"]
    assert (listed["summary"], "transcript" in listed) == ("Say more.", False)

    text = await server.get(f"{place}/export")
    assert text.headers["content-type"].startswith("text/markdown")
    assert re.fullmatch(r'attachment; filename="interview-\d{4}-\d\d-\d\d\.md"', text.headers["content-disposition"])
    assert "## 1. Why?" in text.text
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


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("empty", "empty_file"),
        ("text", "not_audio"),
        ("silence", "silent_audio"),
        ("truncated", "truncated_file"),
        ("picture", "no_audio_track"),
    ],
)
async def test_what_holds_no_interview_is_refused_with_its_reason(
    api: Api, server: httpx.AsyncClient, tmp_path: Path, folder: Path, what: str, code: str
) -> None:
    nothing = np.zeros(0, np.int16)
    before = set(folder.iterdir())
    made = {
        "empty": lambda: b"",
        "text": lambda: b"Interviewer: tell me about yourself.\n" * 50,
        "silence": lambda: written(tmp_path / "a.wav", np.zeros(16_000 * 5, np.int16)).read_bytes(),
        "truncated": lambda: written(tmp_path / "a.wav", spoken(JFK)).read_bytes()[:100_000],
        "picture": lambda: encoded(tmp_path / "a.mp4", nothing, picture=True).read_bytes(),
    }
    user_id = uuid4().hex
    answer = await send(server, made[what](), user_id)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert (await server.get(ITEMS, params={"userId": user_id})).json()["timelineItems"] == []
    assert set(folder.iterdir()) == before


async def test_what_is_too_large_is_refused_before_it_is_read(server: httpx.AsyncClient) -> None:
    answer = await send(server, b"\0" * (MOST + 2 * 1024**2), "dan")
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_an_address_is_a_row_whose_recording_the_job_fetches(api: Api, server: httpx.AsyncClient) -> None:
    answer = await server.post(ITEMS, json={"userId": "eva", "audio": "https://example.com/a.mp3", "extra": 1})
    assert answer.status_code == 201
    item = answer.json()
    assert (item["processingStatus"], item["durationSeconds"], item["container"]) == ("pending", None, None)
    row = await Interviews(api.database).get(UUID(item["id"]))
    assert row
    assert row.source == "https://example.com/a.mp3"
    assert (await server.get(f"{ITEMS}/{item['id']}/audio")).status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"audio": ""},
        {"audio": "ftp://example.com/a.mp3"},
        {"audio": "https://ann:secret@example.com/a.mp3"},
        {"audio": "justaname.mp3"},
        {"audio": "bucket/../a.mp3"},
        {"audio": "https://example.com/" + "x" * 2_000},
        {"audio": "https://example.com/a.mp3", "jobPositionId": "x"},
        {"audio": "https://example.com/a.mp3", "userId": ""},
    ],
)
async def test_what_does_not_fit_is_refused(server: httpx.AsyncClient, asked: dict[str, str]) -> None:
    answer = await server.post(ITEMS, json={"userId": "fay", **asked})
    assert answer.status_code == 422, answer.text
    assert "secret" not in answer.text
    assert (await server.get(ITEMS, params={"userId": "fay"})).json()["timelineItems"] == []


async def test_a_path_in_a_store_needs_the_store_and_a_server(api: Api, server: httpx.AsyncClient) -> None:
    asked = {"audio": "interviews/gil/a.mp3"}
    answer = await server.post(ITEMS, json={"userId": "gil", **asked})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_configured")
    own = await api.bearer("write:owner:gil", owner="gil")
    assert (await own.post(ITEMS, json=asked)).status_code == 404, "the service's own key reads it"


async def test_a_job_position_must_be_the_users(api: Api, server: httpx.AsyncClient, recording: bytes) -> None:
    row, _ = await Postings(api.database).put("hal", given="A job at Acme")
    item = await give(server, recording, "hal", jobPositionId=str(row.id))
    assert item["jobPositionId"] == str(row.id)
    for user_id, position_id, pointer in (("ian", str(row.id), "/jobPositionId"), ("hal", "x", "/jobPositionId")):
        answer = await send(server, recording, user_id, jobPositionId=position_id)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        sent = {"userId": user_id, "audio": "https://example.com/a.mp3", "jobPositionId": position_id}
        assert (await server.post(ITEMS, json=sent)).status_code == 422


async def test_a_token_gives_and_sees_its_own_and_no_others(api: Api, recording: bytes) -> None:
    own, other = await api.bearer("write:owner:jon", owner="jon"), await api.bearer("write:owner:mallory")
    reader = await api.bearer("read:owner:jon")
    answer = await send(own, recording)
    assert (answer.status_code, answer.json()["userId"]) == (201, "jon")
    place = f"{ITEMS}/{answer.json()['id']}"
    for path in (place, f"{place}/audio", f"{place}/export"):
        assert (await own.get(path)).status_code == 200
        assert (await other.get(path)).status_code == 404
    assert (await other.get(ITEMS, params={"userId": "jon"})).status_code == 404
    assert (await send(other, recording, "jon")).status_code == 404
    for caller in (other, reader):
        assert (await caller.delete(place)).status_code == 404
    payload = {"jobType": "analyze-interview", "payload": {"timelineItemId": answer.json()["id"]}}
    refused = await other.post("/api/jobs", json=payload)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_found")
    joined = await own.post("/api/jobs", json=payload)
    assert joined.json()["jobId"] == answer.json()["jobId"], "one job at a time is at it"


async def test_nothing_is_left_of_what_is_deleted(
    api: Api, server: httpx.AsyncClient, recording: bytes, folder: Path
) -> None:
    item = await give(server, recording, "kim")
    place = f"{ITEMS}/{item['id']}"
    assert (folder / item["id"]).exists()
    assert (await server.delete(place)).status_code == 204
    assert not (folder / item["id"]).exists()
    assert await Interviews(api.database).gone() == []
    for path in (place, f"{place}/audio", f"{place}/export"):
        assert (await server.get(path)).status_code == 404
    assert (await server.delete(place)).status_code == 404
    [job] = await api.database.fetch("SELECT cancel_reason FROM jobs WHERE id = $1", UUID(item["jobId"]))
    assert job["cancel_reason"] == "the interview was deleted"


async def test_a_store_that_is_away_loses_nothing_that_is_to_be_deleted(api: Api, tmp_path: Path) -> None:
    interviews, store = Interviews(api.database), Away(tmp_path)
    gone, interview_id = GoneRecordings(interviews, store), uuid4()
    (tmp_path / "recording").write_bytes(b"x")
    await interviews.put(interview_id, "lea")
    await store.put(str(interview_id), tmp_path / "recording")
    await interviews.delete(interview_id)
    store.away = True
    assert await gone.tidy() == 0
    store.away = False
    assert await gone.tidy() == 1
    assert not (tmp_path / str(interview_id)).exists()
    assert await gone.tidy() == 0


class Away(LocalAudio):
    away = False

    async def delete(self, key: str) -> None:
        if self.away:
            raise VendorError("the store does not answer", code="connection")
        await super().delete(key)


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


async def test_pages_of_a_user_newest_first(api: Api, server: httpx.AsyncClient) -> None:
    ids = [uuid4() for _ in range(3)]
    for interview_id in ids:
        await Interviews(api.database).put(interview_id, "nia", source="https://example.com/a.mp3")
    first = (await server.get(ITEMS, params={"userId": "nia", "limit": 2})).json()
    rest = (await server.get(ITEMS, params={"userId": "nia", "cursor": first["nextCursor"]})).json()
    found = [one["id"] for one in first["timelineItems"] + rest["timelineItems"]]
    assert (found, rest["nextCursor"]) == ([str(one) for one in reversed(ids)], None)


async def test_where_nothing_can_be_heard_the_door_says_so(
    postgres_url: str, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recording: bytes
) -> None:
    monkeypatch.setattr("providers.speech.local.NEEDED", {"no_such_module": "no-such-package"})
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{ports.free()}")
    async with cloned(postgres_url, template) as url:
        settings = Settings(database_url=url, api_keys=(KEY,), audio_dir=tmp_path)
        with serving(settings) as address:
            headers = {"Authorization": f"Bearer {KEY}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
                asked = {"userId": "ann", "audio": "https://example.com/a.mp3"}
                for answer in (await send(client, recording, "ann"), await client.post(ITEMS, json=asked)):
                    assert (answer.status_code, answer.json()["code"]) == (422, "not_configured")
                    assert "no Deepgram key is set" in answer.json()["detail"]
                assert (await client.get(ITEMS, params={"userId": "ann"})).json()["timelineItems"] == []
