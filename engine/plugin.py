"""One plugin for client, worker and replayer: data converter, interceptors, and what workflows may import."""

from collections.abc import Sequence
from dataclasses import replace

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from engine.sandbox import Sandbox

# Activities and below keep one class identity. Workflows are loaded afresh in the sandbox for every execution, but for
# what they are all made of: running that module anew takes longer than a workflow task.
PASSED_THROUGH = (
    *("activities", "ledger", "providers", "domain", "asyncpg", "structlog"),
    *("workflows.policies", "workflows.steps", "workflows.surely", "workflows.waiting"),
)


def _runner(_existing: WorkflowRunner | None) -> WorkflowRunner:
    return Sandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def plugin(interceptors: Sequence[Interceptor] = ()) -> SimplePlugin:
    """`interceptors` are the worker's; a client and a replayer need none."""
    return SimplePlugin(
        "longrun",
        data_converter=replace(pydantic_data_converter),
        interceptors=list(interceptors),
        workflow_runner=_runner,
    )
