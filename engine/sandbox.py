"""The SDK's sandbox, entered for workflow code alone."""

from typing import Any

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner


class Sandbox(SandboxedWorkflowRunner):
    """Payloads are converted without being told which command they belong to.

    The SDK asks the instance inside the sandbox for that, three or four times a payload, and each time costs as much
    as converting it: together a third of a worker's CPU. A data converter or codec that wants a context cannot have
    one here (`temporalio.converter.WithSerializationContext`); ours want none, and nothing is stored externally.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = super().create_instance(det)
        instance.get_serialization_context = _no_context
        instance.get_external_store_context = _no_store
        return instance


def _no_context(command_info: Any) -> None:
    return None


def _no_store(command_info: Any) -> StorageDriverStoreContext:
    return StorageDriverStoreContext()
