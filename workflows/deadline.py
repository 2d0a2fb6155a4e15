"""Until when a job's work has to be done, over all the runs of its workflow."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.job import Carried, Failure, Job


class Deadline:
    """`at` and `allowed`, how long the job may take, go on from run to run."""

    def __init__(self, job: Job[Any]) -> None:
        carried = job.carried or Carried()
        self.at = carried.deadline or workflow.now() + job.max_duration
        self.allowed = carried.allowed or job.max_duration
        self._clock: asyncio.Timeout | None = None

    def within(self, limit: timedelta) -> None:
        """The job may take so long from the start of this run, and no longer than it might before."""
        at = workflow.info().start_time + limit
        if at < self.at:
            self.at, self.allowed = at, limit
        if self._clock is not None:
            self._clock.reschedule(asyncio.get_running_loop().time() + self.left)

    @property
    def left(self) -> float:
        """Seconds until the job has taken as long as it may."""
        return max(0.0, (self.at - workflow.now()).total_seconds())

    def clock(self) -> asyncio.Timeout:
        """For `async with`: what is done in it is given up at the deadline."""
        self._clock = asyncio.timeout(self.left)
        return self._clock

    @property
    def failure(self) -> Failure | None:
        """Why what was done by the clock was given up; None unless that is why."""
        if self._clock is None or not self._clock.expired():
            return None
        return Failure(code="max_duration", message=f"the job took longer than {self.allowed}")
