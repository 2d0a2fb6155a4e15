"""Stored histories replay on today's workflows, and on no workflow that works in another order."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from engine.plugin import plugin
from tests.replay import changed
from tests.replay.histories import Stored
from tests.support.stack_parts import toy_kinds
from workflows.bulk import Bulk
from workflows.catalog import KINDS
from workflows.telling import DeliverWebhook
from workflows.upkeep import Reconcile, Tidy

OWN = {"bulk": Bulk, "deliver-webhook": DeliverWebhook, "reconcile": Reconcile, "tidy": Tidy}
OURS = {kind.name: kind.workflow for kind in (*KINDS, *toy_kinds())} | OWN
RESEARCHES = [one.what for one in Stored.all() if one.kind == "company-research"]
ENDS = {
    "success": "WORKFLOW_EXECUTION_COMPLETED",
    "failure": "WORKFLOW_EXECUTION_COMPLETED",
    "cancel": "WORKFLOW_EXECUTION_CANCELED",
    "no-evidence": "WORKFLOW_EXECUTION_FAILED",
    "outage": "WORKFLOW_EXECUTION_COMPLETED",
    "timed-out": "WORKFLOW_EXECUTION_FAILED",
    "continue-as-new-before": "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    "continue-as-new": "WORKFLOW_EXECUTION_COMPLETED",
    "answered": "WORKFLOW_EXECUTION_COMPLETED",
    # their steps cannot fail apart from the job
    "http-task.failure": "WORKFLOW_EXECUTION_FAILED",
    "erase-user.failure": "WORKFLOW_EXECUTION_FAILED",
    "import-run-export.failure": "WORKFLOW_EXECUTION_FAILED",
    "refigure-runs.failure": "WORKFLOW_EXECUTION_FAILED",
    "generate-run-letter.failure": "WORKFLOW_EXECUTION_FAILED",
    "generate-coaching-insight.failure": "WORKFLOW_EXECUTION_FAILED",
    "weekly-run-digest.failure": "WORKFLOW_EXECUTION_FAILED",
    "review-runs.failure": "WORKFLOW_EXECUTION_FAILED",
    "batch-ingest-run-history.failure": "WORKFLOW_EXECUTION_FAILED",
    "bulk-document-processing.failure": "WORKFLOW_EXECUTION_FAILED",
    "document-reprocessing.failure": "WORKFLOW_EXECUTION_FAILED",
}


async def replay(stored: Stored, workflow: type) -> None:
    """With the data converter and the sandbox that workers have."""
    await Replayer(workflows=[workflow], plugins=[plugin()]).replay_workflow(stored.history)


@pytest.mark.parametrize("stored", Stored.all(), ids=lambda stored: stored.name)
async def test_a_stored_history_replays(stored: Stored) -> None:
    await replay(stored, OURS[stored.kind])


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_has_a_success_an_isolated_failure_and_a_cancel(kind: str) -> None:
    assert {one.what for one in Stored.all() if one.kind == kind} >= {"success", "failure", "cancel"}
    assert "ACTIVITY_TASK_FAILED" in Stored.of(kind, "failure").types
    assert "ACTIVITY_TASK_FAILED" not in Stored.of(kind, "success").types


@pytest.mark.parametrize("stored", [one for one in Stored.all() if one.what in ENDS], ids=lambda stored: stored.name)
def test_a_history_ends_as_its_name_says(stored: Stored) -> None:
    assert stored.types[-1] == ENDS.get(stored.name, ENDS[stored.what])


def test_runs_before_and_after_continue_as_new_are_of_one_job() -> None:
    before, after = (Stored.of("toy-rounds", what) for what in ("continue-as-new-before", "continue-as-new"))
    assert before.history.workflow_id == after.history.workflow_id
    assert before.history.run_id != after.history.run_id


@pytest.mark.parametrize("what", RESEARCHES)
@pytest.mark.parametrize("other", [changed.AnalyzesFirst, changed.OneByOne, changed.Sleeps])
async def test_another_order_of_work_is_found(what: str, other: type) -> None:
    with pytest.raises(NondeterminismError):
        await replay(Stored.of("company-research", what), other)


@pytest.mark.parametrize("what", ["success", "failure"])
async def test_a_step_more_is_found_where_work_got_that_far(what: str) -> None:
    with pytest.raises(NondeterminismError):
        await replay(Stored.of("company-research", what), changed.LooksTwice)


@pytest.mark.parametrize("what", ["cancel", "no-evidence"])
async def test_a_step_more_may_come_where_no_job_got_that_far(what: str) -> None:
    await replay(Stored.of("company-research", what), changed.LooksTwice)


@pytest.mark.parametrize("stored", Stored.all(), ids=lambda stored: stored.name)
def test_a_history_names_no_machine(stored: Stored) -> None:
    told = "\n".join([stored.text, *(base64.b64decode(data).decode() for data in _payloads(stored.events))])
    assert not re.search(r"\d+@|File \"|\.py\b|/(home|root|tmp|usr|work|Users)/", told)
    assert set(re.findall(r'"identity": "([^"]*)"', stored.text)) == {"somebody"}


def _payloads(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        yield from (value for key, value in told.items() if key == "data" and isinstance(value, str))
        told = list(told.values())
    if isinstance(told, list):
        for value in told:
            yield from _payloads(value)
