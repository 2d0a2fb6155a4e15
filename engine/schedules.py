"""The service's own Temporal Schedules."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from engine.start import QUEUE

RECONCILE = "longrun-reconcile"
EVERY = timedelta(minutes=5)


async def keep_reconciling(client: Client) -> None:
    """Have the schedule that compares ledger and engine; safe to call at every worker's start."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "reconcile",
            id=RECONCILE,
            task_queue=QUEUE,
            execution_timeout=timedelta(minutes=15),
            static_summary="Compare ledger and engine",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=EVERY),
    )
    try:
        await client.create_schedule(RECONCILE, schedule)
    except ScheduleAlreadyRunningError:
        return
