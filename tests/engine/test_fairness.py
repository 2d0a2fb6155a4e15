"""The second line of fairness: the server hands out what waits in its queue by priority, and owner by owner."""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from engine.start import priority

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Ranked:
    owner: str
    tier: str = "free"
    priority: int = 3


@workflow.defn(name="nothing")
class Nothing:
    @workflow.run
    async def run(self) -> None:
        return


async def test_the_server_honours_priority_and_takes_turns_between_owners(client: Client) -> None:
    queue = f"fair-{uuid4().hex[:8]}"
    asked = [Ranked("many") for _ in range(15)] + [Ranked("few"), Ranked("urgent", priority=1)]
    handles = [
        await client.start_workflow(Nothing.run, id=uuid4().hex, task_queue=queue, priority=priority(one))
        for one in asked
    ]
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Nothing],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=2,
        max_concurrent_workflow_task_polls=2,
    ):
        for handle in handles:
            await handle.result()
    begun = [
        [event.event_time.ToDatetime() for event in (await handle.fetch_history()).events][2] for handle in handles
    ]
    order = [asked[place].owner for place in sorted(range(len(asked)), key=lambda place: begun[place])]
    assert order.index("urgent") <= 1, "the server may have given out one before"
    assert order.index("few") <= 4
