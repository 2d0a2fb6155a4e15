"""The checks can fail: each finds what it is for, and nothing in a job that is as it should be."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus as Ran

from tests.chaos import checks
from tests.chaos.agreement import Run, disagreement
from tests.chaos.notes import Crash, Notes
from tests.chaos.outside import Call, World
from tests.chaos.plan import groups, together
from tests.support.site_server import SiteServer
from tests.support.stand_ins import Background

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW: Mapping[str, Any] = {
    "id": "a",
    "kind": "errand",
    "status": "completed",
    "owner": "ada",
    "concurrency_key": "",
    "idempotency_key": "k",
    "event_seq": 4,
    "created_at": NOON,
    "engine_started_at": NOON,
    "started_at": NOON,
    "finished_at": NOON + timedelta(seconds=10),
    "events": ["1 job queued", "2 job running", "3 step completed", "4 job completed"],
    "steps": ["ask 2 1 completed", "tell 2 1 completed"],
}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def world() -> World:
    return World(Background(), SiteServer())


def call(world: World, step: str, seconds: float = 1, *, answered: bool = True) -> None:
    world.calls["a"].append(Call("a", step, after(seconds), answered))


@pytest.mark.parametrize(
    ("runs", "changed", "agree"),
    [
        ([Run(Ran.COMPLETED, after(0))], {}, True),
        ([Run(Ran.FAILED, after(0))], {}, False),
        ([], {}, False),
        ([Run(Ran.RUNNING, after(0))], {}, False),
        ([Run(Ran.COMPLETED, after(0)), Run(Ran.RUNNING, after(11))], {}, False),
        ([Run(Ran.COMPLETED, after(0)), Run(Ran.FAILED, after(11))], {}, True),
        ([Run(Ran.TERMINATED, after(0), after(11))], {}, True),
        ([Run(Ran.TERMINATED, after(0), after(9))], {}, True),
        ([Run(Ran.TERMINATED, after(0), after(4))], {}, False),
        ([Run(Ran.TERMINATED, after(0), after(4))], {"status": "expired"}, True),
        ([Run(Ran.TERMINATED, after(0), after(9)), Run(Ran.FAILED, after(9))], {"status": "canceled"}, True),
        ([Run(Ran.TERMINATED, after(0), after(4)), Run(Ran.FAILED, after(4))], {"status": "canceled"}, False),
        ([Run(Ran.RUNNING, after(0))], {"finished_at": None, "status": "running"}, True),
        ([], {"finished_at": None, "status": "running"}, False),
        ([], {"finished_at": None, "status": "queued", "engine_started_at": None}, True),
        ([Run(Ran.RUNNING, after(0))], {"finished_at": None, "status": "queued", "engine_started_at": None}, False),
        ([], {"status": "canceled", "engine_started_at": None, "started_at": None}, True),
        ([Run(Ran.FAILED, after(11))], {"status": "expired", "started_at": None}, True),
        ([Run(Ran.COMPLETED, after(11))], {"status": "expired", "started_at": None}, False),
        ([Run(Ran.FAILED, after(11))], {"status": "failed", "started_at": None}, False),
    ],
)
def test_both_sides_are_compared(runs: list[Run], changed: dict[str, Any], agree: bool) -> None:
    assert (disagreement({**ROW, **changed}, runs, touched=True) is None) == agree


@pytest.mark.parametrize(
    ("events", "right"),
    [
        (ROW["events"], True),
        (["1 job queued", "3 job running", "4 job completed"], False),
        (["1 job queued", "2 job completed", "3 step running", "4 step completed"], False),
        (["1 job queued", "2 job failed", "3 step failed", "4 job completed"], False),
        (["1 job queued", "2 job running", "3 step completed", "4 job failed"], False),
    ],
)
def test_events_are_read(events: list[str], right: bool) -> None:
    assert (not list(checks.told({**ROW, "events": events}))) == right


def test_calls_are_counted(world: World) -> None:
    notes = Notes("tag")
    call(world, "ask")
    assert ["never done" in why for why in checks.called(ROW, world, notes)] == [True]
    call(world, "tell")
    call(world, "tell", 2)
    assert not list(checks.called(ROW, world, notes))
    call(world, "tell", 3)
    assert ["3 times, 2 are allowed" in why for why in checks.called(ROW, world, notes)] == [True]
    notes.crashes.append(Crash("worker", after(2)))
    assert not list(checks.called(ROW, world, notes))
    call(world, "ask", 19)
    assert ["after the end" in why for why in checks.called(ROW, world, notes)] == [True]


def test_a_step_that_was_reused_is_not_called(world: World) -> None:
    call(world, "tell")
    reused = {**ROW, "steps": ["ask 2 0 completed", "tell 2 1 completed"]}
    assert not list(checks.called(reused, world, Notes("tag")))
    call(world, "ask")
    assert ["0 are allowed" in why for why in checks.called(reused, world, Notes("tag"))] == [True]


def test_a_key_is_not_used_twice_at_a_time() -> None:
    again = {**ROW, "id": "b", "started_at": after(11)}
    assert len(list(checks.keys([ROW, again]))) == 1
    assert not list(checks.keys([{**ROW, "status": "failed"}, again]))
    assert len(list(checks.keys([{**ROW, "status": "failed"}, {**again, "started_at": after(9)}]))) == 1


def test_limits_are_compared_with_those_in_force_since_the_job_came() -> None:
    notes = Notes("tag")
    notes.settings[0].since = after(-60)
    rows = [ROW, {**ROW, "id": "b", "created_at": after(5), "started_at": after(6)}]
    assert not list(checks.limits(rows, rows, notes))
    notes.limited({"total": 1, "perOwner": None, "perKey": None}, after(1), sure=True)
    notes.settings[0].until = after(2)
    assert ["number 2 where total is 1" in why for why in checks.limits(rows, rows, notes)] == [True]
    notes.limited({"total": None, "perOwner": 1, "perKey": 1}, after(5.5), sure=False)
    assert not list(checks.limits(rows, rows, notes)), "it may have been lifted in time"


def test_a_seed_asks_for_the_same_each_time() -> None:
    [*_, last] = groups(25)
    assert (last.start, last.stop) == (20, 25)
    assert together(7, last) == together(7, last) != together(8, last)
    assert {step.sequence for step in together(7, last)} == set(last)
