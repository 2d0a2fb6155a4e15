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
TIDY = "longrun-tidy"
OWN = (RECONCILE, TIDY)
EVERY = timedelta(minutes=5)


async def keep_reconciling(client: Client) -> None:
    """Have the schedule that compares ledger and engine; safe to call at every worker's start."""
    await _keep(client, RECONCILE, "reconcile", "Compare ledger and engine")


async def keep_tidying(client: Client) -> None:
    """Have the schedule that adds up figures and blanks what is past its days; safe to call at every worker's start."""
    await _keep(client, TIDY, "tidy", "Add up figures, blank what is past its days")


async def _keep(client: Client, name: str, workflow: str, summary: str) -> None:
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            workflow,
            id=name,
            task_queue=QUEUE,
            execution_timeout=timedelta(minutes=15),
            static_summary=summary,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=EVERY),
    )
    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        return
