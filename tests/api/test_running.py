"""Runners' activities over HTTP: files, exports and JSON in, figures out, each user's own."""

import asyncio
import io
import os
import zipfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from engine.submit import Submitter
from ledger.audit import AuditLog
from ledger.database import Database
from ledger.jobs import Jobs
from ledger.steps import Steps
from settings import Settings
from tests.api.conftest import KEY, Api, serving
from tests.support.databases import cloned
from workflows.catalog import installed

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATA = Path(__file__).parents[1] / "data" / "running"
RUN = "runpandas-run.fit"
SUMMARY = {"distanceMeters": 5000, "movingSeconds": 1500, "elapsedSeconds": 1560, "avgHeartRate": 150}
GIVEN = {"name": "Lunch run", "startedAt": "2026-05-01T11:00:00Z", "summary": SUMMARY}


def upload(name: str, content: bytes | None = None) -> tuple[str, tuple[str, bytes]]:
    return "file", (name, content if content is not None else (DATA / name).read_bytes())


async def post(client: httpx.AsyncClient, user: str | None, *files: Any) -> httpx.Response:
    return await client.post("/api/activities", files=list(files), data={"userId": user} if user else {})


async def given(client: httpx.AsyncClient, user: str, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/api/activities", json=GIVEN | {"userId": user} | changed)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def archive(*names: str, **others: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name in names:
            made.write(DATA / name, f"activities/{name}")
        for name, content in others.items():
            made.writestr(name, content)
    return held.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(postgres_url: str, template: str) -> AsyncGenerator[Api]:
    """One API for all tests here, for what reads files is a process of its own; each has users of its own."""
    async with AsyncExitStack() as opened:
        url = await opened.enter_async_context(cloned(postgres_url, template))
        settings = Settings(
            database_url=url, api_keys=(KEY,), workout_max_bytes=4 * 1024**2, export_max_bytes=5 * 1024**2
        )
        database, engine = Database(url), pytest.MonkeyPatch()
        opened.push_async_callback(database.close)
        engine.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        served = serving(settings)
        address = await asyncio.to_thread(served.__enter__)
        engine.undo()
        opened.push_async_callback(asyncio.to_thread, served.__exit__, None, None, None)
        jobs = Jobs(database)
        submitter = Submitter(jobs, installed())
        yield Api(address, database, jobs, Steps(database), submitter, AuditLog(database), opened)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(api: Api) -> httpx.AsyncClient:
    client = await api.client()
    client.timeout = 60
    return client


@pytest.fixture
def ann() -> str:
    return f"ann-{uuid4().hex[:8]}"


async def test_a_file_becomes_an_activity_with_its_figures(server: httpx.AsyncClient, ann: str) -> None:
    answer = await post(server, ann, upload(RUN))
    assert answer.status_code == 201, answer.text
    activity = answer.json()
    assert answer.headers["location"] == f"/api/activities/{activity['id']}"
    assert (activity["userId"], activity["type"], activity["source"], activity["notARun"]) == (ann, "run", "fit", None)
    assert activity["startedAt"] == "2019-09-14T15:22:05Z"
    assert activity["distanceMeters"] == pytest.approx(5844, rel=0.01)
    assert activity["avgHeartRate"] == pytest.approx(130, abs=1)
    distance = activity["facts"]["distance"]
    assert distance["unit"] == "m"
    assert distance["basis"]
    kilometres = [split for split in activity["splits"] if split["unit"] == "km"]
    assert sum(split["distanceMeters"] for split in kilometres) == pytest.approx(activity["distanceMeters"], abs=1)
    assert activity["zones"]["estimated"]
    assert "highest heart rate" in activity["zones"]["basis"]
    assert (await server.get(f"/api/activities/{activity['id']}")).json() == activity


async def test_the_same_again_changes_nothing(server: httpx.AsyncClient, ann: str) -> None:
    first = (await post(server, ann, upload(RUN))).json()
    again = await post(server, ann, upload("renamed.fit", (DATA / RUN).read_bytes()))
    assert (again.status_code, again.json()) == (200, first)
    others = await post(server, f"not-{ann}", upload(RUN))
    assert others.status_code == 201
    assert others.json()["id"] != first["id"]


async def test_the_same_start_is_the_same_activity(server: httpx.AsyncClient, ann: str) -> None:
    gpx, tcx = "sweatpy-5039744860.gpx.gz", "sweatpy-5039744860.tcx.gz"
    first = await post(server, ann, upload(gpx))
    assert first.status_code == 201
    assert first.json()["notARun"], "a ride is kept, and says that it is none"
    again = await post(server, ann, upload(tcx))
    assert (again.status_code, again.json()["id"], again.json()["source"]) == (200, first.json()["id"], "gpx")


async def test_json_without_streams_has_the_summarys_own_figures(server: httpx.AsyncClient, ann: str) -> None:
    activity = await given(server, ann, someField="nobody knows")
    assert (activity["name"], activity["source"], activity["distanceMeters"]) == ("Lunch run", "json", 5000)
    assert (activity["movingSeconds"], activity["avgHeartRate"]) == (1500, 150)
    assert activity["splits"] == []
    assert not [name for name in activity["facts"] if name.startswith("best_")]


async def test_json_with_streams_is_counted(server: httpx.AsyncClient, ann: str) -> None:
    streams = {"time": list(range(601)), "distance": [3.0 * at for at in range(601)]}
    activity = await given(server, ann, summary={}, streams=streams)
    assert activity["distanceMeters"] == pytest.approx(1800, abs=1)
    assert "best_1km" in activity["facts"]
    assert activity["avgHeartRate"] is None
    assert not [name for name in activity["facts"] if "heart" in name or "trimp" in name]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b'{"userId": "ann", ', 400, "invalid_json", None),
        (b'{"userId": "ann"}', 422, "invalid_payload", "/startedAt"),
        (b'{"startedAt": "2026-05-01T11:00:00Z"}', 422, "invalid_request", "/userId"),
        (
            b'{"userId": "ann", "startedAt": "2026-05-01T11:00:00Z", "streams": {"time": [0, 1], "distance": [0]}}',
            *(422, "invalid_streams", None),
        ),
        (b'{"userId": "ann", "startedAt": "1826-05-01T11:00:00Z"}', 422, "bad_clock", None),
    ],
)
async def test_json_that_does_not_fit(
    server: httpx.AsyncClient, body: bytes, status: int, code: str, pointer: str | None
) -> None:
    answer = await server.post("/api/activities", content=body, headers={"content-type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    if pointer:
        assert problem["errors"][0]["pointer"] == pointer


async def test_files_are_refused_one_by_one_with_a_reason(server: httpx.AsyncClient, ann: str) -> None:
    alone = await post(server, ann, upload("invalid-activity-filecrc.fit"))
    assert (alone.status_code, alone.json()["code"]) == (422, "checksum_mismatch")
    bomb = b'<?xml version="1.0"?><!DOCTYPE g [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>'
    answer = await post(
        server,
        ann,
        upload("invalid-activity-filecrc.fit"),
        upload("bomb.gpx", bomb),
        upload("notes.txt", b"just words"),
        upload("cut.fit", (DATA / RUN).read_bytes()[:30_000]),
        upload("garmin-fenix-5-run.fit"),
        upload("garmin-fenix-5-run.fit"),
    )
    assert answer.status_code == 207
    files = answer.json()["files"]
    assert [(one["status"], one["code"]) for one in files] == [
        ("refused", "checksum_mismatch"),
        ("refused", "unsafe_xml"),
        ("refused", "unknown_format"),
        ("refused", files[3]["code"]),
        ("new", None),
        ("known", None),
    ]
    assert all(one["reason"] for one in files[:4])
    listed = (await server.get("/api/activities", params={"userId": ann})).json()["activities"]
    assert [one["id"] for one in listed] == [files[4]["activity"]["id"]]


async def test_an_export_is_a_job(server: httpx.AsyncClient, api: Api, ann: str) -> None:
    answer = await post(server, ann, upload("export.zip", archive(RUN)))
    assert answer.status_code == 202
    started = answer.json()
    assert started["jobType"] == "import-run-export"
    row = await api.jobs.get(UUID(started["jobId"]))
    assert row
    assert row.owner == ann
    again = await post(server, ann, upload("export.zip", archive(RUN)))
    assert again.json()["jobId"] == started["jobId"], "who asks again joins the one that is open"
    files = await server.get(f"/api/activities/imports/{started['jobId']}")
    assert files.json() == {"files": [], "nextAfter": None}


async def test_an_import_is_of_what_its_owner_uploaded(server: httpx.AsyncClient, ann: str) -> None:
    started = (await post(server, ann, upload("export.zip", archive(RUN)))).json()
    job = (await server.get(f"/api/jobs/{started['jobId']}")).json()
    asked = {"jobType": "import-run-export", "payload": job["payload"]}
    assert (await server.post("/api/jobs", json=asked)).status_code == 202
    stolen = asked | {"payload": job["payload"] | {"userId": "bob"}}
    answer = await server.post("/api/jobs", json=stolen)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_found")
    assert answer.json()["errors"][0]["pointer"] == "/payload/export"


async def test_bodies_have_their_own_limits(server: httpx.AsyncClient, api: Api, ann: str) -> None:
    much = {"time": list(range(120_000)), "altitude": [100.25] * 120_000}
    assert (await given(server, ann, streams=much))["id"], "more than other bodies may hold"
    noise = os.urandom(4 * 1024**2 + 1)
    large = await post(server, ann, upload("large.fit", noise))
    assert (large.status_code, large.json()["code"]) == (422, "too_large")
    export = await post(server, ann, upload("large.zip", b"PK\x03\x04" + noise + os.urandom(1024**2)))
    assert (export.status_code, export.json()["code"]) == (413, "payload_too_large")
    body = await post(server, ann, upload("large.zip", noise), upload("large.zip", noise))
    assert (body.status_code, body.json()["code"]) == (413, "payload_too_large")
    told = {"userId": ann, "startedAt": "2026-05-01T11:00:00Z", "name": "a" * 4 * 1024**2}
    assert (await server.post("/api/activities", json=told)).status_code == 413
    answer = await server.post("/api/jobs", content=b" " * (1024**2 + 1))
    assert (answer.status_code, answer.json()["detail"]) == (413, "a body holds at most 1 MiB")


async def test_pages_of_a_users_activities(server: httpx.AsyncClient, ann: str) -> None:
    for day in (3, 1, 5, 2, 4):
        await given(server, ann, startedAt=f"2026-05-0{day}T11:00:00Z")
    found: list[str] = []
    query: dict[str, Any] = {"userId": ann, "limit": 2}
    while True:
        page = (await server.get("/api/activities", params=query)).json()
        found += [one["startedAt"][9] for one in page["activities"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert found == list("54321")


async def test_a_run_stands_among_the_runners_own(server: httpx.AsyncClient, ann: str) -> None:
    for day in range(1, 5):
        await given(server, ann, startedAt=f"2026-05-0{day}T11:00:00Z")
    last = await given(server, ann, startedAt="2026-05-05T11:00:00Z", summary=SUMMARY | {"movingSeconds": 1400})
    comparison = last["comparison"]
    assert comparison["runs_28d"]["value"] == 4
    assert comparison["moving_time_difference_28d"]["value"] == -100
    assert len(last["similar"]) == 3
    assert last["similar"][0]["differences"]["moving_time_difference"]["value"] == -100


async def test_two_runs_are_compared(server: httpx.AsyncClient, ann: str) -> None:
    a = await given(server, ann)
    b = await given(server, ann, startedAt="2026-05-08T11:00:00Z", summary=SUMMARY | {"distanceMeters": 6000})
    answer = await server.get("/api/activities/compare", params={"a": a["id"], "b": b["id"]})
    body = answer.json()
    assert (answer.status_code, body["a"]["id"], body["b"]["id"]) == (200, a["id"], b["id"])
    assert body["differences"]["distance_difference"]["value"] == 1000
    other = await given(server, f"not-{ann}")
    mixed = await server.get("/api/activities/compare", params={"a": a["id"], "b": other["id"]})
    assert (mixed.status_code, mixed.json()["errors"][0]["pointer"]) == (422, "?b")


async def test_a_users_heart_rates_draw_the_zones_also_of_what_was_there(server: httpx.AsyncClient, ann: str) -> None:
    activity = (await post(server, ann, upload(RUN))).json()
    assert activity["zones"]["estimated"]
    await server.put(f"/api/users/{ann}", json={"timezone": "Europe/Berlin"})
    assert (await server.get("/api/jobs", params={"owner": ann})).json()["jobs"] == [], "nothing to count again"
    for _ in range(2):
        await server.put(f"/api/users/{ann}", json={"heartRate": {"resting": 50, "max": 190}})
    [job] = (await server.get("/api/jobs", params={"owner": ann})).json()["jobs"]
    assert job["jobType"] == "refigure-runs"
    again = (await server.get(f"/api/activities/{activity['id']}")).json()
    assert not again["zones"]["estimated"]
    assert "reserve" in again["zones"]["basis"]
    assert again["zones"]["zones"][0]["fromBpm"] == 120
    assert (await server.get(f"/api/activities/{activity['id']}")).json() == again
    new = (await post(server, ann, upload("activity-small-fenix2-run.fit"))).json()
    assert not new["zones"]["estimated"]


async def test_trends_predictions_and_the_next_week(server: httpx.AsyncClient, ann: str) -> None:
    await server.put(f"/api/users/{ann}", json={"timezone": "Pacific/Auckland"})
    await given(server, ann, startedAt=(datetime.now(UTC) - timedelta(hours=3)).isoformat())
    trends = await server.get(f"/api/run-history/{ann}/trends", params={"months": 3})
    assert trends.status_code == 200
    # three hours ago may have been another month
    [month] = [period for period in trends.json()["periods"] if period["facts"]]
    assert month["facts"]["distance"]["value"] == 5000
    predictions = await server.get(f"/api/run-history/{ann}/predictions")
    assert (predictions.status_code, set(predictions.json())) == (200, {"predictions", "load"})
    suggestion = await server.get(f"/api/run-history/{ann}/suggestion")
    assert suggestion.status_code == 200
    assert suggestion.json()["sessions"]
    nobody = await server.get(f"/api/run-history/not-{ann}/trends")
    assert nobody.status_code == 200, "who has run nothing has months without figures"


async def test_a_deleted_activity_is_gone_and_may_come_again(server: httpx.AsyncClient, ann: str) -> None:
    activity = await given(server, ann)
    path = f"/api/activities/{activity['id']}"
    assert (await server.delete(path)).status_code == 204
    assert (await server.get(path)).status_code == 404
    assert (await server.delete(path)).status_code == 404
    assert (await given(server, ann))["id"] != activity["id"]


async def test_each_user_sees_and_changes_their_own(server: httpx.AsyncClient, api: Api, ann: str) -> None:
    bob = f"not-{ann}"
    activity, others = await given(server, ann), await given(server, bob)
    reader, writer = await api.bearer(f"read:owner:{ann}"), await api.bearer(f"write:owner:{ann}")
    for client in (reader, writer):
        assert (await client.get(f"/api/activities/{activity['id']}")).status_code == 200
        assert (await client.get(f"/api/activities/{others['id']}")).status_code == 404
        assert len((await client.get("/api/activities")).json()["activities"]) == 1
        for path in (
            f"/api/activities?userId={bob}",
            f"/api/activities/compare?a={activity['id']}&b={others['id']}",
            *(f"/api/run-history/{bob}/{what}" for what in ("trends", "predictions", "suggestion")),
        ):
            assert (await client.get(path)).status_code == 404, path
        assert (await client.delete(f"/api/activities/{others['id']}")).status_code == 404
        assert (await client.post("/api/activities", json=GIVEN | {"userId": bob})).status_code == 404
    assert (await reader.delete(f"/api/activities/{activity['id']}")).status_code == 404
    assert (await reader.post("/api/activities", json=GIVEN)).status_code == 404
    own = await writer.post("/api/activities", json=GIVEN | {"startedAt": "2026-06-01T11:00:00Z"})
    assert (own.status_code, own.json()["userId"]) == (201, ann)
    export = (await post(server, bob, upload("export.zip", archive(RUN)))).json()
    assert (await writer.get(f"/api/activities/imports/{export['jobId']}")).status_code == 404
    assert (await writer.delete(f"/api/activities/{activity['id']}")).status_code == 204
    for path in ("/api/activities/nonsense", f"/api/activities/{uuid4()}"):
        assert (await server.get(path)).status_code == 404
    assert (await server.get("/api/activities")).json()["errors"][0]["pointer"] == "?userId"
