"""A runner's years come in by one upload, and go when the runner does."""

import io
import zipfile
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.test_erasure import holding
from tests.support.processes import KEY, Stack

DATA = Path(__file__).parents[1] / "data" / "running"
FILES = (
    "runpandas-run.fit",
    "c74b49c3-6505-4874-9ef1-9f9cbd149896.gpx.gz",
    "runpandas-11km.tcx.gz",
    "invalid-activity-filecrc.fit",
    "sample-activity-indoor-trainer.fit",
)


def export() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("activities.csv", "id,date\n1,2019-09-14\n")
        for name in FILES:
            made.write(DATA / name, f"activities/{name}")
    return held.getvalue()


def test_an_export_comes_in_and_goes_with_its_runner(running: Stack) -> None:
    ann, client = f"ann-{uuid4().hex[:12]}", running.client()
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=60) as http:
        http.put(f"/api/users/{ann}", json={"heartRate": {"resting": 50, "max": 190}}).raise_for_status()
        started = http.post("/api/activities", files={"file": ("export.zip", export())}, data={"userId": ann})
        assert started.status_code == 202
        job = client.wait(started.json()["jobId"], 60)
        assert job.is_success, job.error
        told = {name: job.result[name] for name in ("total", "imported", "notRuns", "passedOver", "refused")}
        assert told == {"total": 6, "imported": 4, "notRuns": 1, "passedOver": 1, "refused": 1}
        assert job.progress.items
        assert job.progress.items.total == 6
        files = http.get(f"/api/activities/imports/{job.job_id}").json()["files"]
        [refused] = [one for one in files if one["status"] == "refused"]
        assert (refused["file"], refused["code"]) == ("activities/invalid-activity-filecrc.fit", "checksum_mismatch")
        kept = http.get("/api/activities", params={"userId": ann}).json()["activities"]
        assert [one["source"] for one in kept] == ["tcx", "gpx", "fit", "fit"]
        run = http.get(f"/api/activities/{kept[2]['id']}").json()
        assert not run["zones"]["estimated"]
        assert run["avgHeartRate"] == pytest.approx(130, abs=1), "what the watch says of it"

        assert {"workouts", "jobs", "users"} <= set(holding(running, ann))
        erasing = http.delete(f"/api/users/{ann}")
        assert client.wait(erasing.json()["jobId"], 60).is_success
        assert holding(running, ann) == {}
        assert http.get(f"/api/activities/{run['id']}").status_code == 404
        assert http.get(f"/api/activities/imports/{job.job_id}").json()["files"] == []
