"""A product with tables of its own: it asks with the ids of its rows, and finds what came of them there."""

from pathlib import Path
from uuid import UUID

import pytest

from domain.rows import RowKind
from tests.support.model_server import refuses
from tests.support.posting_parts import TEXT
from tests.support.processes import Stack, until
from tests.support.sounds import JFK, RATE, spoken, written
from tests.support.stand_ins import CONVERSATION, Outside
from tests.support.supabase_server import Row

ENDS = ("completed", "failed")


def asked(stack: Stack, outside: Outside, kind: RowKind, row_id: UUID) -> Row:
    """The product's row, once a job that was asked for by its id has ended."""
    job, field = {
        "posting": ("enrich-job-position", "jobPositionId"),
        "interview": ("analyse-interview", "timelineItemId"),
    }[kind]
    payload = {"payload": {field: str(row_id)}}
    if kind == "posting":
        assert stack.post(f"/api/v1/tasks/{job}/trigger", payload)["id"].startswith("run_")
    else:
        stack.post("/api/jobs", {"jobType": job, **payload})
    until(lambda: outside.theirs.row(kind, row_id)["processing_status"] in ENDS, 60, "the end of the row")
    return outside.theirs.row(kind, row_id)


def test_a_job_position_of_its_own(running: Stack, outside: Outside) -> None:
    outside.model.mode = refuses(400)
    row_id = outside.theirs.add("posting", description=TEXT.replace("Python", "Python m4rk4r"))
    row = asked(running, outside, "posting", row_id)
    assert (row["processing_status"], row["processing_error"]) == ("completed", None)
    assert (row["title"], row["company_name"]) == ("Senior Data Engineer", "Acme Rockets")
    log = b"".join(service.log for service in running.services)
    for secret in (b"m4rk4r", outside.supabase.url.encode()):
        assert secret not in log


def test_an_address_that_is_gone(running: Stack, outside: Outside) -> None:
    row_id = outside.theirs.add("posting", url=f"{outside.site.url}/careers/none")
    row = asked(running, outside, "posting", row_id)
    assert row["processing_status"] == "failed"
    assert "no longer" in row["processing_error"]


def test_a_recording_in_a_bucket_of_its_own(running: Stack, outside: Outside, tmp_path: Path) -> None:
    outside.model.mode = refuses(400)
    # so short that Deepgram is waited for
    sound = written(tmp_path / "talk.wav", spoken(JFK)[: 4 * RATE]).read_bytes()
    outside.supabase.buckets["uploads"] = {"ann/talk.wav": sound}
    own = running.post("/api/timeline-items", {"userId": "ann", "audio": "uploads/ann/talk.wav"})
    row_id = outside.theirs.add("interview", audio_path="uploads/ann/talk.wav")
    row = asked(running, outside, "interview", row_id)
    assert (row["processing_status"], row["processing_error"]) == ("completed", None)
    assert row["transcript"]["text"] == " ".join(text for _, text in CONVERSATION)
    assert row["duration_seconds"] == pytest.approx(4, abs=0.1)
    job = running.client().wait(own["jobId"], 60)
    assert (job.status, job.error) == ("completed", None), "what is given at our own door may lie there too"
    assert outside.supabase.buckets["uploads"]["ann/talk.wav"] == sound
