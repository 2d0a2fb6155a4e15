"""What the engine is told about a job: enough to be fair, nothing that names a person."""

from typing import Any
from uuid import UUID

import pytest
from temporalio.api.history.v1 import HistoryEvent

from tests.support.stack_parts import Parts

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWNER = "alice@example.org"


async def first_event(parts: Parts, job_id: UUID) -> HistoryEvent:
    await parts.dispatcher.turn()
    history = await parts.client.get_workflow_handle(str(job_id)).fetch_history()
    return history.events[0]


async def test_an_owner_is_named_in_the_payload_alone(shared: Parts) -> None:
    """A data converter may encrypt the payload; priority, summary and details are for all to read."""
    told = await first_event(shared, await shared.submit("toy", owner=OWNER))
    started = told.workflow_execution_started_event_attributes
    assert OWNER in str(started.input)
    started.ClearField("input")
    assert OWNER not in str(told)
    assert "alice" not in str(told)


async def test_each_owner_has_a_turn_of_their_own_and_who_pays_four(shared: Parts) -> None:
    asked: list[dict[str, Any]] = [
        {"owner": OWNER},
        {"owner": OWNER, "tier": "premium"},
        {"owner": "bob@example.org"},
        {},
    ]
    told = [await first_event(shared, await shared.submit("toy", **options)) for options in asked]
    free, paid, other, nobody = [event.workflow_execution_started_event_attributes.priority for event in told]
    assert free.fairness_key == paid.fairness_key
    assert len({one.fairness_key for one in (free, other, nobody)}) == 3
    assert [one.fairness_weight for one in (free, paid, other, nobody)] == [1, 4, 1, 1]
    assert {one.priority_key for one in (free, paid, other, nobody)} == {3}


async def test_a_job_may_last_as_long_as_it_was_given_and_the_engines_net_is_behind_that(shared: Parts) -> None:
    told = await first_event(shared, await shared.submit("toy", max_duration=90))
    assert told.workflow_execution_started_event_attributes.workflow_execution_timeout.seconds == 90 + 600
