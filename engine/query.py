"""The live workflow's own answer, asked by a Temporal Query that never hangs."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EngineUnavailable, JobNotFound

LIMIT = timedelta(seconds=2)
SILENT = "neither engine nor worker answered within 2 s"


async def live_progress(client: Client, job_id: UUID) -> dict[str, Any]:
    """{progress, steps} from the workflow itself. Raises EngineUnavailable after 2 s; JobNotFound if it has no run."""
    try:
        # the call's own time-out is one attempt's: a server that refuses connections is asked again for ten seconds
        async with asyncio.timeout(LIMIT.total_seconds()):
            return await client.get_workflow_handle(str(job_id)).query("progress", rpc_timeout=LIMIT)
    except TimeoutError as error:
        raise EngineUnavailable(SILENT) from error
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise JobNotFound("the engine has no run of this job yet, or no longer") from error
        raise EngineUnavailable(SILENT) from error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError, RuntimeError) as error:
        raise EngineUnavailable("the workflow could not be asked") from error
