"""A cancel between the dispatcher's claim and the engine's start, with its two guards and without."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from temporalio.service import RPCError

from tests.acceptance import unguarded
from tests.acceptance.conftest import Errands, StackMaker, Way, Without
from tests.acceptance.errand.kind import KIND
from tests.support.processes import Stack, until


@dataclass
class Canceled:
    """What came of a cancel between claim and start: `meanwhile` is the status while the start is under way."""

    meanwhile: str
    began: datetime
    job: dict[str, Any]


def cancel_before_start(stack: Stack, errands: Errands, way: Way, *, carried: bool = False) -> Canceled:
    """The dispatcher has claimed the job; its word to the engine is held back until the cancel is committed.

    `carried`: the engine is to hear of the cancel before a worker comes.
    """
    engine, background = way(stack.engine_proxy()), stack.background
    stack.api(TEMPORAL_ADDRESS=f"127.0.0.1:{engine.port}").start()
    worker = stack.worker()
    until(lambda: httpx.get(f"{stack.url}/readyz", timeout=10).json()["engine"] == "up", what="the engine's answer")
    errands.first.open("one")
    errands.then.open("two")

    background.call(engine.hold)
    client = stack.client()
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: stack.job(job_id)["claimed_until"], what="the claim")
    assert stack.job(job_id)["engine_started_at"] is None
    client.cancel(job_id)
    meanwhile = stack.job(job_id)["status"]
    background.run(engine.release())
    start = until(lambda: began(stack, job_id), what="the start")
    if carried:
        until(lambda: stack.job(job_id)["cancel_sent_at"], what="the cancel's way to the engine")
    worker.start()
    return Canceled(meanwhile, start, stack.ended(job_id))


def test_a_cancel_between_claim_and_start_waits_for_the_start_and_ends_it(
    make_stack: StackMaker, errands: Errands, way: Way
) -> None:
    stack = make_stack()
    seen = cancel_before_start(stack, errands, way, carried=True)
    assert seen.meanwhile == "queued"
    assert seen.job["status"] == "canceled"
    assert seen.job["finished_at"] > seen.began
    assert errands.first.arrived == 0
    audit = stack.client().audit(str(seen.job["id"]))
    assert [event.type for event in audit if event.type != "step"] == ["job", "cancel_requested", "job"]


def test_a_cancel_that_does_not_know_of_claims_closes_a_job_that_then_starts(
    make_stack: StackMaker, errands: Errands, way: Way, without: Without
) -> None:
    seen = cancel_before_start(make_stack(without(unguarded.CLAIM)), errands, way)
    assert seen.meanwhile == "canceled"
    assert seen.began > seen.job["finished_at"]


def test_without_the_second_look_a_cancel_before_the_start_is_lost(
    make_stack: StackMaker, errands: Errands, way: Way, without: Without
) -> None:
    seen = cancel_before_start(make_stack(without(unguarded.REREAD)), errands, way)
    assert seen.job["cancel_requested_at"]
    assert seen.job["status"] == "completed"


def cancel_that_nobody_carries(stack: Stack, errands: Errands, seconds: float) -> dict[str, Any]:
    """Who has claimed a cancel for so long dies before the engine hears of it, and the first step comes to its end."""
    stack.worker().start()
    job_id = stack.submit(KIND, errands.payload)
    until(lambda: errands.first.arrived == 1, what="the first step")
    # who marks the start looks for a cancel
    until(lambda: stack.job(job_id)["engine_started_at"], what="the mark of the start")
    # as the API writes it, and a dispatcher that claims it
    stack.rows(
        """UPDATE jobs SET cancel_requested_at = now(), cancel_requested_by = 'owner',
            claimed_until = now() + make_interval(secs => $2) WHERE id = $1""",
        job_id,
        seconds,
    )
    errands.then.open("two")
    errands.first.open("one")
    return stack.ended(job_id)


def test_no_step_begins_once_a_cancel_is_asked_for_though_the_engine_has_not_heard(
    make_stack: StackMaker, errands: Errands
) -> None:
    job = cancel_that_nobody_carries(make_stack(), errands, 5)
    assert job["status"] == "canceled"
    assert errands.then.arrived == 0


def test_without_the_steps_guard_a_job_goes_on_whose_end_was_asked_for(
    make_stack: StackMaker, errands: Errands, without: Without
) -> None:
    job = cancel_that_nobody_carries(make_stack(without(unguarded.CANCELING)), errands, 300)
    assert job["status"] == "completed"
    assert errands.then.arrived == 1


def began(stack: Stack, job_id: str) -> datetime | None:
    """When the engine began the job's execution; None while it knows none."""
    try:
        return stack.execution(job_id).start_time
    except RPCError:
        return None
