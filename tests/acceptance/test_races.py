"""Races on real processes. Each is run again by a product that lacks its guard, and must then go wrong."""

import json
from collections.abc import Callable

import httpx
from temporalio.client import WorkflowExecutionStatus

from tests.acceptance import unguarded
from tests.acceptance.conftest import Errands, StackMaker, Way, Without
from tests.acceptance.errand.kind import KIND
from tests.support.processes import KEY, Stack, until
from tests.support.proxy import TcpProxy

SLEPT = b"what the sleeper fetched"


def zombie(stack: Stack, errands: Errands, way: Way) -> str:
    """A worker sleeps through its heartbeats; its end write arrives when another worker has done the step.

    The job, whose id is the answer, then waits in its second step.
    """
    background = stack.background
    ledger, engine = way(TcpProxy.to(stack.env["DATABASE_URL"])), way(stack.engine_proxy())
    there = {"DATABASE_URL": ledger.url(stack.env["DATABASE_URL"]), "TEMPORAL_ADDRESS": f"127.0.0.1:{engine.port}"}
    sleeper = stack.worker("sleeper", **there)
    other = stack.worker("other")
    sleeper.start()
    job_id = stack.submit(KIND, errands.payload)
    until(lambda: errands.first.arrived == 1, what="the first attempt")
    other.start()

    held = background.call(ledger.hold_at, SLEPT)
    errands.first.answer(0, SLEPT.decode())
    until(held.is_set, what="the sleeper's end write")
    sleeper.freeze()
    # the engine would go on handing tasks to the polls that the sleeper left open, each for ten seconds
    background.call(engine.refuse)
    until(lambda: errands.first.arrived == 2, 60, "the second attempt")
    errands.first.answer(1, "what the other fetched")
    until(lambda: errands.then.arrived == 1, 60, "the next step")
    assert stack.step(job_id, "ask")["status"] == "completed"

    landed = background.call(ledger.drop_next_answer_after, SLEPT)
    background.run(ledger.release())
    until(landed.is_set, what="the late write")
    background.run(engine.release())
    sleeper.thaw()
    return job_id


def ends_of(stack: Stack, job_id: str, step: str) -> int:
    """How often the ledger told that a step was completed."""
    told = "type = 'step' AND data->>'activityId' = $2 AND data->>'status' = 'completed'"
    return stack.rows(f"SELECT count(*) FROM job_events WHERE job_id = $1 AND {told}", job_id, step)[0]["count"]


def test_a_worker_that_wakes_late_changes_nothing(make_stack: StackMaker, errands: Errands, way: Way) -> None:
    stack = make_stack()
    job_id = zombie(stack, errands, way)
    errands.then.answer(0, "the second word")
    job = stack.ended(job_id)
    for worker in stack.services:
        worker.process.ask_to_stop()
        assert worker.gone() == 0
    assert stack.job(job_id) == job
    assert job["status"] == "completed"
    assert json.loads(job["result"]) == {"said": ["what the other fetched", "the second word"]}
    step = stack.step(job_id, "ask")
    assert json.loads(step["output"]) == {"said": "what the other fetched"}
    assert (step["delivery"], step["failures"]) == (2, 0)
    assert ends_of(stack, job_id, "ask") == 1
    assert errands.first.arrived == 2


def test_without_the_step_guard_the_late_worker_overwrites(
    make_stack: StackMaker, errands: Errands, way: Way, without: Without
) -> None:
    stack = make_stack(without(unguarded.STEP_GUARD))
    job_id = zombie(stack, errands, way)
    assert json.loads(stack.step(job_id, "ask")["output"]) == {"said": SLEPT.decode()}
    assert ends_of(stack, job_id, "ask") > 1


def set_back(stack: Stack, job_id: str) -> None:
    """To the beginning of its history."""
    why = ["--type", "FirstWorkflowTask", "--reason", "tried"]
    stack.temporal("workflow", "reset", "--workflow-id", job_id, *why)


def reset(stack: Stack, errands: Errands) -> str:
    """The execution is set back while the second step runs; the job then comes to its end."""
    stack.worker().start()
    errands.first.open("one")
    job_id = stack.submit(KIND, errands.payload)
    until(lambda: errands.then.arrived == 1, what="the second step")
    set_back(stack, job_id)
    until(lambda: errands.then.arrived == 2, what="the second step of the new run")
    errands.then.open("two")
    stack.ended(job_id)
    return job_id


def test_after_a_reset_steps_with_an_output_are_not_run_again(make_stack: StackMaker, errands: Errands) -> None:
    stack = make_stack()
    job_id = reset(stack, errands)
    job = stack.job(job_id)
    assert (job["status"], json.loads(job["result"])) == ("completed", {"said": ["one", "two"]})
    assert errands.first.arrived == 1
    assert [ends_of(stack, job_id, step) for step in ("ask", "tell")] == [1, 1]
    until(lambda: stack.execution(job_id).status == WorkflowExecutionStatus.COMPLETED, what="the end of the execution")

    set_back(stack, job_id)
    until(lambda: stack.execution(job_id).status == WorkflowExecutionStatus.COMPLETED, what="the second reset's end")
    assert stack.job(job_id) == job
    assert (errands.first.arrived, errands.then.arrived) == (1, 2)


def test_without_stored_outputs_a_reset_runs_everything_again(
    make_stack: StackMaker, errands: Errands, without: Without
) -> None:
    stack = make_stack(without(unguarded.STORED))
    job_id = reset(stack, errands)
    assert errands.first.arrived == 2
    assert ends_of(stack, job_id, "ask") == 2


class Asked:
    """Asking for the same job with the same key, while the ledger's answers get lost."""

    def __init__(self, stack: Stack, errands: Errands, way: Way) -> None:
        self.stack, self._errands = stack, errands
        self.ledger = way(TcpProxy.to(stack.env["DATABASE_URL"]))
        stack.api(DATABASE_URL=self.ledger.url(stack.env["DATABASE_URL"])).start()

    def ask(self, key: str) -> httpx.Response:
        body = {"jobType": "errand", "payload": self._errands.payload | {"first": f"http://{key}.test/"}}
        headers = {"authorization": f"Bearer {KEY}", "idempotency-key": key}
        return httpx.post(f"{self.stack.url}/api/jobs", json=body, headers=headers, timeout=30)

    def lose(self, key: str, times: int) -> Callable[[], bool]:
        """Commit, but lose the answer, of so many statements about that key."""
        return self.stack.background.call(self.ledger.drop_next_answer_after, key.encode(), times).is_set

    def opened(self, key: str) -> list[str]:
        found = self.stack.rows("SELECT id FROM jobs WHERE idempotency_key = $1", key)
        return [str(row["id"]) for row in found]


def test_a_commit_whose_answer_is_lost_opens_one_job(make_stack: StackMaker, errands: Errands, way: Way) -> None:
    asked = Asked(make_stack(), errands, way)
    lost = asked.lose("once-lost", 1)
    answer = asked.ask("once-lost")
    assert lost()
    assert answer.status_code == 202
    assert asked.opened("once-lost") == [answer.json()["jobId"]]

    asked.lose("twice-lost", 2)
    answer = asked.ask("twice-lost")
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger_unavailable")
    [job_id] = asked.opened("twice-lost")
    assert answer.json()["jobId"] == job_id
    again = asked.ask("twice-lost")
    assert (again.status_code, again.json()["jobId"], again.json()["isCached"]) == (200, job_id, True)
    assert asked.opened("twice-lost") == [job_id]


def test_without_the_look_up_an_error_leaves_a_job_that_nobody_knows(
    make_stack: StackMaker, errands: Errands, way: Way, without: Without
) -> None:
    asked = Asked(make_stack(without(unguarded.LOOK_UP)), errands, way)
    asked.lose("once-lost", 1)
    answer = asked.ask("once-lost")
    assert answer.status_code == 503
    assert "jobId" not in answer.json()
    assert len(asked.opened("once-lost")) == 1
