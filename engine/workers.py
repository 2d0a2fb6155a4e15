"""Workers on their queues: how many activities at once, and how they live until they are asked to stop."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from engine.start import QUEUE

log = structlog.get_logger()
# split by resource, not by kind or tenant: how many activities one process runs at once
SLOTS = {"io": 100, "llm": 50, "cpu": 8, "media": 8, "tell": 30}
QUEUES = (QUEUE, *SLOTS)
HEARTBEATS = timedelta(seconds=1)


def worker_on(
    client: Client,
    queue: str,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
    *,
    graceful_seconds: float,
) -> Worker:
    """A worker; workflows run on the queue that is theirs. Running activities have so long to end when it stops."""
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows if queue == QUEUE else [],
        activities=activities,
        max_concurrent_activities=SLOTS.get(queue),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_heartbeat_throttle_interval=HEARTBEATS,
        default_heartbeat_throttle_interval=HEARTBEATS,
        graceful_shutdown_timeout=timedelta(seconds=graceful_seconds),
    )


async def run(workers: Sequence[Worker], stop: asyncio.Event) -> None:
    """Until asked to stop, or until a worker fails: then the process ends with its error."""
    runs = [asyncio.create_task(worker.run()) for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *runs], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    log.info("worker is stopping")
    await asyncio.gather(*(worker.shutdown() for worker in workers if worker.is_running))
    await asyncio.gather(*runs)
    log.info("worker has stopped")
