"""The ends and notes that only a workflow knows; run as local activities, idempotent."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from temporalio import activity

from domain.errors import JobNotFound
from domain.job import Failure, Job, Outcome, Standing, Status
from domain.model import Model
from ledger.steps import Delivery

if TYPE_CHECKING:
    from domain.protocols import ChildOpener, Engine
    from ledger.jobs import Jobs
    from ledger.steps import Steps


class Note(Model):
    """A step's state that no activity could write; `at` is the workflow's clock."""

    job_id: UUID
    activity_id: str
    at: datetime
    status: Literal["failed", "skipped"]
    error: Failure | None = None


class ChildRequest(Model):
    """A job to run inside another one; the id is drawn by the workflow, so that a retry opens nothing twice."""

    parent_id: UUID
    id: UUID
    kind: str
    payload: dict[str, Any]


class Closing:
    """Writes to the ledger on a workflow's word."""

    def __init__(self, jobs: "Jobs", steps: "Steps", engine: "Engine", children: "ChildOpener") -> None:
        self._jobs, self._steps, self._engine, self._children = jobs, steps, engine, children

    @activity.defn(name="finish")
    async def finish(self, outcome: Outcome) -> Standing:
        """Write the end unless one stands; answers with the end that stands."""
        by = None
        if outcome.status == Status.CANCELED:
            by = await self._engine.who_canceled(outcome.job_id)
        standing = await self._jobs.finish(outcome, canceled_by=by)
        if standing is None:
            return Standing(status=Status.CANCELED, error=Failure(code=JobNotFound.code, message="the job is gone"))
        return standing

    @activity.defn(name="note")
    async def note(self, note: Note) -> None:
        delivery = Delivery(note.job_id, note.activity_id, note.at, 1)
        await self._steps.note(delivery, note.status, note.error)

    @activity.defn(name="open_child")
    async def open_child(self, asked: ChildRequest) -> Job[Any]:
        """Open the child's row in the parent's slot, with what is left of its budget."""
        return await self._children.open_child(asked.parent_id, asked.id, asked.kind, asked.payload)
