"""The engine as activities see it (fits domain.protocols.Engine and ChildOpener)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio.client import Client

from domain.errors import JobClosed
from domain.job import Job
from domain.options import Budget, Options
from engine.history import who_ended
from engine.start import told
from engine.submit import Submission, Submitter

if TYPE_CHECKING:
    from engine.reconcile import Reconciler
    from ledger.jobs import Jobs
    from ledger.rows import JobRow
    from workflows.kind import Catalog


class Control:
    """Handed to the activities by the worker's root."""

    def __init__(
        self, client: Client, jobs: "Jobs", submitter: Submitter, reconciler: "Reconciler", catalog: "Catalog"
    ) -> None:
        self._client, self._jobs, self._submitter = client, jobs, submitter
        self._reconciler, self._catalog = reconciler, catalog

    async def who_canceled(self, job_id: UUID) -> str | None:
        return await who_ended(self._client, job_id)

    async def reconcile(self) -> dict[str, Any]:
        return await self._reconciler.run()

    async def open_child(self, parent_id: UUID, child_id: UUID, kind: str, payload: dict[str, Any]) -> Job[Any]:
        """Open (or find again) the child's row, already in the engine's hands. Raises JobClosed if the parent ended."""
        parent = await self._jobs.get(parent_id)
        if parent is None or parent.status.terminal:
            raise JobClosed("the parent job has ended")
        options = Options(owner=parent.owner or None, tier=parent.tier, budget=await self._left(parent))
        asked = Submission(kind, payload, options, by=f"job:{parent_id}")
        [_] = await self._submitter.submit([asked], child_of=parent_id, ids=[child_id])
        child = await self._jobs.get(child_id)
        if child is None:
            raise JobClosed("the child job is gone")
        return Job[Any](
            id=child.id,
            kind=child.kind,
            payload=told(child.kind, child.payload),
            owner=child.owner or None,
            title=child.title,
            plan=child.plan,
            max_duration=timedelta(seconds=child.max_duration_seconds),
        )

    async def _left(self, parent: "JobRow") -> Budget | None:
        """What is left of the parent's budget (never zero: the next call finds out)."""
        if parent.max_tokens is None and parent.max_usd is None:
            return None
        tokens, usd = await self._jobs.spent(parent.id)
        return Budget(
            max_tokens=None if parent.max_tokens is None else max(1, parent.max_tokens - tokens),
            max_cost_usd=None if parent.max_usd is None else max(parent.max_usd / 10**6, parent.max_usd - usd),
        )
