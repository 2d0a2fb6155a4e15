"""Executions that are not there yet although their job is open, and those still there although it has ended."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EngineUnavailable
from engine.history import RUNNING, described
from engine.start import RPC

if TYPE_CHECKING:
    from ledger.reports import InEngine

# Two clocks, the ledger's and the engine's, may differ by less.
SKEW = timedelta(minutes=1)


async def may_begin(client: Client, row: "InEngine") -> bool:
    """Whether somebody is yet to start what the engine does not know: the dispatcher, or who opened it.

    Raises EngineUnavailable.
    """
    if row.ran:
        return False
    if not row.marked or row.opener is None:
        return not row.marked
    opener = await described(client, row.opener)
    if opener is None or opener.status not in RUNNING:
        return False
    # a later run of it (after a reset, or as new) opens jobs of its own
    later = opener.start_time - (timedelta() if _was_reset(opener) else SKEW)
    return later <= row.created_at


async def overrun(client: Client, execution: WorkflowExecution, *, ended: datetime, stale: bool) -> str | None:
    """Terminate what runs for a job that has `ended`: a reset of it, or (`stale`) what does not notice by itself.

    Answers why; None where it was left alone. Raises EngineUnavailable.
    """
    again = execution.start_time > ended
    now = await described(client, execution.id) if again or stale else None
    if now is None or now.status not in RUNNING or now.run_id != execution.run_id:
        return None  # what is listed is a moment old
    reset = again and _was_reset(now)
    if not (reset or stale):
        return None
    why = "it was reset" if reset else "it went on"
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        await handle.terminate(reason=f"{why} after its job had ended", rpc_timeout=RPC)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:  # not found: it has just ended by itself
            raise EngineUnavailable("the engine does not answer") from error
    return why


def _was_reset(execution: WorkflowExecutionDescription) -> bool:
    return execution.raw_description.workflow_extended_info.HasField("last_reset_time")
