"""The service's own housekeeping, started by Temporal Schedules."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from workflows.policies import HEARTBEAT

with workflow.unsafe.imports_passed_through():
    from activities.care import Care, Tidied
    from activities.upkeep import Upkeep


@workflow.defn(name="reconcile")
class Reconcile:
    """Compare ledger and engine once; answers with the report's counts."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        return await workflow.execute_activity_method(
            Upkeep.reconcile,
            task_queue="io",
            start_to_close_timeout=timedelta(minutes=4),
            heartbeat_timeout=HEARTBEAT,
            summary="Compare ledger and engine",
        )


@workflow.defn(name="tidy")
class Tidy:
    """Add up the figures and blank what is past its days; answers with how much was done."""

    @workflow.run
    async def run(self) -> Tidied:
        return await workflow.execute_activity_method(
            Care.tidy,
            task_queue="io",
            start_to_close_timeout=timedelta(minutes=4),
            heartbeat_timeout=HEARTBEAT,
            summary="Add up figures, blank what is past its days",
        )
