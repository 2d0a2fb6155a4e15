"""`kill -9` of each part in the middle of a job, and what is answered while a part is down."""

import json
import time
from collections.abc import Generator

import httpx
import pytest

from longrun import Client, Job, LongrunError, Options
from tests.support.house import House, build
from tests.support.model_server import Held, answers, hangs
from tests.support.processes import KEY, until
from tests.support.stand_ins import Background, Outside

STEPS = ("scrape_website", "search_github", "analyze", "store")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, background: Background, world: Outside) -> Generator[House]:
    with build(tmp_path_factory.mktemp("house"), background, world.env) as built:
        yield built


@pytest.fixture
def house(built: House) -> Generator[House]:
    yield built
    built.mend()


def start(house: House, outside: Outside, owner: str) -> tuple[Client, str]:
    client = house.stack.client()
    return client, client.start("company-research", outside.payload(), Options(owner=owner)).job_id


def in_analyze(house: House, outside: Outside, owner: str) -> tuple[Client, str]:
    """A job whose first two steps are in the ledger and whose model call hangs."""
    outside.model.mode = hangs
    client, job_id = start(house, outside, owner)
    until(lambda: outside.model.requests, what="the question to the model")
    return client, job_id


def assert_whole(house: House, outside: Outside, job: Job) -> None:
    """The full result, no attempt counted, each step ended once, each answer paid once, events without a gap."""
    assert (job.status, job.progress.text, job.answered_by) == ("completed", "4/4", "anthropic")
    assert [(step.status, step.attempt, step.error) for step in job.steps] == [("completed", 1, None)] * 4
    assert job.result["sections"]["overview"]
    assert job.result["stack"]
    events = house.stack.rows("SELECT seq, type, data FROM job_events WHERE job_id = $1 ORDER BY seq", job.job_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    ended = [json.loads(event["data"]) for event in events if '"completed"' in event["data"]]
    assert sorted(data.get("name", "the job") for data in ended) == sorted([*STEPS, "the job"])
    assert counted(house, "spend", job) == outside.model.answered
    assert counted(house, "research_briefings", job) == 1
    assert counted(house, "job_steps", job, "failures > 0") == 0


def counted(house: House, table: str, job: Job, where: str = "true") -> int:
    [row] = house.stack.rows(f"SELECT count(*) FROM {table} WHERE job_id = $1 AND {where}", job.job_id)
    return row["count"]


def test_all_three_die_in_turn_and_the_job_completes(house: House, outside: Outside, background: Background) -> None:
    held = outside.model.mode = Held()
    client, job_id = start(house, outside, "all")
    until(lambda: outside.model.requests == 1, what="the question to the model")
    before = outside.asked()
    for part in ("worker", "engine", "ledger"):
        house.kill(part)
        house.start(part)
        until(lambda: outside.model.requests >= 2, 60, "the second question, after the worker's death")
    # an engine that is away for long has the step begun once more
    until(lambda: outside.model.dropped == outside.model.requests - 1, what="the end of what nobody waits for")
    background.call(held.open)
    job = client.wait(job_id, 90)
    assert_whole(house, outside, job)
    assert outside.asked() | {"model": 1} == before
    [step] = house.stack.rows("SELECT delivery FROM job_steps WHERE job_id = $1 AND name = 'analyze'", job_id)
    assert step["delivery"] > 1


@pytest.mark.parametrize("part", ["engine", "ledger"])
def test_an_answer_outlives_the_death_of_what_records_it(
    house: House, outside: Outside, background: Background, part: str
) -> None:
    held = outside.model.mode = Held()
    client, job_id = start(house, outside, part)
    until(lambda: outside.model.requests, what="the question to the model")
    before = outside.asked()
    house.kill(part)
    background.call(held.open)
    until(lambda: outside.model.answered, what="the model's answer")
    house.start(part)
    job = client.wait(job_id, 90)
    assert_whole(house, outside, job)
    assert outside.asked() == before


def test_an_engine_that_is_down_does_not_keep_a_job_out(house: House, outside: Outside) -> None:
    house.kill("engine")
    client, job_id = start(house, outside, "engine-down")
    assert client.get(job_id).status == "queued"
    began = time.monotonic()
    with pytest.raises(LongrunError) as refused:
        client.progress(job_id)
    assert (refused.value.status, refused.value.code) == (503, "engine_unavailable")
    assert time.monotonic() - began < 6, "it is given two seconds"
    assert outside.asked() == {"site": 0, "github": 0, "model": 0}
    house.start("engine")
    assert_whole(house, outside, client.wait(job_id, 60))


def test_a_ledger_that_is_down_takes_no_job_and_says_so(house: House, outside: Outside) -> None:
    house.kill("ledger")
    body = {"jobType": "research", "payload": outside.payload(), "options": {"owner": "ledger-down"}}
    answer = httpx.post(
        f"{house.stack.url}/api/jobs", json=body, headers={"authorization": f"Bearer {KEY}"}, timeout=20
    )
    assert answer.status_code == 503
    assert answer.json()["code"] == "ledger_unavailable"
    assert "jobId" not in answer.json()
    assert answer.headers["retry-after"]
    house.start("ledger")
    assert house.stack.rows("SELECT id FROM jobs WHERE owner = 'ledger-down'") == []
    client, job_id = start(house, outside, "ledger-down")
    assert_whole(house, outside, client.wait(job_id, 60))


def test_polling_and_streams_answer_while_no_worker_lives(house: House, outside: Outside) -> None:
    client, job_id = in_analyze(house, outside, "worker-down")
    house.worker.process.ask_to_stop()
    house.worker.gone()
    job = client.get(job_id)
    assert (job.status, job.progress.text) == ("running", "2/4")
    stream = client.stream(job_id)
    first = next(stream)
    assert (first.event, first.data["progress"]["text"]) == ("job", "2/4")
    _, waiting = start(house, outside, "worker-down-too")
    assert client.get(waiting).status == "queued"
    outside.model.mode = answers()
    house.start("worker")
    *_, last = stream
    assert (last.event, last.data["status"]) == ("done", "completed")
    assert client.wait(waiting, 60).is_success
