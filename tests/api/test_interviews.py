"""Interviews at the door: a row at once, whatever the engine does; a refusal with its reason for what is none."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
import pytest_asyncio

from activities.recordings import GoneRecordings
from domain.job import Status
from ledger.interviews import Interviews
from ledger.postings import Postings
from providers.storage.local import LocalAudio
from settings import Settings
from tests.api.conftest import KEY, Api, serving
from tests.support.databases import cloned
from tests.support.interview_door import ITEMS, MOST, door, give, send
from tests.support.sounds import JFK, RATE, encoded, spoken, written

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONGEST = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="module")
def recording() -> bytes:
    return JFK.read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(postgres_url: str, template: str, folder: Path) -> AsyncGenerator[Api]:
    async with door(postgres_url, template, audio_dir=folder, audio_max_hours=LONGEST / 3600) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api) -> httpx.AsyncClient:
    client = await api.client()
    client.timeout = httpx.Timeout(60)
    return client


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


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("empty", "empty_file"),
        ("text", "not_audio"),
        ("silence", "silent_audio"),
        ("truncated", "truncated_file"),
        ("picture", "no_audio_track"),
        ("noise", "broken_file"),
        ("sermon", "too_long"),
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
        "noise": lambda: b"OggS" + bytes(range(256)) * 40,
        "sermon": lambda: encoded(tmp_path / "a.mp3", np.resize(spoken(JFK), (LONGEST + 1) * RATE)).read_bytes(),
    }
    user_id = uuid4().hex
    answer = await send(server, made[what](), user_id)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert (await server.get(ITEMS, params={"userId": user_id})).json()["timelineItems"] == []
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("more", [1, 2 * 1024**2])
async def test_what_is_too_large_is_refused_before_it_is_read(server: httpx.AsyncClient, more: int) -> None:
    answer = await send(server, b"\0" * (MOST + more), "dan")
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
    for path in (place, f"{place}/audio", f"{place}/export"):
        assert (await server.get(path)).status_code == 404
    assert (await server.delete(place)).status_code == 404
    [job] = await api.database.fetch("SELECT cancel_reason FROM jobs WHERE id = $1", UUID(item["jobId"]))
    assert job["cancel_reason"] == "the interview was deleted"
    # its job was writing the recording meanwhile, which no cancel undoes
    (folder / item["id"]).write_bytes(recording)
    gone = GoneRecordings(Interviews(api.database), LocalAudio(folder))
    assert await gone.tidy() == 0, "it may be writing still"
    await api.database.execute("UPDATE recordings_gone SET gone_at = now() - interval '5 minutes'")
    assert await gone.tidy() == 1
    assert not (folder / item["id"]).exists()
    assert await gone.tidy() == 0


async def test_where_nothing_can_be_heard_the_door_says_so(
    postgres_url: str, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recording: bytes
) -> None:
    monkeypatch.setattr("providers.speech.local.NEEDED", {"no_such_module": "no-such-package"})
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    async with cloned(postgres_url, template) as url:
        settings = Settings(database_url=url, api_keys=(KEY,), audio_dir=tmp_path)
        with serving(settings) as address:
            headers = {"Authorization": f"Bearer {KEY}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
                asked = {"userId": "ann", "audio": "https://example.com/a.mp3"}
                job = {"jobType": "analyse-interview", "payload": {"timelineItemId": str(uuid4())}}
                for answer in (
                    await send(client, recording, "ann"),
                    await client.post(ITEMS, json=asked),
                    await client.post("/api/jobs", json=job),
                ):
                    assert (answer.status_code, answer.json()["code"]) == (422, "not_configured")
                    assert "no Deepgram key is set" in answer.json()["detail"]
                assert (await client.get(ITEMS, params={"userId": "ann"})).json()["timelineItems"] == []
