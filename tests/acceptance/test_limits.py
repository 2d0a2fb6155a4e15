"""When a job may start: limits, order, delay and ttl, from the request to what the running product then does."""

from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from longrun import Job, LongrunError, Options
from tests.acceptance.conftest import Errands
from tests.support.processes import KEY, Stack, until

QUEUE = "/api/queues/errand"
NO_LIMITS: dict[str, Any] = {"total": None, "perOwner": None, "perKey": None, "startsPerMinute": None}
Change = Callable[..., None]


@pytest.fixture
def change(running: Stack) -> Generator[Change]:
    """Changes the queue of the errands, in which nobody is at first; afterwards nothing limits them."""
    client = running.client()
    for job in client.list(job_type="errand"):
        if not job.is_complete:
            with suppress(LongrunError):  # it has just ended
                client.cancel(job.job_id)
            client.wait(job.job_id, 30)
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {KEY}"}, timeout=20) as http:

        def change(**changes: Any) -> None:
            http.patch(QUEUE, json=changes).raise_for_status()

        yield change
        change(paused=False, limits=NO_LIMITS)


def start(stack: Stack, errands: Errands, **options: Any) -> str:
    return stack.client().start("errand", errands.payload, Options(**options)).job_id


def waits_for(stack: Stack, job_id: str, reason: str) -> None:
    """Until the job says that this limit is in its way."""

    def reasons() -> bool:
        waiting = (stack.client().get(job_id).model_extra or {}).get("waiting")
        return waiting is not None and waiting["reason"] == reason

    until(reasons, what=f"to wait for {reason}")


def ended(stack: Stack, job_id: str) -> Job:
    return stack.client().wait(job_id, 30)


@pytest.mark.parametrize(
    ("limit", "options", "reason"),
    [
        ("total", {}, "kind"),
        ("perOwner", {"owner": "one-at-a-time"}, "owner"),
        ("perKey", {"concurrency_key": "one-at-a-time"}, "key"),
        ("startsPerMinute", {}, "rate"),
    ],
)
def test_over_a_limit_a_job_waits_and_says_why(
    running: Stack, errands: Errands, change: Change, limit: str, options: dict[str, str], reason: str
) -> None:
    change(limits=NO_LIMITS | {limit: 1})
    first = start(running, errands, **options)
    until(lambda: errands.first.arrived == 1, what="the first to run")
    second = start(running, errands, **options)
    waits_for(running, second, reason)
    assert running.client().get(second).status == "queued"
    errands.first.open("one")
    errands.then.open("two")
    assert ended(running, first).is_success
    if limit == "startsPerMinute":
        change(limits=NO_LIMITS)
    assert ended(running, second).is_success


def test_a_paused_queue_holds_its_jobs_and_gives_them_out_by_priority(
    running: Stack, errands: Errands, change: Change
) -> None:
    errands.first.open("one")
    errands.then.open("two")
    change(paused=True, limits=NO_LIMITS | {"total": 1})
    low, urgent, usual = (start(running, errands, priority=priority) for priority in (5, 1, 3))
    for job_id in (low, urgent, usual):
        waits_for(running, job_id, "paused")
    change(paused=False)
    begun = {job_id: ended(running, job_id).started_at for job_id in (low, urgent, usual)}
    assert sorted(begun, key=lambda job_id: str(begun[job_id])) == [urgent, usual, low]


def test_a_canceled_job_gives_its_slot_to_the_next(running: Stack, errands: Errands, change: Change) -> None:
    change(limits=NO_LIMITS | {"total": 1})
    first, second, third = (start(running, errands) for _ in range(3))
    until(lambda: errands.first.arrived == 1, what="the first to run")
    waits_for(running, second, "kind")
    assert running.client().cancel(second).is_canceled
    running.client().cancel(first)
    assert ended(running, first).is_canceled
    errands.first.open("one")
    errands.then.open("two")
    assert ended(running, third).is_success


def test_a_delayed_job_waits_for_its_time(running: Stack, errands: Errands) -> None:
    errands.first.open("one")
    errands.then.open("two")
    asked_at = datetime.now(UTC)
    started = running.client().start("errand", errands.payload, Options(delay="1s"))
    assert started.status == "delayed"
    job = ended(running, started.job_id)
    assert job.is_success
    assert job.started_at
    assert (job.started_at - asked_at).total_seconds() >= 1


def test_a_job_that_is_not_started_within_its_ttl_expires(running: Stack, errands: Errands, change: Change) -> None:
    change(paused=True)
    key = uuid4().hex
    job_id = start(running, errands, ttl="1s", idempotency_key=key)
    job = ended(running, job_id)
    assert (job.status, job.error and job.error.code, job.is_failed) == ("expired", "expired", True)
    assert start(running, errands, ttl="1s", idempotency_key=key) != job_id, "its key is free again"
