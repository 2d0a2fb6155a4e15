"""An interview of two hours through the whole product without anybody's key: two voices in, questions with their
answers out. Most of it is silence."""

import re
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from longrun import Job
from tests.acceptance.conftest import StackMaker
from tests.support.processes import KEY, Service, Stack, until
from tests.support.voices import RATE, Samples, Voice, recording, say

ITEMS = "/api/timeline-items"
ENDS = ("completed", "failed")
ASKED = (
    "Tell me about a time when you solved a hard problem at work?",
    "Why do you want to join our company?",
)
ANSWERED = (
    "Last year our payment service was slow every morning. I measured each query and found a missing index. "
    "After I added it the pages were twice as fast.",
    "Because you build software for hospitals and I have written software for doctors for many years.",
)
SECONDS, APART = 7200.0, 5400.0
GIB = 1024**3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A recording of both questions and answers, one at its beginning, the other towards its end."""
    path, at = tmp_path / "interview.wav", 0.5
    stretches: list[tuple[float, Samples]] = []
    for number, pair in enumerate(zip(ASKED, ANSWERED, strict=True)):
        at = max(at, number * APART)
        voices: tuple[Voice, Voice] = ("high", "low")
        for voice, text in zip(voices, pair, strict=True):
            samples = say(text, voice)
            stretches.append((at, samples))
            at += len(samples) / RATE + 0.6
    recording(path, stretches, SECONDS)
    return path


def memory(*services: Service) -> int:
    """Bytes that they and what they have started hold together."""
    held = 0
    for service in services:
        process = psutil.Process(service.process.pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                held += one.memory_info().rss
    return held


def alike(one: str, other: str) -> float:
    """The share of the words of both that they have in common."""
    first, second = (set(re.findall(r"[a-z]+", text.lower())) for text in (one, other))
    return len(first & second) / len(first | second)


def pieces(stack: Stack, job_id: str) -> dict[float, str]:
    """By which transaction each piece that has been heard was written last."""
    rows = stack.rows("SELECT begins, xmin::text AS by FROM interview_pieces WHERE job_id = $1", job_id)
    return {row["begins"]: row["by"] for row in rows}


@pytest.mark.timeout(600)
def test_two_voices_give_their_questions_with_the_right_answers_though_the_worker_is_killed(
    make_stack: StackMaker, path: Path
) -> None:
    """What was heard before is not heard again; a cancel reaches who listens; all of it goes with its user."""
    stack, user_id = make_stack(), f"user-{uuid4().hex}"
    worker, api = stack.worker(), stack.api()
    for service in (worker, api):
        service.launch()
    for service in (worker, api):
        service.ready()
    client = stack.client()
    with httpx.Client(base_url=stack.url, headers={"authorization": f"Bearer {KEY}"}, timeout=60) as http:

        def send() -> dict[str, str]:
            with path.open("rb") as file:
                answer = http.post(ITEMS, files={"file": (path.name, file)}, data={"userId": user_id})
            assert answer.status_code == 201, answer.text
            return answer.json()

        item = send()
        place, job_id = f"{ITEMS}/{item['id']}", item["jobId"]

        def listened() -> Job:
            """The job, whose progress goes by the second until it goes by the answer."""
            job = client.get(job_id)
            items = job.progress.items
            if items and items.unit and items.total:
                assert (items.unit, items.total) == ("second", SECONDS)
                assert 0 < items.done <= SECONDS
            return job

        listening = "SELECT FROM job_steps WHERE job_id = $1 AND name = 'transcribe' AND status = 'running'"
        before = until(lambda: listened() and pieces(stack, job_id), 150, "the first piece")
        worker.kill()
        assert stack.rows(listening, job_id), "killed too late"
        worker.launch()
        seen: set[tuple[float, str]] = set()
        held: list[int] = []

        def over() -> bool:
            seen.update(pieces(stack, job_id).items())
            held.append(memory(worker, api))
            return listened().is_complete

        until(over, 240, "the end of the job")
        assert max(held) < GIB
        assert {by for begins, by in seen if begins in before} == set(before.values()), "it was heard again"

        found = http.get(place).json()
        assert (found["processingStatus"], found["error"]) == ("completed", None)
        assert (found["answeredBy"], found["reason"]) == ("offline", "no model key is set")
        assert len(found["questions"]) == len(ASKED)
        for one, asked, answered in zip(found["questions"], ASKED, ANSWERED, strict=True):
            assert alike(one["question"], asked) > 0.7, one["question"]
            assert alike(one["answer"], answered) > 0.7, one["answer"]
            assert any(score["score"] for score in one["scores"].values())
            assert one["feedback"]["change"]
        assert {word["speaker"] for word in found["transcript"]["words"]} == {0, 1}
        assert found["summary"]
        job = client.get(job_id)
        assert [step.name for step in job.steps] == ["load", "transcribe", "parse_questions", "score", "store"]
        assert job.answered_by == "offline"
        logs = b"".join(service.log for service in stack.services).lower()
        assert b"hospitals" in found["transcript"]["text"].lower().encode()
        assert b"hospitals" not in logs
        assert http.get(f"{place}/audio").content == path.read_bytes()
        assert "hospitals" in http.get(f"{place}/export").text

        second = send()
        until(lambda: stack.rows(listening, second["jobId"]), 60, "somebody who listens")
        client.cancel(second["jobId"])
        assert client.wait(second["jobId"], 30).status == "canceled"
        assert http.get(f"{ITEMS}/{second['id']}").json()["error"]["code"] == "canceled"

        files = [Path(stack.env["LONGRUN_AUDIO_DIR"]) / one for one in (item["id"], second["id"])]
        assert all(file.exists() for file in files)
        erasing = http.delete(f"/api/users/{user_id}").raise_for_status().json()
        assert client.wait(erasing["jobId"], 60).is_success
        assert not any(file.exists() for file in files)
        assert http.get(place).status_code == 404
        for table in ("interviews", "interview_questions", "interview_jobs", "interview_pieces", "recordings_gone"):
            assert stack.rows(f"SELECT FROM {table}") == [], table
