"""Ledger and engine compared: what ended behind our back is closed, what runs is adopted, orphans are named.

Cheap while they agree: the engine lists what it has by the page, and only what does not fit is asked for one by one.
Safe in many copies at once: every act may be repeated, and none overwrites an end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import structlog
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus

from domain.errors import CallerError, EngineUnavailable, LedgerUnavailable
from domain.job import Failure, Outcome, Status
from engine import executions
from engine.findings import Findings
from engine.history import LOST, described, done_steps, outcome_of, who_ended
from engine.latecomers import SKEW, may_begin, overrun
from engine.schedule_sync import compare_schedules

if TYPE_CHECKING:
    from ledger.dispatch import Dispatch
    from ledger.jobs import Jobs
    from ledger.reports import InEngine, Known, Reports
    from ledger.schedules import Schedules
    from workflows.kind import Catalog

T = TypeVar("T")
log = structlog.get_logger()
REPORT = "reconciliation"
AT_ONCE = 8
TERMINATED = WorkflowExecutionStatus.TERMINATED
# A start or an end that is this young may still be on its way to the other side.
SETTLED = timedelta(seconds=2)
# What its workflow does after the end of its job (telling others) takes less.
STALE = timedelta(minutes=15)
AT_FIRST = timedelta(days=1)
MOST_PAGES = 100
FOREIGN = Failure(code="engine_lost", message="the engine runs something else under this job's id")


class Reconciler:
    """What was once marked started is never started again; a lost execution fails its job and says so."""

    def __init__(
        self,
        client: Client,
        jobs: "Jobs",
        dispatch: "Dispatch",
        reports: "Reports",
        catalog: "Catalog",
        schedules: "Schedules | None" = None,
    ) -> None:
        """Without `schedules` only jobs are compared."""
        self._client, self._jobs, self._dispatch = client, jobs, dispatch
        self._reports, self._kinds = reports, [kind.name for kind in catalog]
        self._schedules = schedules

    async def run(self) -> dict[str, Any]:
        """One comparison; answers with the report, which is kept too. Raises EngineUnavailable, LedgerUnavailable."""
        found = Findings(datetime.now(UTC))
        last = await self._reports.last(REPORT)
        since = datetime.fromisoformat(last[1]["startedAt"]) - SKEW if last else found.began - AT_FIRST
        running = await self._running(found)
        await self._ended(since, found)
        async for rows in self._reports.in_engine(settled_seconds=SETTLED.total_seconds()):
            found.checked += len(rows)
            doubtful = (row for row in rows if not (row.marked and row.id in running))
            await _each(doubtful, lambda row: self._safely(row.id, self._compare(row, found), found))
        for job_id in await self._reports.close_steps(since):
            found.job(job_id, "steps were open although the job had ended", "steps_closed")
        await self._compare_schedules(found)
        report = found.report()
        await self._reports.save(REPORT, report)
        log.info("reconciled", checked=found.checked, mended=found.mended, strays=len(found.strays))
        return report

    async def _running(self, found: Findings) -> set[UUID]:
        """The open jobs whose executions are listed as running; what else runs is dealt with."""
        running: set[UUID] = set()
        async for page in executions.pages(self._client, executions.running(self._kinds)):
            unmarked: list[UUID] = []
            after: list[tuple[WorkflowExecution, Known, datetime]] = []
            for execution, job in await self._known(page):
                if job is None:
                    if execution.start_time < found.began - SETTLED:
                        found.stray(execution.id, "it runs, and the ledger has no such job")
                elif job.finished_at is not None:
                    after.append((execution, job, job.finished_at))
                else:
                    running.add(job.id)
                    if not job.marked and execution.start_time < found.began - SETTLED:
                        unmarked.append(job.id)
            await self._adopt(unmarked, found)
            await _each(after, lambda one: self._safely(one[1].id, self._overrun(*one, found), found))
        return running

    async def _ended(self, since: datetime, found: Findings) -> None:
        """What ended since then: the ledger is to know it, and to know that it ended."""
        at_most = MOST_PAGES
        async for page in executions.pages(self._client, executions.ended_since(self._kinds, since)):
            still_open: list[Known] = []
            for execution, job in await self._known(page):
                if job is None:
                    found.stray(execution.id, "it has ended, and the ledger has no such job")
                elif job.finished_at is None:
                    still_open.append(job)
                elif execution.status != TERMINATED and execution.start_time > job.finished_at + SETTLED:
                    found.stray(execution.id, f"it began after its job had ended ({job.status}), and changed nothing")
            await _each(still_open, lambda job: self._safely(job.id, self._look(job, found), found))
            at_most -= 1
            if not at_most:
                log.warning("too much has ended in the engine to look at all of it", pages=MOST_PAGES)
                return

    async def _known(self, page: Sequence[WorkflowExecution]) -> "list[tuple[WorkflowExecution, Known | None]]":
        ids = [executions.job_of(execution) for execution in page]
        known = await self._reports.known([job_id for job_id in ids if job_id])
        return [(execution, known.get(job_id) if job_id else None) for execution, job_id in zip(page, ids, strict=True)]

    async def _compare_schedules(self, found: Findings) -> None:
        if self._schedules is None:
            return
        try:
            differences = await compare_schedules(self._client, self._schedules)
        except CallerError:  # one that the engine refuses
            log.exception("the schedules cannot be compared")
            return
        for difference in differences:
            found.schedule(difference)

    async def _safely(self, job_id: UUID, work: Awaitable[None], found: Findings) -> None:
        """One job that cannot be compared must not keep the others from it."""
        try:
            await work
        except (EngineUnavailable, LedgerUnavailable):
            raise
        except Exception:
            log.exception("a job cannot be compared", jobId=str(job_id))
            found.puzzle(job_id)

    async def _compare(self, row: "InEngine", found: Findings) -> None:
        """A job that the engine does not list as running."""
        execution = await described(self._client, str(row.id))
        if execution is not None and execution.workflow_type == row.kind:
            await self._settle(row.id, execution, found, marked=row.marked)
        elif execution is not None or not await may_begin(self._client, row):
            lost = LOST if execution is None else FOREIGN
            await self._close(
                Outcome(job_id=row.id, status=Status.CANCELED)
                if row.canceled
                else Outcome(job_id=row.id, status=Status.FAILED, error=lost),
                lost.message,
                found,
            )

    async def _look(self, job: "Known", found: Findings) -> None:
        """An open job of which some run has ended."""
        execution = await described(self._client, str(job.id))
        if execution is not None and execution.workflow_type == job.kind:
            await self._settle(job.id, execution, found, marked=job.marked)

    async def _settle(
        self, job_id: UUID, execution: WorkflowExecutionDescription, found: Findings, *, marked: bool
    ) -> None:
        """Have the ledger say what the execution's newest run says."""
        outcome = await outcome_of(self._client, execution, job_id)
        if outcome is None:
            await self._adopt([] if marked else [job_id], found)
            return
        by = await who_ended(self._client, job_id) if outcome.status == Status.CANCELED else None
        await self._reports.take_over(job_id, await done_steps(self._client, execution))
        how = outcome.error.code if outcome.error else outcome.status.value
        await self._close(outcome, f"ended in the engine: {how}", found, by=by)

    async def _close(self, outcome: Outcome, reason: str, found: Findings, *, by: str | None = None) -> None:
        job = (await self._reports.known([outcome.job_id])).get(outcome.job_id)
        if job is not None and job.finished_at is None:  # else it ended while we looked
            await self._jobs.finish(outcome, canceled_by=by)
            found.job(outcome.job_id, reason, "closed")

    async def _adopt(self, job_ids: Sequence[UUID], found: Findings) -> None:
        if job_ids:
            await self._dispatch.started(job_ids)
        for job_id in job_ids:
            found.job(job_id, "running in the engine, not marked here", "adopted")

    async def _overrun(self, execution: WorkflowExecution, job: "Known", ended: datetime, found: Findings) -> None:
        if why := await overrun(self._client, execution, ended=ended, stale=ended < found.began - STALE):
            found.stray(execution.id, f"{why} after its job had ended ({job.status}); terminated", mended=True)


async def _each(items: Iterable[T], act: Callable[[T], Awaitable[None]]) -> None:
    """A few at a time, for the engine has others to serve. The first error ends it."""
    left = iter(items)

    async def work() -> None:
        for item in left:
            await act(item)

    workers = [asyncio.create_task(work()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
