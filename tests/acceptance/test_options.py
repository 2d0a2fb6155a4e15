"""Options of a start, from the request to what the running product then does."""

from itertools import pairwise

import pytest

from local import ports
from longrun import Job, Options, Retry
from tests.support.processes import Stack, until


def waits(stack: Stack, job: Job) -> list[float]:
    """Seconds from each failure of the first step to its next attempt, as the audit has them."""
    steps = [entry for entry in stack.client().audit(job.job_id) if entry.type == "step"]
    failed_then_begun = [
        (before, after)
        for before, after in pairwise(steps)
        if (before.model_extra or {})["status"] == "retrying" and (after.model_extra or {})["status"] == "running"
    ]
    return [(after.at - before.at).total_seconds() for before, after in failed_then_begun]


def refused_errand(stack: Stack, retry: Retry) -> Job:
    """An errand whose first word nobody answers for, at its end."""
    nobody = f"http://127.0.0.1:{ports.free()}/"
    client = stack.client()
    return client.wait(client.start("errand", {"first": nobody, "then": nobody}, Options(retry=retry)).job_id, 60)


@pytest.mark.parametrize("attempts", [1, 4])
def test_a_step_is_tried_as_often_as_asked_with_the_waits_asked(running: Stack, attempts: int) -> None:
    retry = Retry(max_attempts=attempts, min_timeout_in_ms=100, max_timeout_in_ms=300, factor=2)
    job = refused_errand(running, retry)
    assert job.is_failed
    assert (job.steps[0].status, job.steps[0].attempt, job.steps[0].max_attempts) == ("failed", attempts, attempts)
    asked = [0.1, 0.2, 0.3][: attempts - 1]
    waited = waits(running, job)
    assert len(waited) == len(asked)
    for seconds, least in zip(waited, asked, strict=True):
        assert least - 0.03 <= seconds < least + 2


@pytest.mark.parametrize("randomize", [False, True])
def test_random_waits_are_longer_than_the_shortest(running: Stack, randomize: bool) -> None:
    retry = Retry(max_attempts=3, min_timeout_in_ms=5000, max_timeout_in_ms=20000, factor=1, randomize=randomize)
    client = running.client()
    nobody = f"http://127.0.0.1:{ports.free()}/"
    job_id = client.start("errand", {"first": nobody, "then": nobody}, Options(retry=retry)).job_id

    def engines_wait() -> float:
        pending = running.execution(job_id).raw_description.pending_activities
        return pending[0].current_retry_interval.ToTimedelta().total_seconds() if pending else 0.0

    until(lambda: client.get(job_id).steps[0].status == "retrying", what="the first failure")
    seconds = until(engines_wait, what="the wait for the second attempt")
    assert (5.001 < seconds < 10.001) if randomize else (seconds == pytest.approx(5, abs=0.001))
    client.cancel(job_id)
    assert client.wait(job_id, 10).is_canceled
