"""A kind of somebody else's package, through everything there is; and a worker that is asked to go."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from longrun import LongrunError
from tests.acceptance.conftest import Errands
from tests.support.processes import KEY, Service, Stack, until
from tests.support.stand_ins import Background


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    background: Background,
    places: Callable[[], dict[str, str]],
    installed: Path,
) -> Generator[Stack]:
    env = {**places(), "PYTHONPATH": str(installed)}
    stack = Stack(tmp_path_factory.mktemp("errands"), background, env)
    api, patient = stack.api(), stack.worker("patient", LONGRUN_GRACEFUL_SECONDS="20")
    stack.worker("hasty", LONGRUN_GRACEFUL_SECONDS="2")
    try:
        api.launch()
        patient.launch()
        for service in (api, patient):
            service.ready()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def patient(stack: Stack) -> Service:
    """The worker that begins; it lets what it does take its time when it is asked to go."""
    return alone(stack, "patient")


@pytest.fixture
def hasty(stack: Stack) -> Service:
    return alone(stack, "hasty")


def alone(stack: Stack, name: str) -> Service:
    """That worker, running without the other one."""
    [_, *workers] = stack.services
    [wanted] = [worker for worker in workers if worker.name == name]
    for worker in workers:
        if worker is not wanted and worker.started:
            worker.process.ask_to_stop()
            worker.gone(60)
    if not (wanted.started and wanted.process.running):
        wanted.start()
    return wanted


def test_it_is_in_the_catalogue(stack: Stack) -> None:
    [kind] = [kind for kind in stack.client().kinds() if kind.name == "errand"]
    assert kind.aliases == ("fetch-words",)
    assert [step.name for step in kind.steps] == ["ask", "tell"]
    assert set(kind.payload["properties"]) == {"first", "then"}
    refused = httpx.post(
        f"{stack.url}/api/jobs",
        json={"jobType": "fetch-words", "payload": {"first": "x"}},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=20,
    )
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/payload/then"]


def test_it_is_started_followed_and_read(stack: Stack, errands: Errands) -> None:
    client = stack.client()
    started = client.start("fetch-words", errands.payload)
    assert started.job_type == "errand"
    stream = client.stream(started.job_id)
    told = [next(stream)]
    until(lambda: errands.first.arrived == 1, what="the first step")
    errands.first.answer(0, "one")
    until(lambda: errands.then.arrived == 1, what="the second step")
    live = stack.progress(started.job_id)
    assert (live.progress.text, [step.status for step in live.steps]) == ("1/2", ["completed", "running"])
    errands.then.answer(0, "two")
    told += list(stream)
    assert told[0].event == "job"
    assert (told[-1].event, told[-1].data["result"]) == ("done", {"said": ["one", "two"]})
    steps = [(e.data["name"], e.data["status"]) for e in told if e.event == "step"]
    assert [step for step in steps if step[1] == "completed"] == [("ask", "completed"), ("tell", "completed")]
    job = client.get(started.job_id)
    assert (job.status, job.progress.text, job.result) == ("completed", "2/2", {"said": ["one", "two"]})


def test_it_is_canceled_in_the_middle(stack: Stack, errands: Errands) -> None:
    client = stack.client()
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: errands.first.arrived == 1, what="the first step")
    client.cancel(job_id)
    assert client.wait(job_id, 30).status == "canceled"
    with pytest.raises(LongrunError, match="ended"):
        client.cancel(job_id)
    assert errands.then.arrived == 0


def ask_to_go(worker: Service) -> None:
    worker.process.ask_to_stop()
    until(lambda: b"worker is stopping" in worker.log, what="the worker's leave")


def test_a_worker_that_is_asked_to_go_finishes_what_it_does(stack: Stack, patient: Service, errands: Errands) -> None:
    client = stack.client()
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: errands.first.arrived == 1, what="the first step")
    ask_to_go(patient)
    errands.first.answer(0, "one")
    assert patient.gone(60) == 0
    assert facts(stack, job_id, "ask") == {"status": "completed", "delivery": 1, "failures": 0}
    assert client.get(job_id).status == "running"
    errands.then.open("two")
    alone(stack, "hasty")
    assert client.wait(job_id, 60).is_success
    assert errands.first.arrived == 1


def test_what_outlasts_the_grace_period_is_taken_up_by_another_worker(
    stack: Stack, hasty: Service, errands: Errands
) -> None:
    client = stack.client()
    errands.first.open("one")
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: errands.then.arrived == 1, what="the second step")
    hasty.process.ask_to_stop()
    assert hasty.gone() == 0
    assert client.get(job_id).status == "running"
    hasty.start()
    until(lambda: errands.then.arrived == 2, what="the second delivery")
    errands.then.answer(1, "two")
    job = client.wait(job_id, 30)
    assert (job.status, job.result) == ("completed", {"said": ["one", "two"]})
    assert [step.attempt for step in job.steps] == [1, 1]
    assert facts(stack, job_id, "tell") == {"status": "completed", "delivery": 2, "failures": 0}
    assert errands.first.arrived == 1


def facts(stack: Stack, job_id: str, step: str) -> dict[str, Any]:
    row = stack.step(job_id, step)
    return {name: row[name] for name in ("status", "delivery", "failures")}
