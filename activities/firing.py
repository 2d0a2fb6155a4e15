"""Opens the job of a schedule's firing; run as a local activity, safe to repeat."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio import activity

from domain.job import Job
from domain.model import Model

if TYPE_CHECKING:
    from domain.protocols import FiringOpener


class FiringRequest(Model):
    """Which schedule fires. The job's id is drawn by the workflow, so that a retry opens nothing twice."""

    schedule_id: str
    job_id: UUID
    workflow_id: str
    due_at: datetime


class Firing:
    def __init__(self, firings: "FiringOpener") -> None:
        self._firings = firings

    @activity.defn(name="open_firing")
    async def open_firing(self, asked: FiringRequest) -> Job[Any]:
        """Open the firing's job; a refusal ends the firing and stands in the schedule's state."""
        return await self._firings.open_firing(asked.schedule_id, asked.job_id, asked.workflow_id, asked.due_at)

    @activity.defn(name="cancel_firing")
    async def cancel_firing(self, asked: FiringRequest) -> None:
        """Note who wants the firing's job to end, so that it is seen to if it does not."""
        await self._firings.cancel_firing(asked.schedule_id, asked.job_id)
