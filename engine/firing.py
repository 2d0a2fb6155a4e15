"""What a schedule starts: the job of one firing, opened in the engine's hands and in nobody's place."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from pydantic.alias_generators import to_camel

from domain.errors import CallerError, InvalidPayload, JobClosed
from domain.job import Failure, Job, Retry
from domain.options import Options
from domain.schedule import MEANINGLESS
from engine.start import told
from engine.submit import Submission, Submitter
from ledger.jobs import JobFilter
from ledger.rows import NewJob

if TYPE_CHECKING:
    from ledger.jobs import Jobs
    from ledger.schedules import ScheduleRow, Schedules
    from workflows.kind import Catalog


class ScheduleGone(CallerError):
    """The engine fires a schedule that the ledger does not know, or no longer."""

    code = "schedule_not_found"
    status = 404


class Scheduled(Submitter):
    """Jobs of schedules meet the checks of any job, when they are asked for and again at each firing."""

    def check(self, kind: str, payload: dict[str, Any], options: Options) -> str:
        """The kind's own name. Raises what `submit` raises for a job like that, or for an option without a meaning."""
        for name in MEANINGLESS:
            if name in options.model_fields_set:
                wire = "idempotencyKeyTTL" if name == "idempotency_key_ttl" else to_camel(name)
                raise CallerError(
                    f"{wire} says nothing here: a firing starts its job at once and anew", pointer=f"/options/{wire}"
                )
        return self._alone(Submission(kind, payload, options), uuid4()).kind

    async def open(self, row: "ScheduleRow", job_id: UUID) -> None:
        """Open the job unless it is open: the engine has it from the first, so nobody else will start it."""
        options = Options.model_validate({**row.options, "owner": row.owner or None})
        new = self._alone(Submission(row.kind, row.payload, options, by=f"schedule:{row.id}"), job_id)
        # fresh: its workflow runs, so it cannot be a job that was answered from before
        await self._jobs.open([replace(new, schedule_id=row.id, in_engine=True, fresh=True)])

    def _alone(self, asked: Submission, job_id: UUID) -> NewJob:
        return self._fitting(asked, job_id, batch_id=None, replay_of=None, parent_id=None)


class Firings:
    """Handed to the activity that opens a firing's job (fits domain.protocols.FiringOpener)."""

    def __init__(self, schedules: "Schedules", jobs: "Jobs", catalog: "Catalog") -> None:
        self._schedules, self._jobs = schedules, jobs
        self._scheduled = Scheduled(jobs, catalog)

    async def open_firing(self, schedule_id: str, job_id: UUID, workflow_id: str, due_at: datetime) -> Job[Any]:
        """Open (or find again) the job of a firing. What cannot be a job is kept as the schedule's last error.

        Raises ScheduleGone, CallerError, JobClosed.
        """
        row = await self._schedules.firing(schedule_id, job_id, workflow_id, due_at)
        if row is None:
            raise ScheduleGone("this schedule is not known, or no longer")
        try:
            await self._scheduled.open(row, job_id)
        except CallerError as error:
            await self._schedules.fired(schedule_id, job_id, Failure(code=error.code, message=_told(error)))
            raise
        await self._schedules.fired(schedule_id, job_id)
        if row.overlap == "terminate_other":
            await self._end_others(schedule_id, job_id)
        job = await self._jobs.get(job_id)
        if job is None or job.status.terminal:
            raise JobClosed("the job has ended before it began")
        return Job[Any](
            id=job.id,
            kind=job.kind,
            payload=told(job.kind, job.payload),
            owner=job.owner or None,
            title=job.title,
            plan=job.plan,
            retry=Retry.model_validate(job.retry) if job.retry else None,
            max_duration=timedelta(seconds=job.max_duration_seconds),
        )

    async def cancel_firing(self, schedule_id: str, job_id: UUID) -> None:
        """Note that the engine cancels the job on its schedule's behalf: overlap, or a person's word there."""
        await self._jobs.cancel(job_id, reason="its firing was canceled", by=f"schedule:{schedule_id}")

    async def _end_others(self, schedule_id: str, job_id: UUID) -> None:
        """The engine has terminated their firings, which could note nothing, and asks the jobs to end."""
        for other in await self._jobs.list(JobFilter(schedule_id=schedule_id, only_open=True)):
            if other.id != job_id:
                await self.cancel_firing(schedule_id, other.id)


def _told(error: CallerError) -> str:
    """With the places that are wrong, for there is nobody to read an answer."""
    if isinstance(error, InvalidPayload):
        return f"{error.message}: " + "; ".join(f"{pointer} {detail}" for pointer, detail in error.errors[:10])
    return error.message
