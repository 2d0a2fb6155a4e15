"""Tasks that live in the application: one on loopback is asked, answers now or later, and is told to stop."""

import json
from collections.abc import Callable, Generator, Mapping
from typing import Any

import httpx
import pytest

from longrun import Client, Job, Options, Retry
from tests.support.application import ACCEPTED, Application, AppTask, result, signed_post
from tests.support.processes import KEY, Stack, until
from tests.support.proxy import TcpProxy
from tests.support.site_server import Answer
from tests.support.stand_ins import Background

DONE = {"success": True, "rows": 1200}
SOON = Options(retry=Retry(min_timeout_in_ms=10, max_timeout_in_ms=10))


@pytest.fixture(scope="module")
def application(background: Background) -> Generator[Application]:
    with Application(background, KEY) as application:
        yield application


@pytest.fixture(scope="module")
def engine(background: Background, places_here: Mapping[str, str]) -> Generator[TcpProxy]:
    """The way to the engine, which can be closed."""
    host, port = places_here["TEMPORAL_ADDRESS"].split(":")
    proxy = TcpProxy(host, int(port))
    background.run(proxy.__aenter__())
    yield proxy
    background.run(proxy.__aexit__())


@pytest.fixture(scope="module")
def places_here(places: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    return places()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    background: Background,
    places_here: Mapping[str, str],
    engine: TcpProxy,
    application: Application,
) -> Generator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("tasks"), background, places_here)
    env = {"LONGRUN_TASK_HOSTS": application.authority, "LONGRUN_PUBLIC_URL": f"{stack.url}/"}
    env["TEMPORAL_ADDRESS"] = f"127.0.0.1:{engine.port}"
    try:
        services = stack.api(**env), stack.worker(**env)
        for service in services:
            service.launch()
        for service in services:
            service.ready()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def client(stack: Stack) -> Client:
    return stack.client()


def start(client: Client, task: AppTask, options: Options | None = None, **payload: Any) -> str:
    return client.start("http-task", {"url": task.url, "body": {"datasetId": "123"}, **payload}, options).job_id


def accepted(stack: Stack, task: AppTask, job_id: str) -> None:
    """Wait until the job waits for the application."""
    until(lambda: stack.rows("SELECT FROM job_events WHERE job_id = $1 AND type = 'waiting'", job_id), what="the 202")
    # the audit is told from inside the activity
    until(lambda: not stack.execution(job_id).raw_description.pending_activities, what="the end of the request's step")
    assert len(task.requests()) == 1


def ended(client: Client, job_id: str) -> Job:
    return client.wait(job_id, 60)


def steps(job: Job) -> list[tuple[str, str, int]]:
    return [(step.name, step.status, step.attempt) for step in job.steps]


def test_the_kind_is_in_the_catalogue(client: Client) -> None:
    [kind] = [kind for kind in client.kinds() if kind.name == "http-task"]
    assert set(kind.payload["properties"]) == {"url", "body", "timeout"}
    assert [step.name for step in kind.steps] == ["call"]


def test_an_answer_at_once_is_the_result(client: Client, application: Application) -> None:
    task = application.task(result(DONE))
    job = ended(client, start(client, task, timeout="1h"))
    assert (job.status, job.result, steps(job)) == ("completed", DONE, [("call", "completed", 1)])
    [asked] = task.requests()
    assert asked.body == b'{"datasetId":"123"}'
    assert (
        asked.headers["webhook-id"] == asked.headers["idempotency-key"] == asked.headers["longrun-job-id"] == job.job_id
    )
    late = task.call_back(status="completed", result="something else")
    assert (late.status_code, late.json()["code"]) == (409, "not_waiting")
    assert client.get(job.job_id).result == DONE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, {"content-type": "text/plain"}, "done it"), "done it"),
        (Answer(204), None),
        (Answer(201, {"content-type": "application/problem+json"}, "[1]"), [1]),
    ],
)
def test_an_answer_is_json_or_text_or_nothing(
    client: Client, application: Application, answer: Answer, expected: Any
) -> None:
    job = ended(client, start(client, application.task(answer)))
    assert (job.status, job.result) == ("completed", expected)


def test_a_failure_is_tried_again_under_the_same_id(client: Client, application: Application) -> None:
    task = application.task(Answer(500), Answer(503, {"retry-after": "0"}), result(DONE))
    job = ended(client, start(client, task, SOON))
    assert (job.status, job.result, steps(job)) == ("completed", DONE, [("call", "completed", 3)])
    assert {asked.headers["webhook-id"] for asked in task.requests()} == {job.job_id}


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (302, 1), (500, 2)])
def test_a_refusal_is_final_and_attempts_come_to_an_end(
    client: Client, application: Application, status: int, attempts: int
) -> None:
    task = application.task(Answer(status, {"location": "/elsewhere"}))
    twice = Options(retry=Retry(max_attempts=2, min_timeout_in_ms=10))
    job = ended(client, start(client, task, twice))
    assert job.error is not None
    assert (job.status, job.error.code, job.error.step) == ("failed", f"http_{status}", "call")
    assert (len(task.requests()), len(task.requests("DELETE"))) == (attempts, 0)


def test_an_accepted_task_waits_for_its_callback(stack: Stack, client: Client, application: Application) -> None:
    task = application.task(ACCEPTED)
    job_id = start(client, task, timeout="3d")
    accepted(stack, task, job_id)
    job = client.get(job_id)
    assert (job.status, steps(job)) == ("running", [("call", "running", 1)])
    assert stack.progress(job_id).steps[0].status == "running"
    [waiting] = [event for event in client.audit(job_id) if event.type == "waiting"]
    told = waiting.wire()
    assert (told["name"], told["for"]) == ("call", "the application at 127.0.0.1")
    assert not stack.temporal("workflow", "describe", "--workflow-id", job_id, "--raw").count("pendingActivities")

    said = task.call_back(status="completed", result=DONE)
    assert (said.status_code, said.json()) == (200, {"executionId": job_id, "stepId": "call", "status": "completed"})
    job = ended(client, job_id)
    assert (job.status, job.result, steps(job)) == ("completed", DONE, [("call", "completed", 1)])
    assert len(task.requests()) == 1
    assert task.call_back(status="completed", result=DONE).status_code == 200, "saying it again changes nothing"
    assert task.call_back(status="completed", result="other").status_code == 409
    assert task.call_back(status="failed").status_code == 409
    history = stack.temporal("workflow", "show", "--workflow-id", job_id, "--output", "json")
    assert "whsec_" not in history


def test_a_callback_may_come_before_the_202(stack: Stack, client: Client, application: Application) -> None:
    task = application.task(Answer(202, delay=0.5))
    job_id = start(client, task)
    until(task.requests, what="the request")
    assert task.call_back(status="completed", result=DONE).status_code == 200
    job = ended(client, job_id)
    assert (job.status, job.result) == ("completed", DONE)


def test_a_callback_may_be_of_failure_by_step_and_by_key(
    stack: Stack, client: Client, application: Application
) -> None:
    task = application.task(ACCEPTED)
    job_id = start(client, task)
    accepted(stack, task, job_id)
    said = {"executionId": job_id, "stepId": 0, "status": "failed", "error": "the dataset is empty", "more": 1}
    stack.post("/api/workflow/update-step", said)
    job = ended(client, job_id)
    assert job.error is not None
    assert (job.status, job.error.code, job.error.message) == ("failed", "task_failed", "the dataset is empty")
    assert steps(job) == [("call", "failed", 1)]
    assert not task.requests("DELETE"), "it was the application's own word"


def test_nobody_answers_in_time(stack: Stack, client: Client, application: Application) -> None:
    task = application.task(ACCEPTED)
    job = ended(client, start(client, task, timeout=1))
    assert job.error is not None
    assert (job.status, job.error.code, steps(job)) == ("failed", "wait_timed_out", [("call", "failed", 1)])
    until(lambda: task.requests("DELETE"), what="the word that nobody wants it")
    late = task.call_back(status="completed", result=DONE)
    assert (late.status_code, late.json()["code"]) == (409, "not_waiting")


def test_a_cancel_is_told_while_it_is_asked_and_while_it_waits(
    stack: Stack, client: Client, application: Application
) -> None:
    slow, waits = application.task(Answer(200, delay=60)), application.task(ACCEPTED)
    asked, waiting = start(client, slow), start(client, waits)
    until(slow.requests, what="the request")
    accepted(stack, waits, waiting)
    for task, job_id in ((slow, asked), (waits, waiting)):
        client.cancel(job_id)
        job = ended(client, job_id)
        assert (job.status, job.steps[0].status) == ("canceled", "failed")
        [told] = until(lambda task=task: task.requests("DELETE"), what="the cancel at the application")
        assert told.headers["longrun-job-id"] == job_id
        assert told.body == b'{"type":"task.canceled","jobId":"%s"}' % job_id.encode()
        assert task.call_back(status="completed").status_code == 409


def test_a_cancel_is_told_in_a_pause_between_attempts_and_told_again(client: Client, application: Application) -> None:
    task = application.task(Answer(500), deletes=[Answer(503)])
    job_id = start(client, task, Options(retry=Retry(min_timeout_in_ms=60_000)))
    until(lambda: client.get(job_id).steps[0].status == "retrying", what="the pause")
    client.cancel(job_id)
    assert ended(client, job_id).status == "canceled"
    until(lambda: len(task.requests("DELETE")) == 2, what="the second word")
    assert len({told.headers["webhook-id"] for told in task.requests("DELETE")}) == 1


def test_a_job_whose_time_is_over_is_told_to_the_application(
    stack: Stack, client: Client, application: Application
) -> None:
    task = application.task(ACCEPTED)
    # so long that the application has accepted it before
    job_id = start(client, task, Options(max_duration=5))
    accepted(stack, task, job_id)
    assert ended(client, job_id).status == "timed_out"
    until(lambda: task.requests("DELETE"), what="the word that nobody wants it")
    [point] = stack.rows("SELECT status FROM waitpoints WHERE job_id = $1", job_id)
    assert point["status"] == "waiting"
    assert task.call_back(status="completed").status_code == 409


def test_a_task_runs_by_a_schedule(stack: Stack, application: Application) -> None:
    task = application.task(ACCEPTED)
    asked = {"jobType": "http-task", "payload": {"url": task.url, "body": {"datasetId": "7"}}, "cron": "0 0 1 1 *"}
    schedule = stack.post("/api/schedules", asked)["id"]
    stack.post(f"/api/schedules/{schedule}/trigger", {})
    until(task.requests, what="the request")
    until(
        lambda: stack.rows(
            "SELECT FROM job_events WHERE type = 'waiting' AND job_id IN (SELECT id FROM jobs WHERE schedule_id = $1)",
            schedule,
        ),
        what="the wait",
    )
    assert task.call_back(status="completed", result=DONE).status_code == 200
    [job] = until(
        lambda: stack.rows(
            "SELECT status, result FROM jobs WHERE schedule_id = $1 AND finished_at IS NOT NULL", schedule
        ),
        what="the end of the firing's job",
    )
    assert (job["status"], json.loads(job["result"])) == ("completed", DONE)


def test_tasks_of_one_key_keep_to_its_limit(stack: Stack, client: Client, application: Application) -> None:
    limits = {"limits": {"perKey": 1}}
    headers = {"authorization": f"Bearer {KEY}"}
    assert httpx.patch(f"{stack.url}/api/queues/http-task", json=limits, headers=headers, timeout=20).is_success
    keyed = Options(concurrency_key="dataset-123")
    first, second = application.task(ACCEPTED), application.task(result(DONE))
    first_id = start(client, first, keyed)
    accepted(stack, first, first_id)
    second_id = start(client, second, keyed)
    assert ended(client, start(client, application.task(result(1)))).is_success, "others are not held up"
    assert (client.get(second_id).status, second.requests()) == ("queued", [])
    assert first.call_back(status="completed").status_code == 200
    assert ended(client, second_id).result == DONE


def test_a_worker_may_go_and_another_come_while_it_waits(
    stack: Stack, client: Client, application: Application
) -> None:
    [worker] = [service for service in stack.services if service.name == "worker"]
    task = application.task(ACCEPTED)
    job_id = start(client, task)
    accepted(stack, task, job_id)
    worker.process.ask_to_stop()
    assert worker.gone() == 0
    assert task.call_back(status="completed", result=DONE).status_code == 200
    assert client.get(job_id).status == "running"
    worker.start()
    job = ended(client, job_id)
    assert (job.status, job.result, len(task.requests())) == ("completed", DONE, 1)


def test_a_callback_outlives_an_engine_that_is_down(
    stack: Stack, client: Client, application: Application, engine: TcpProxy, background: Background
) -> None:
    task = application.task(ACCEPTED)
    job_id = start(client, task)
    accepted(stack, task, job_id)
    background.call(engine.refuse)
    try:
        assert task.call_back(status="completed", result=DONE).status_code == 200
        [point] = stack.rows("SELECT status, tell_after FROM waitpoints WHERE job_id = $1", job_id)
        assert point["status"] == "completed"
        assert point["tell_after"] is not None
        assert client.get(job_id).status == "running"
    finally:
        background.run(engine.release())
    job = ended(client, job_id)
    assert (job.status, job.result) == ("completed", DONE)


def test_who_may_call_back(stack: Stack, client: Client, application: Application) -> None:
    task = application.task(ACCEPTED)
    job_id = start(client, task)
    accepted(stack, task, job_id)
    headers = task.requests()[0].headers
    url, said = headers["longrun-callback-url"], {"executionId": job_id, "status": "completed", "result": DONE}
    other = application.task(ACCEPTED)
    accepted(stack, other, start(client, other))
    foreign = other.requests()[0].headers["longrun-callback-secret"]
    assert signed_post(url, said, foreign).status_code == 401
    assert httpx.post(url, json=said, timeout=20).status_code == 401
    signed = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "nonsense"}
    assert httpx.post(url, json=said, headers=signed, timeout=20).status_code == 401
    assert stack.rows("SELECT FROM waitpoints WHERE job_id = $1 AND status = 'waiting'", job_id)
    assert signed_post(url, said, headers["longrun-callback-secret"]).status_code == 200
    assert ended(client, job_id).result == DONE


def test_only_listed_hosts_are_asked(client: Client, stack: Stack) -> None:
    asked = {"jobType": "http-task", "payload": {"url": "https://elsewhere.example/task"}}
    refused = httpx.post(f"{stack.url}/api/jobs", json=asked, headers={"authorization": f"Bearer {KEY}"}, timeout=20)
    assert (refused.status_code, refused.json()["code"]) == (422, "host_not_allowed")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/payload/url"]


def test_a_task_is_replayed_as_a_job_of_its_own(client: Client, application: Application) -> None:
    task = application.task(result(1), result(2))
    first = ended(client, start(client, task))
    second = ended(client, client.replay(first.job_id).job_id)
    assert (first.result, second.result) == (1, 2)
    assert [asked.headers["webhook-id"] for asked in task.requests()] == [first.job_id, second.job_id]
