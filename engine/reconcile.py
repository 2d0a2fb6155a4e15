"""Ledger and engine compared: what ended behind our back is closed, what runs is adopted, orphans are named."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import EngineUnavailable
from domain.job import Status
from engine.history import ended, who_ended
from engine.start import RPC

if TYPE_CHECKING:
    from ledger.dispatch import Dispatch
    from ledger.jobs import Jobs
    from ledger.reports import Reports
    from ledger.rows import JobRow
    from workflows.catalog import Catalog

log = structlog.get_logger()
REPORT = "reconciliation"
AT_ONCE = 8
ORPHANS = 1000


class Reconciler:
    """What was once marked started is never started again; a lost execution fails its job and says so."""

    def __init__(
        self, client: Client, jobs: "Jobs", dispatch: "Dispatch", reports: "Reports", catalog: "Catalog"
    ) -> None:
        self._client, self._jobs, self._dispatch = client, jobs, dispatch
        self._reports, self._catalog = reports, catalog

    async def run(self) -> dict[str, Any]:
        """One comparison; answers with the report, which is kept too. Raises EngineUnavailable, LedgerUnavailable."""
        began, slots = datetime.now(UTC), asyncio.Semaphore(AT_ONCE)
        open_ids = await self._reports.in_engine()
        findings = await asyncio.gather(*(self._compare(job_id, slots) for job_id in open_ids))
        orphaned = [finding for finding in findings if finding]
        counts = Counter(finding["action"] for finding in orphaned)
        report = {
            "startedAt": began.isoformat(),
            "finishedAt": datetime.now(UTC).isoformat(),
            "checked": len(open_ids),
            "started": counts["adopted"],
            "closed": counts["closed"],
            "mended": len(orphaned),
            "orphanedJobs": orphaned,
            "orphanedExecutions": await self._orphaned_executions(),
        }
        await self._reports.save(REPORT, report)
        log.info("reconciled", checked=report["checked"], mended=report["mended"])
        return report

    async def _compare(self, job_id: UUID, slots: asyncio.Semaphore) -> dict[str, Any] | None:
        async with slots:
            outcome = await ended(self._client, job_id)
            row = await self._jobs.get(job_id)
            if row is None or row.status.terminal:
                return None  # it ended while we looked
            if outcome is None:
                if row.engine_started_at is not None:
                    return None
                await self._dispatch.started([job_id])
                return {"jobId": str(job_id), "reason": "running in the engine, not marked here", "action": "adopted"}
            lost = outcome.error is not None and outcome.error.code == "engine_lost"
            if lost and (row.engine_started_at is None or await self._has_open_parent(row)):
                return None  # the dispatcher will start it, or its parent
            by = await who_ended(self._client, job_id) if outcome.status == Status.CANCELED else None
            await self._jobs.finish(outcome, canceled_by=by)
            reason = outcome.error.code if outcome.error else outcome.status.value
            return {"jobId": str(job_id), "reason": f"ended in the engine: {reason}", "action": "closed"}

    async def _has_open_parent(self, row: "JobRow") -> bool:
        parent = await self._jobs.get(row.parent_id) if row.parent_id else None
        return parent is not None and not parent.status.terminal

    async def _orphaned_executions(self) -> list[dict[str, str]]:
        kinds = ", ".join(f"'{kind.name}'" for kind in self._catalog)
        query = f"ExecutionStatus = 'Running' AND WorkflowType IN ({kinds})"
        try:
            running = [found.id async for found in self._client.list_workflows(query, limit=ORPHANS, rpc_timeout=RPC)]
        except (RPCError, RuntimeError) as error:
            raise EngineUnavailable("the engine does not list its executions") from error
        ids = {text: _uuid(text) for text in running}
        known = await self._reports.open_among([job_id for job_id in ids.values() if job_id])
        return [
            {"workflowId": text, "reason": "no open job in the ledger"}
            for text, job_id in ids.items()
            if job_id not in known
        ]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
