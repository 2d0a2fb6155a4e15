"""How a job's activities are run: by the policies of its steps, with what the caller has asked for merged in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow

from workflows.policies import HEARTBEAT, Policy

with workflow.unsafe.imports_passed_through():
    from domain.job import Job
    from domain.portions import Again

T = TypeVar("T")
# the engine takes no time-out of nothing
LEAST = timedelta(seconds=1)


class Executing:
    """`policies` by the names of steps."""

    def __init__(self, job: Job[Any], policies: Mapping[str, Policy]) -> None:
        self._job, self._policies = job, policies

    async def execute(
        self,
        activity_id: str | None,
        name: str,
        activity: Callable[..., Awaitable[T]],
        args: Sequence[Any],
        until: datetime | None = None,
    ) -> T:
        """Run an activity of the step `name`, tried again no later than `until`. Without an id it is no step itself."""
        policy = self._policies[name].merged(self._job.retry)
        longest = policy.schedule_to_close
        if until is not None:
            longest = min(longest, max(until - workflow.now(), LEAST))
        return await workflow.execute_activity(
            activity,
            args=args,
            activity_id=activity_id,
            task_queue=policy.queue,
            start_to_close_timeout=policy.start_to_close,
            schedule_to_close_timeout=longest,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=policy.retry_policy,
            summary=(activity_id or name).replace("_", " ").capitalize(),
        )

    def again(self, name: str) -> Again:
        """How a failed item of the step is offered again."""
        policy = self._policies[name].merged(self._job.retry)
        first, longest = policy.first_wait.total_seconds(), policy.longest_wait.total_seconds()
        return Again(attempts=policy.attempts, first_wait=first, factor=policy.factor, longest_wait=longest)
