"""Interviews through the whole product, heard by Deepgram: what it answers, fails at, and calls back with."""

import base64
import json
import wave
from collections.abc import Iterator
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client as Engine

from domain.interviews.asking import Parsed
from domain.interviews.overall import Overall
from domain.interviews.rating import Judged
from domain.usage import Call
from longrun import Job
from tests.acceptance.test_logs import logs_of
from tests.support.deepgram import Listened, Mode, cut, hangs, hears, refuses, transcript
from tests.support.interview_parts import TURNS, InterviewModel
from tests.support.model_server import message
from tests.support.processes import KEY, Stack, until
from tests.support.site_server import Answer
from tests.support.sounds import JFK, RATE, spoken
from tests.support.stand_ins import SECRETS, Outside

SAID, PLAYED = "quixotic marmalade", b"zanzibarine-recording"
HEARD = [*TURNS[:-1], (TURNS[-1][0], f"{TURNS[-1][1]} It was {SAID}.")]
SECONDS = 30.0
# of more than six it is asked to call back
SHORT, LONG = 3, 8
HEADERS = {"authorization": f"Bearer {KEY}"}


async def judges(prompt: str) -> Answer:
    """The model's vendor, of the same opinions as the one in interview_parts."""
    output = Parsed if "<transcript>" in prompt else Judged if "<answer>" in prompt else Overall
    call = Call(job_id=uuid4(), step="score")
    said = await InterviewModel().ask(call, instructions="-", prompt=prompt, output=output, max_tokens=1)
    return message(said.output.model_dump_json(), prompt)


def in_turn(*modes: Mode) -> Mode:
    """One after the other, the last one for good."""
    left: Iterator[Mode] = chain(modes, repeat(modes[-1]))

    async def mode(listened: Listened) -> Answer:
        return await next(left)(listened)

    return mode


def recording(seconds: int) -> bytes:
    """A wav file with speech in it, and a remark."""
    made = BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(spoken(JFK)[: seconds * RATE].tobytes())
    remark = PLAYED + b"\0" * (len(PLAYED) % 2)
    chunk = b"INFOICMT" + len(remark).to_bytes(4, "little") + remark
    head, data = made.getvalue()[12:36], made.getvalue()[36:]
    body = b"WAVE" + head + b"LIST" + len(chunk).to_bytes(4, "little") + chunk + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


class Given:
    """An interview that was given, and its job."""

    def __init__(self, stack: Stack, seconds: int = SHORT) -> None:
        self.stack, self.owner = stack, uuid4().hex
        files, data = {"file": ("interview.wav", recording(seconds))}, {"userId": self.owner}
        answer = httpx.post(f"{stack.url}/api/timeline-items", files=files, data=data, headers=HEADERS, timeout=20)
        self.row = answer.raise_for_status().json()
        self.id, self.job_id = self.row["id"], self.row["jobId"]

    def ended(self) -> Job:
        job = self.stack.client().wait(self.job_id, 60)
        self.row = httpx.get(f"{self.stack.url}/api/timeline-items/{self.id}", headers=HEADERS, timeout=20).json()
        return job

    def waits(self) -> dict[str, Any]:
        """The waitpoint at which it waits, once it does."""
        query = "SELECT * FROM waitpoints WHERE job_id = $1 AND announced_at IS NOT NULL"
        return until(lambda: self.stack.rows(query, self.job_id), what="a wait for the call back")[0]


def called_back(stack: Stack, outside: Outside, body: Any, token: str | None = None) -> httpx.Response:
    """Deepgram calls back; the stack's own address stands for the one by which it would be reached from outside."""
    address = outside.deepgram.callback
    assert address
    path = address.partition("//")[2].partition("/")[2]
    path = path if token is None else f"{path.partition('=')[0]}={token}"
    return outside.background.run(outside.deepgram.call_back(body, f"{stack.url}/{path}"))


def history(stack: Stack, job_id: str) -> bytes:
    """All that the engine keeps of a job: its events, memo and search attributes."""

    async def ask() -> bytes:
        engine = await Engine.connect(stack.env["TEMPORAL_ADDRESS"], namespace=stack.env["TEMPORAL_NAMESPACE"])
        handle = engine.get_workflow_handle(job_id)
        events = (await handle.fetch_history()).events
        described = (await handle.describe()).raw_description
        return b"".join(event.SerializeToString() for event in events) + described.SerializeToString()

    return stack.background.run(ask())


@pytest.fixture
def outside(outside: Outside) -> Outside:
    """Deepgram hears an interview, and the model judges it."""
    outside.deepgram.mode, outside.model.mode = hears(HEARD, SECONDS), judges
    return outside


def test_a_recording_becomes_scored_answers_and_is_told_to_nobody_else(
    running: Stack, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> None:
    given = Given(running)
    job = given.ended()
    assert (job.status, job.answered_by) == ("completed", "anthropic"), job.error
    assert {step.name: step.status for step in job.steps} == dict.fromkeys(
        ("load", "transcribe", "parse_questions", "score", "store"), "completed"
    )
    assert given.row["transcript"]["text"].endswith(f"{SAID}.")
    assert {word["speaker"] for word in given.row["transcript"]["words"]} == {0, 1}
    assert len(given.row["questions"]) == 3
    assert PLAYED in outside.deepgram.listened[0].head
    assert job.usage
    assert job.usage.audio_seconds == SECONDS
    [heard] = [one for one in job.usage.by_model if one["vendor"] == "deepgram"]
    assert (heard["model"], heard["audioSeconds"], round(heard["costUsd"], 5)) == ("nova-3", 30, 0.00385)

    kept = history(running, given.job_id)
    assert given.id.encode() in kept
    logs = [path.read_bytes() for path in logs_of(tmp_path_factory.getbasetemp())]
    assert any(given.job_id.encode() in log for log in logs)
    for word in (*SAID.encode().split(), PLAYED, base64.b64encode(PLAYED)[4:-4], *map(str.encode, SECRETS.values())):
        assert word not in kept
        assert not any(word in log for log in logs)


def test_what_passes_is_waited_for_and_what_was_heard_is_paid(running: Stack, outside: Outside) -> None:
    limited = refuses(429, "TOO_MANY_REQUESTS", retry_after="1")
    outside.deepgram.mode = in_turn(limited, cut(HEARD), hears(HEARD, SECONDS))
    given = Given(running)
    job = given.ended()
    assert job.status == "completed"
    step = next(step for step in job.steps if step.name == "transcribe")
    assert (step.attempt, step.max_attempts) == (2, 3), "a rate limit is not counted"
    assert job.usage
    assert job.usage.audio_seconds == SHORT + SECONDS, "so is an answer that broke off"
    assert len(outside.deepgram.listened) == 3


def test_what_does_not_pass_ends_the_job_with_its_reason(running: Stack, outside: Outside) -> None:
    outside.deepgram.mode = refuses(401)
    given = Given(running)
    job = given.ended()
    assert job.error
    assert (job.status, job.error.code, job.error.step) == ("failed", "unauthorized", "transcribe")
    assert (given.row["processingStatus"], given.row["error"]["code"]) == ("failed", "unauthorized")
    assert len(outside.deepgram.listened) == 1


def test_a_request_that_hangs_ends_with_the_job(running: Stack, outside: Outside) -> None:
    outside.deepgram.mode = hangs
    given = Given(running)
    until(lambda: outside.deepgram.listened, what="a request")
    running.client().cancel(given.job_id)
    assert given.ended().status == "canceled"
    until(lambda: outside.deepgram.dropped, what="the end of the request")


def test_an_interview_that_is_deleted_while_it_is_heard_is_gone_with_all_of_it(
    running: Stack, outside: Outside
) -> None:
    outside.deepgram.mode = hangs
    given = Given(running)
    until(lambda: outside.deepgram.listened, what="a request")
    file = Path(running.env["LONGRUN_AUDIO_DIR"]) / given.id
    assert file.exists()
    place = f"{running.url}/api/timeline-items/{given.id}"
    assert httpx.delete(place, headers=HEADERS, timeout=20).status_code == 204
    for path in (place, f"{place}/audio", f"{place}/export"):
        assert httpx.get(path, headers=HEADERS, timeout=20).status_code == 404
    assert given.ended().status == "canceled"
    until(lambda: outside.deepgram.dropped, what="the end of the request")
    assert not file.exists()
    for table in ("interview_questions", "interview_jobs"):
        assert not running.rows(f"SELECT FROM {table} WHERE interview_id = $1", given.id)
    assert not running.rows("SELECT FROM spend WHERE job_id = $1 AND answer IS NOT NULL", given.job_id)


def test_a_long_recording_is_called_back_about(
    running: Stack, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> None:
    given = Given(running, LONG)
    point = given.waits()
    assert running.step(given.job_id, "transcribe")["status"] == "running"
    assert called_back(running, outside, transcript(HEARD, SECONDS), token="guessed").status_code == 404
    body = transcript(HEARD, SECONDS)
    assert called_back(running, outside, body).status_code == 200
    assert called_back(running, outside, body).json()["bytes"] == 0
    job = given.ended()
    assert job.status == "completed", job.error
    assert given.row["transcript"]["text"].endswith(f"{SAID}.")
    assert job.usage
    assert (job.usage.audio_seconds, len(outside.deepgram.listened)) == (SECONDS, 1)
    assert not running.rows("SELECT FROM speech_callbacks WHERE waitpoint_id = $1", point["id"])
    assert outside.deepgram.callback
    kept, logs = history(running, given.job_id), logs_of(tmp_path_factory.getbasetemp())
    for secret in (*SAID.split(), outside.deepgram.callback.rpartition("=")[2]):
        assert secret.encode() not in kept
        assert not any(secret.encode() in log.read_bytes() for log in logs)
    assert called_back(running, outside, json.dumps(body).encode()).status_code == 200


@pytest.mark.parametrize("said", [b'{"err_code": "ASR_FAILED"}', None], ids=["refusal", "never"])
def test_who_does_not_call_back_as_was_asked_is_asked_again(
    running: Stack, outside: Outside, said: bytes | None
) -> None:
    given = Given(running, LONG)
    point = given.waits()
    if said is None:
        running.post(f"/api/waitpoints/{point['id']}/complete", {"status": "failed", "error": "it will not come"})
    else:
        assert called_back(running, outside, said).status_code == 200
    job = given.ended()
    assert job.status == "completed", job.error
    assert job.usage
    assert job.usage.audio_seconds == (SECONDS if said else LONG + SECONDS), "what never came may have been heard"
    assert ["callback" in one.options for one in outside.deepgram.listened] == [True, False]


def test_nobody_waits_for_a_call_back_once_the_job_is_canceled(running: Stack, outside: Outside) -> None:
    given = Given(running, LONG)
    given.waits()
    running.client().cancel(given.job_id)
    assert given.ended().status == "canceled"
    assert called_back(running, outside, transcript(HEARD)).status_code == 409
