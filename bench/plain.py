"""The plainest FastAPI + Temporal program: the route starts the workflow, one worker runs it; there is no ledger.

`uvicorn bench.plain:create --factory` and `python -m bench.plain`. Pollers, what the sandbox passes through and the
data converter are those of Longrun; all else is the SDK's default (one queue, so its activities start eagerly).
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from fastapi import FastAPI, Request
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from bench.empty import Parcel, empty
from bench.plain_workflow import Plain
from engine.plugin import PASSED_THROUGH

QUEUE = "plain"


async def _connect() -> Client:
    return await Client.connect(
        os.environ["TEMPORAL_ADDRESS"],
        namespace=os.environ["TEMPORAL_NAMESPACE"],
        data_converter=pydantic_data_converter,
    )


def create() -> FastAPI:
    """`POST /start` with a Parcel answers 202 {"jobId"}; the job's workflow has that id."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[dict[str, object]]:
        yield {"client": await _connect()}

    app = FastAPI(lifespan=lifespan)

    @app.post("/start", status_code=202)
    async def start(parcel: Parcel, request: Request) -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        job_id = str(uuid4())
        await request.state.client.start_workflow(Plain.run, parcel, id=job_id, task_queue=QUEUE)
        return {"jobId": job_id}

    return app


async def work() -> None:
    """Run the worker until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    worker = Worker(
        await _connect(),
        task_queue=QUEUE,
        workflows=[Plain],
        activities=[empty],
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    async with worker:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(work())
