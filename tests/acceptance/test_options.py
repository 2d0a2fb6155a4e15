"""Options of a start, from the request to what the running product then does."""

from collections.abc import Generator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
import pytest

from longrun import Budget, Debounce, Job, Options, Retry
from tests.acceptance.conftest import Errands
from tests.support.processes import KEY, Stack, until
from tests.support.stand_ins import Outside

# a port that a server picks for itself is never this one
NOBODY = {"first": "http://127.0.0.1:1/", "then": "http://127.0.0.1:1/"}


def waits(stack: Stack, job: Job) -> list[float]:
    """Seconds from each failure of the first step to its next attempt, as the audit has them."""
    steps = [entry for entry in stack.client().audit(job.job_id) if entry.type == "step"]
    failed_then_begun = [
        (before, after)
        for before, after in pairwise(steps)
        if (before.model_extra or {})["status"] == "retrying" and (after.model_extra or {})["status"] == "running"
    ]
    return [(after.at - before.at).total_seconds() for before, after in failed_then_begun]


def refused_errand(stack: Stack, retry: Retry) -> Job:
    """An errand whose first word nobody answers for, at its end."""
    client = stack.client()
    return client.wait(client.start("errand", NOBODY, Options(retry=retry)).job_id, 60)


@pytest.mark.parametrize("attempts", [1, 4])
def test_a_step_is_tried_as_often_as_asked_with_the_waits_asked(running: Stack, attempts: int) -> None:
    retry = Retry(max_attempts=attempts, min_timeout_in_ms=100, max_timeout_in_ms=300, factor=2)
    job = refused_errand(running, retry)
    assert job.is_failed
    assert (job.steps[0].status, job.steps[0].attempt, job.steps[0].max_attempts) == ("failed", attempts, attempts)
    asked = [0.1, 0.2, 0.3][: attempts - 1]
    waited = waits(running, job)
    assert len(waited) == len(asked)
    for seconds, least in zip(waited, asked, strict=True):
        assert least - 0.03 <= seconds < least + 10


@pytest.mark.parametrize("randomize", [False, True])
def test_random_waits_are_longer_than_the_shortest(running: Stack, randomize: bool) -> None:
    # so long that none of the waits is over before it has been looked at
    retry = Retry(max_attempts=3, min_timeout_in_ms=600_000, max_timeout_in_ms=2_400_000, factor=1, randomize=randomize)
    client = running.client()
    job_id = client.start("errand", NOBODY, Options(retry=retry)).job_id

    def engines_wait() -> float:
        pending = running.execution(job_id).raw_description.pending_activities
        return pending[0].current_retry_interval.ToTimedelta().total_seconds() if pending else 0.0

    until(lambda: client.get(job_id).steps[0].status == "retrying", what="the first failure")
    seconds = until(engines_wait, what="the wait for the second attempt")
    assert (600.001 < seconds < 1200.001) if randomize else (seconds == pytest.approx(600, abs=0.001))
    client.cancel(job_id)
    assert client.wait(job_id, 30).is_canceled


def asked(errands: Errands, **options: Any) -> dict[str, Any]:
    return {"jobType": "errand", "payload": errands.payload, "options": options}


@pytest.fixture
def http(running: Stack) -> Generator[httpx.Client]:
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {KEY}"}, timeout=20) as client:
        yield client


def test_an_idempotency_key_stands_for_its_job_alone_or_in_a_batch(
    running: Stack, errands: Errands, http: httpx.Client
) -> None:
    key, client = uuid4().hex, running.client()
    first = http.post("/api/jobs", json=asked(errands, idempotencyKey=key))
    again = http.post("/api/jobs", json=asked(errands), headers={"Idempotency-Key": key})
    assert (first.status_code, again.status_code) == (202, 200)
    job_id = first.json()["jobId"]
    assert (again.json()["jobId"], again.json()["isCached"]) == (job_id, True)
    batch = http.post("/api/jobs/batch", json={"items": [asked(errands, idempotencyKey=key), asked(errands)]})
    assert batch.json()["jobIds"][0] == job_id != batch.json()["jobIds"][1]
    other = asked(errands, idempotencyKey=key) | {"payload": {"first": "http://a.test/", "then": "http://b.test/"}}
    for path, body in (("/api/jobs", other), ("/api/jobs/batch", {"items": [asked(errands), other]})):
        refused = http.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")

    errands.first.open("one")
    errands.then.open("two")
    assert client.wait(job_id, 30).is_success
    assert http.post("/api/jobs", json=asked(errands, idempotencyKey=key)).json()["jobId"] == job_id
    assert client.wait(batch.json()["jobIds"][1], 30).is_success


def test_an_idempotency_key_is_freed_by_failure_by_a_cancel_before_the_start_and_by_time(
    running: Stack, errands: Errands, http: httpx.Client
) -> None:
    client, key = running.client(), uuid4().hex

    def start(key: str = key, **options: Any) -> str:
        answer = http.post("/api/jobs", json=asked(errands, idempotencyKey=key, **options))
        assert answer.is_success, answer.text
        return answer.json()["jobId"]

    waiting = start(debounce={"key": key, "delay": "5m"})
    assert start() == waiting
    client.cancel(waiting)
    late = start(maxDuration=1)
    assert late != waiting, "it never ran"
    ended = client.wait(late, 30)
    assert (ended.status, ended.error.code if ended.error else None) == ("timed_out", "max_duration")
    run = start()
    assert run != late, "it failed"
    until(lambda: client.get(run).status == "running", what="the start")
    client.cancel(run)
    assert client.wait(run, 30).is_canceled
    assert start() == run, "it ran, so a cancel keeps the key"

    brief = uuid4().hex
    timed = start(brief, idempotencyKeyTTL="1s")
    until(lambda: client.get(timed).status == "running", what="the start")
    client.cancel(timed)
    assert client.wait(timed, 30).is_canceled
    last = until(lambda: found if (found := start(brief)) != timed else None, what="the end of the key's time")
    client.cancel(last)
    assert client.wait(last, 30).is_canceled


def test_an_open_job_is_joined_and_an_ended_one_is_not(running: Stack, errands: Errands) -> None:
    client, owner = running.client(), uuid4().hex

    def start(**changed: Any) -> str:
        options = Options(owner=owner, skip_if_active=True).model_copy(update=changed)
        return client.start("errand", errands.payload, options).job_id

    first = start()
    until(lambda: errands.first.arrived == 1, what="the first step")
    assert start() == first
    assert start(owner=f"not {owner}") != first
    errands.first.open("one")
    errands.then.open("two")
    assert client.wait(first, 30).is_success
    again = start()
    assert again != first
    assert client.wait(again, 30).is_success


def test_tags_find_a_job_and_metadata_stays_with_it(running: Stack, errands: Errands) -> None:
    client, tag = running.client(), uuid4().hex
    metadata = {"n": 1, "nested": {"word": "häuser"}}
    job_id = client.start("errand", errands.payload, Options(tags=(tag, "b"), metadata=metadata)).job_id
    until(lambda: errands.first.arrived == 1, what="the first step")
    changed = client.patch(job_id, tags=[tag, "c"], metadata={"increment": {"n": 1}})
    assert (changed.tags, changed.metadata) == ((tag, "c"), metadata | {"n": 2})
    errands.first.open("one")
    errands.then.open("two")
    assert client.wait(job_id, 30).is_success
    [found] = client.list(tag=tag)
    assert (found.job_id, found.metadata) == (job_id, metadata | {"n": 2})


def test_a_job_is_stopped_at_its_budget(running: Stack, outside: Outside) -> None:
    client = running.client()
    options = Options(owner=uuid4().hex, budget=Budget(max_tokens=10))
    job = client.wait(client.start("company-research", outside.payload(), options).job_id, 60)
    assert (job.status, job.error.code if job.error else None) == ("failed", "budget_exceeded")
    assert {step.name: step.status for step in job.steps}["scrape_website"] == "completed", "what is done stays"


def test_debounced_calls_run_once_with_the_newest_payload(running: Stack, errands: Errands) -> None:
    client, key = running.client(), uuid4().hex
    options = Options(debounce=Debounce(key=key, delay="4s", mode="trailing"))
    asked_at = datetime.now(UTC)
    first = client.start("errand", errands.payload | {"first": "http://replaced.test/"}, options)
    assert first.status == "delayed"
    assert client.start("errand", errands.payload, options).job_id == first.job_id
    errands.first.open("one")
    errands.then.open("two")
    job = client.wait(first.job_id, 30)
    assert (job.is_success, job.payload) == (True, errands.payload)
    assert job.started_at
    assert (job.started_at - asked_at).total_seconds() >= 4
    later = Options(debounce=Debounce(key=key, delay="1h", mode="trailing"))
    again = client.start("errand", errands.payload, later)
    assert again.job_id != first.job_id, "the first one waits no longer"
    assert client.cancel(again.job_id).is_canceled


def test_a_job_that_waits_is_told_to_start_now(running: Stack, errands: Errands) -> None:
    client = running.client()
    waiting = Options(debounce=Debounce(key=uuid4().hex, delay="1h"))
    job_id = client.start("errand", errands.payload, waiting).job_id
    client.reschedule(job_id, "0s")
    errands.first.open("one")
    errands.then.open("two")
    assert client.wait(job_id, 30).is_success
