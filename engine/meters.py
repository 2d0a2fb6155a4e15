"""What a process counts of its own work, for Prometheus; figures of jobs come from the ledger instead."""

import time
from typing import Any

from prometheus_client import Counter, Histogram
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from engine.dispatcher import Dispatcher

TURNS = Histogram(
    "longrun_dispatcher_turn_seconds",
    "Turns of the dispatcher in this process: claiming jobs and handing them to the engine.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
FAILED_TURNS = Counter("longrun_dispatcher_turns_failed_total", "Turns of the dispatcher that raised an error.")
ACTIVITIES = Histogram(
    "longrun_activity_seconds",
    "Attempts of activities in this process.",
    ["activity", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)


class MeteredDispatcher(Dispatcher):
    """The dispatcher, its turns counted."""

    async def turn(self) -> bool:
        with FAILED_TURNS.count_exceptions(), TURNS.time():
            return await super().turn()


class Meters(Interceptor):
    """Times each attempt of an activity; `outcome` is completed or failed (canceled ones too)."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Timed(next)


class _Timed(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        began, outcome = time.perf_counter(), "failed"
        try:
            result = await self.next.execute_activity(input)
            outcome = "completed"
            return result
        finally:
            ACTIVITIES.labels(activity.info().activity_type, outcome).observe(time.perf_counter() - began)
