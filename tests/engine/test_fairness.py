"""The second line of fairness: the server hands out what waits in its queue by priority, and owner by owner."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollWorkflowTaskQueueRequest
from temporalio.client import Client

from engine.start import priority
from tests.support.stack_parts import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Ranked:
    owner: str
    tier: str = "free"
    priority: int = 3


async def wait_in(client: Client, queue: str, how_many: int) -> bool:
    """Whether so many tasks have come from those who were started to their queue."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        report_stats=True,
    )
    answer = await client.workflow_service.describe_task_queue(asked)
    return answer.stats.approximate_backlog_count >= how_many


async def given_out(client: Client, queue: str) -> str:
    """The id of the workflow whose task is the next; asked for one at a time, for two at once may come in any order."""
    asked = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="one")
    answer = await client.workflow_service.poll_workflow_task_queue(asked, timeout=timedelta(seconds=30))
    return answer.workflow_execution.workflow_id


async def test_the_server_honours_priority_and_takes_turns_between_owners(client: Client) -> None:
    queue = f"fair-{uuid4().hex[:8]}"
    asked = [Ranked("many") for _ in range(15)] + [Ranked("few"), Ranked("urgent", priority=1)]
    owners = {uuid4().hex: one for one in asked}
    for workflow_id, one in owners.items():
        await client.start_workflow("nothing", id=workflow_id, task_queue=queue, priority=priority(one))
    await until(lambda: wait_in(client, queue, len(asked)))
    order = [owners[await given_out(client, queue)].owner for _ in range(5)]
    assert "urgent" in order[:2], "the server may have given out one before"
    assert "few" in order
