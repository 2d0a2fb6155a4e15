"""Asking again from a later step, doing one thing to many jobs, and ending what does not obey: on the real stack."""

import time
from datetime import timedelta

from temporalio.client import WorkflowExecutionStatus

from tests.acceptance.asking import standing, start
from tests.acceptance.conftest import Errands, StackMaker
from tests.support.model_server import answers, hangs
from tests.support.processes import Stack, until
from tests.support.stand_ins import Outside


def test_a_replay_from_analyze_reads_no_page_again(running: Stack, outside: Outside) -> None:
    outside.model.mode = hangs
    client, old = start(running, outside, "from-step")
    until(lambda: outside.model.requests, what="the question to the model")
    client.cancel(old)
    client.wait(old, 30)
    until(lambda: outside.model.dropped == 1, what="the end of the model call")
    for server in (outside.site, outside.github, outside.model):
        server.hits.clear()
    outside.model.mode = answers()

    again = client.wait(client.replay(old, from_step="analyze").job_id, 60)
    assert (again.status, again.answered_by) == ("completed", "anthropic")
    assert set(standing(again).values()) == {"completed"}
    assert outside.asked() == {"site": 0, "github": 0, "model": 1}
    assert len(again.result["evidence"]) > 3
    assert {shown["kind"] for shown in again.result["evidence"]} == {"page", "repository"}
    reused = [event.model_extra for event in client.audit(again.job_id) if (event.model_extra or {}).get("reused")]
    assert sorted(event["name"] for event in reused if event) == ["scrape_website", "search_github"]
    assert [
        str(row["replay_of"]) for row in running.rows("SELECT replay_of FROM jobs WHERE id = $1", again.job_id)
    ] == [old]


def test_many_jobs_are_canceled_and_replayed_over_http(running: Stack, outside: Outside) -> None:
    outside.model.mode = hangs
    client = running.client()
    ids = [start(running, outside, "bulk", role=f"Role {n}")[1] for n in range(3)]
    until(lambda: outside.model.requests == 3, what="the questions to the model")

    mine = {"owner": "bulk", "type": "research"}
    assert running.post("/api/jobs/bulk", {"action": "cancel", "filter": mine, "dryRun": True})["matched"] == 3
    bulk = running.post("/api/jobs/bulk", {"action": "cancel", "filter": mine, "reason": "not needed"})
    assert bulk["matched"] == 3
    assert {client.wait(job_id, 30).status for job_id in ids} == {"canceled"}
    [took] = running.rows(
        """SELECT max(j.finished_at) - min(b.created_at) AS time FROM jobs j, jobs b
        WHERE j.id = ANY($1) AND b.id = $2""",
        ids,
        bulk["bulkId"],
    )
    assert took["time"] < timedelta(seconds=5)
    assert client.wait(bulk["bulkId"], 30).result == {"matched": 3, "done": 3, "failed": 0, "skipped": 0}
    until(lambda: outside.model.dropped == 3, what="the end of the model calls")

    outside.model.mode = answers()
    bulk = running.post("/api/jobs/bulk", {"action": "replay", "filter": {**mine, "status": "canceled"}})
    assert client.wait(bulk["bulkId"], 30).result == {"matched": 3, "done": 3, "failed": 0, "skipped": 0}
    rows = running.rows("SELECT id, replay_of FROM jobs WHERE owner = 'bulk' AND replay_of IS NOT NULL")
    assert sorted(str(row["replay_of"]) for row in rows) == sorted(ids)
    assert {client.wait(str(row["id"]), 60).status for row in rows} == {"completed"}


def test_what_no_worker_obeys_for_is_terminated_after_its_grace(make_stack: StackMaker, errands: Errands) -> None:
    """The only worker is frozen in the middle of a step: it neither works nor hears."""
    stack = make_stack()
    worker = stack.worker()
    services = stack.api(LONGRUN_CANCEL_GRACE_SECONDS="2"), worker
    for service in services:
        service.launch()
    for service in services:
        service.ready()
    client = stack.client()
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: errands.first.arrived == 1, what="the first step")
    worker.freeze()
    asked = time.monotonic()
    client.cancel(job_id)
    job = client.wait(job_id, 60)
    assert time.monotonic() - asked >= 2
    assert (job.status, job.error and job.error.code) == ("canceled", "terminated")
    assert stack.execution(job_id).status == WorkflowExecutionStatus.TERMINATED
    last = client.audit(job_id)[-1].model_extra
    assert last
    assert (last["status"], last["error"]["code"]) == ("canceled", "terminated")

    worker.thaw()
    errands.first.open("too late")
    worker.process.ask_to_stop()
    assert worker.gone() == 0
    assert client.get(job_id) == job
    assert errands.then.arrived == 0
