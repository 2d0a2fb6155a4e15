"""Taking what belongs to a user out of the engine (fits domain.protocols.Forgetter)."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EngineUnavailable
from engine.carrying import drop
from engine.start import RPC

if TYPE_CHECKING:
    from ledger.schedules import Schedules

AT_ONCE = 8
SILENT = "the engine does not answer"


class Forgetting:
    """Deleting twice is deleting once."""

    def __init__(self, client: Client, schedules: "Schedules") -> None:
        self._client, self._schedules = client, schedules

    async def end_schedules(self, owner: str) -> None:
        """Delete all schedules of the owner, here and in the engine. Raises EngineUnavailable."""
        while rows := await self._schedules.list([owner]):
            for row in rows:
                await drop(self._client, row.id)
                await self._schedules.delete(row.id)

    async def forget(self, job_ids: Sequence[UUID]) -> None:
        """Delete the executions of ended jobs, with all their runs. Raises EngineUnavailable."""
        slots = asyncio.Semaphore(AT_ONCE)
        try:
            runs = await self._runs(job_ids)
            firings = await asyncio.gather(*(self._firing(job_id, slots) for job_id in job_ids))
            runs |= {(firing, "") for firing in firings if firing} | {(str(job_id), "") for job_id in job_ids}
            await asyncio.gather(*(self._delete(workflow_id, run_id, slots) for workflow_id, run_id in runs))
        except (RPCError, RuntimeError) as error:  # RuntimeError: the lazy connection could not be made
            raise EngineUnavailable(SILENT) from error

    async def _runs(self, job_ids: Sequence[UUID]) -> set[tuple[str, str]]:
        """Every run: a job that went on as new, or was reset, has several. The newest may not be listed yet."""
        named = ", ".join(f"'{job_id}'" for job_id in job_ids)
        found = self._client.list_workflows(f"WorkflowId IN ({named})", rpc_timeout=RPC)
        return {(run.id, run.run_id) async for run in found}

    async def _firing(self, job_id: UUID, slots: asyncio.Semaphore) -> str | None:
        """The schedule's firing that opened the job: its history holds the payload too. A parent job has its own."""
        async with slots:
            try:
                found = await self._client.get_workflow_handle(str(job_id)).describe(rpc_timeout=RPC)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                return None
        return found.parent_id if found.parent_id and not _is_job(found.parent_id) else None

    async def _delete(self, workflow_id: str, run_id: str, slots: asyncio.Semaphore) -> None:
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=execution)
        async with slots:
            try:
                await self._client.workflow_service.delete_workflow_execution(request, timeout=RPC)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise


def _is_job(workflow_id: str) -> bool:
    try:
        UUID(workflow_id)
    except ValueError:
        return False
    return True
