"""Jobs inside jobs."""

from typing import Any
from uuid import UUID

from temporalio import workflow

from workflows.surely import surely

with workflow.unsafe.imports_passed_through():
    from activities.closing import ChildRequest, Closing
    from domain.model import Model


async def child(parent_id: UUID, kind: str, payload: Model, child_id: UUID | None = None) -> Any:
    """Run another job as part of one, with a public id of its own, in its parent's slot."""
    asked = ChildRequest(
        parent_id=parent_id,
        id=child_id or workflow.uuid4(),
        kind=kind,
        payload=payload.model_dump(mode="json", by_alias=True),
    )
    job = await surely(Closing.open_child, asked)
    return await workflow.execute_child_workflow(
        job.kind,
        job,
        id=str(job.id),
        parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
        static_summary=job.title,
    )
