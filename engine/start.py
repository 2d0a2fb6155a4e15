"""Starting a job's workflow: id = job id, an id never runs twice."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import plan
from domain.job import Job

if TYPE_CHECKING:
    from ledger.rows import Claimed

QUEUE = "workflows"
# what a kind's workflow is told of a payload; its activities read the rest in the ledger
TOLD: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {plan.KIND: plan.skeleton}
NET = timedelta(minutes=10)
RPC = timedelta(seconds=5)
WEIGHTS = {"premium": 4.0, "free": 1.0}


async def start(client: Client, row: "Claimed") -> None:
    """Start, or find it started already: then the row is adopted, and the reconciler closes it if it has ended.

    Raises RPCError when the engine does not answer.
    """
    job = Job[Any].model_validate(
        {
            **vars(row),
            "payload": told(row.kind, row.payload),
            "owner": row.owner or None,
            "max_duration": timedelta(seconds=row.max_duration_seconds),
        }
    )
    try:
        await client.start_workflow(
            row.kind,
            job,
            id=str(row.id),
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            execution_timeout=job.max_duration + NET,
            static_summary=row.title or None,
            static_details=f"Job `{row.id}` · `GET /api/jobs/{row.id}`",
            priority=priority(row),
            rpc_timeout=RPC,
        )
    except WorkflowAlreadyStartedError:
        return


def told(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What travels of a payload."""
    return TOLD[kind](payload) if kind in TOLD else payload


class Ranked(Protocol):
    """Whose job it is and how it ranks; a Claimed row fits."""

    @property
    def owner(self) -> str: ...
    @property
    def tier(self) -> str: ...
    @property
    def priority(self) -> int: ...


def priority(row: Ranked) -> Priority:
    """The second line of fairness; the owner goes in hashed, for priorities are not encrypted."""
    key = sha256(row.owner.encode()).hexdigest()[:16] if row.owner else "-"
    return Priority(priority_key=row.priority, fairness_key=key, fairness_weight=WEIGHTS[row.tier])
