"""Jobs that are ended from outside while a model call hangs, and who may do so."""

import json
import socket
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.auth import fingerprint
from longrun import Client, LongrunError
from tests.acceptance.asking import run, standing, start
from tests.support.model_server import hangs
from tests.support.processes import KEY, Stack, until
from tests.support.stand_ins import Outside


def hanging(stack: Stack, outside: Outside, owner: str) -> tuple[Client, str]:
    """A job whose model call hangs."""
    outside.model.mode = hangs
    client, job_id = start(stack, outside, owner)
    until(lambda: outside.model.requests, what="the question to the model")
    return client, job_id


def assert_canceled(
    stack: Stack, outside: Outside, client: Client, job_id: str, by: str, asked: datetime | None = None
) -> None:
    """In ledger, engine and at the model's vendor within three seconds; the audit says by whom, and when unless it was
    asked elsewhere."""
    job = client.wait(job_id, 30)
    until(lambda: outside.model.dropped == 1, 3, "the end of the model call")
    [told] = [event for event in client.audit(job_id) if event.type == "cancel_requested"]
    asked = asked or told.at
    assert (job.status, job.is_canceled, job.is_complete) == ("canceled", True, True)
    assert (standing(job)["analyze"], standing(job)["store"]) == ("failed", "skipped")
    assert job.finished_at
    assert job.finished_at - asked < timedelta(seconds=3)

    def ended() -> dict[str, Any]:
        described = json.loads(stack.temporal("workflow", "describe", "--workflow-id", job_id, "--output", "json"))
        info = described["workflowExecutionInfo"]
        return info if "closeTime" in info else {}

    info = until(ended, what="the end of the execution")
    assert info["status"] == "WORKFLOW_EXECUTION_STATUS_CANCELED"
    assert datetime.fromisoformat(info["closeTime"]) - asked < timedelta(seconds=3)
    assert (told.model_extra or {})["by"] == by
    assert outside.model.requests == 1


def test_cancel_by_the_api_reaches_a_hanging_model_call(running: Stack, outside: Outside) -> None:
    client, job_id = hanging(running, outside, "cancel-api")
    client.cancel(job_id, "no longer needed")
    assert_canceled(running, outside, client, job_id, by=f"key:{fingerprint(KEY.encode())}")
    with pytest.raises(LongrunError) as refused:
        client.cancel(job_id)
    assert (refused.value.status, refused.value.code) == (409, "not_cancelable")


def test_cancel_by_the_temporal_cli_reaches_a_hanging_model_call(running: Stack, outside: Outside) -> None:
    client, job_id = hanging(running, outside, "cancel-cli")
    running.temporal("workflow", "cancel", "--workflow-id", job_id)
    shown = json.loads(running.temporal("workflow", "show", "--workflow-id", job_id, "--output", "json"))
    attributes = "workflowExecutionCancelRequestedEventAttributes"
    [(who, at)] = [
        (event[attributes]["identity"], event["eventTime"]) for event in shown["events"] if attributes in event
    ]
    assert socket.gethostname() in who
    assert_canceled(running, outside, client, job_id, by=who, asked=datetime.fromisoformat(at))


def test_the_reconciler_closes_what_was_terminated(running: Stack, outside: Outside) -> None:
    client, job_id = hanging(running, outside, "terminate")
    running.temporal("workflow", "terminate", "--workflow-id", job_id)
    assert client.get(job_id).status == "running"
    # a job just taken to the engine is left alone for two seconds
    [found] = until(
        lambda: [one for one in client.reconcile().orphaned_jobs if one["jobId"] == job_id],
        what="the reconciler's finding",
    )
    assert found["action"] == "closed"
    job = client.get(job_id)
    assert job.is_complete
    assert job.error
    assert job.error.code == "terminated"
    until(lambda: outside.model.dropped == 1, what="the end of the model call")
    assert client.get(job_id) == job


def test_another_owners_token_sees_nothing(running: Stack, outside: Outside) -> None:
    job = run(running, outside, "mine")
    minted = running.post("/api/tokens", {"owner": "theirs", "scopes": ["read:owner:theirs", "write:owner:theirs"]})
    stranger = running.client(minted["token"])
    for ask in (stranger.get, stranger.progress, stranger.audit, stranger.cancel, stranger.replay):
        with pytest.raises(LongrunError) as refused:
            ask(job.job_id)
        assert (refused.value.status, refused.value.code) == (404, "job_not_found")
    for listed in (stranger.stream(job.job_id), stranger.list(owner="mine")):
        with pytest.raises(LongrunError) as refused:
            next(listed)
        assert refused.value.status == 404
    own = running.post("/api/tokens", {"owner": "mine", "scopes": ["read:owner:mine"]})
    assert running.client(own["token"]).get(job.job_id).is_success
