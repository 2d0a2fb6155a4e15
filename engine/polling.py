"""Who asks the engine for work: the health check of a worker."""

import time
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import EngineUnavailable
from engine.start import QUEUE

LIMIT = timedelta(seconds=2)
# A poll lasts up to a minute; the engine forgets a poller five minutes after it was last seen.
POLLED_WITHIN_SECONDS = 75.0


async def pollers(client: Client, queue: str = QUEUE) -> set[str]:
    """Identities (`pid@host`) that have lately asked for work of that queue. Raises EngineUnavailable."""
    workflows = queue == QUEUE
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if workflows else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    try:
        answer = await client.workflow_service.describe_task_queue(request, timeout=LIMIT)
    except (RPCError, RuntimeError) as error:  # RuntimeError: the lazy connection could not be made
        raise EngineUnavailable("Temporal does not answer") from error
    oldest = time.time() - POLLED_WITHIN_SECONDS
    return {poller.identity for poller in answer.pollers if poller.last_access_time.seconds > oldest}
