"""How long, how often, where: named activity options, merged with `options.retry` here and only here.

`attempts` counts the vendor's failures and is kept by the ledger; Temporal's own maximum only stops poison.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio.common import RetryPolicy

from domain.job import Retry

DELIVERIES, SPARE = 20, 10
HEARTBEAT = timedelta(seconds=10)
PICK_UP = timedelta(seconds=15)


@dataclass(frozen=True)
class Policy:
    """Options of one activity. `attempts`: the vendor's failures after which the step has failed."""

    queue: str
    start_to_close: timedelta
    attempts: int
    schedule_to_close: timedelta = timedelta(hours=1)
    first_wait: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    longest_wait: timedelta = timedelta(seconds=30)

    @property
    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(
            initial_interval=self.first_wait,
            backoff_coefficient=self.factor,
            maximum_interval=max(self.first_wait, self.longest_wait),
            maximum_attempts=max(DELIVERIES, self.attempts + SPARE),
        )

    @property
    def silence_seconds(self) -> int:
        """For how long nothing may be heard of such a step: an attempt, or the pause before it, and its pick-up."""
        return math.ceil((max(self.start_to_close, self.first_wait, self.longest_wait) + PICK_UP).total_seconds())

    def merged(self, retry: Retry | None) -> "Policy":
        """This policy with what the caller asked for."""
        if retry is None:
            return self
        attempts = retry.max_attempts or self.attempts
        first = _milliseconds(retry.min_timeout_in_ms, self.first_wait)
        # who says the longest wait alone means it for the first one too
        longest = _milliseconds(retry.max_timeout_in_ms, max(first, self.longest_wait))
        return replace(
            self,
            attempts=attempts,
            first_wait=min(first, longest),
            longest_wait=longest,
            factor=retry.factor or self.factor,
            # all attempts that were asked for have their time
            schedule_to_close=max(self.schedule_to_close, attempts * (self.start_to_close + longest)),
        )


def _milliseconds(value: int | None, default: timedelta) -> timedelta:
    return default if value is None else timedelta(milliseconds=max(value, 1))


FETCH = Policy(queue="io", start_to_close=timedelta(minutes=5), attempts=3)
MODEL = Policy(
    queue="llm",
    start_to_close=timedelta(minutes=10),
    attempts=2,
    first_wait=timedelta(seconds=2),
    longest_wait=timedelta(minutes=1),
)
# A portion of items: `attempts` are each item's own, and what a portion did stays done when it is tried again.
PORTION = replace(MODEL, start_to_close=timedelta(minutes=30), schedule_to_close=timedelta(days=1), attempts=3)
# Short work on the ledger, on the workflow's own queue: it starts there with the answer that schedules it.
WRITE = Policy(queue="workflows", start_to_close=timedelta(minutes=2), attempts=3)
# As often as it takes: each attempt goes on where the one before it ended.
ERASE = Policy(queue="io", start_to_close=timedelta(minutes=30), attempts=100, schedule_to_close=timedelta(days=7))
# The client's own time-out ends a request that is not answered, long before this does.
TASK = Policy(
    queue="io",
    start_to_close=timedelta(hours=1),
    attempts=3,
    schedule_to_close=timedelta(days=1),
)
