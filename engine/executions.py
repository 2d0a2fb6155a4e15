"""Executions of our kinds as the engine lists them, page by page. What it lists is a moment old."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from domain.errors import EngineUnavailable

PAGE = 1000
RPC = timedelta(seconds=20)


def running(kinds: Iterable[str]) -> str:
    """The query for what runs."""
    return f"{_of(kinds)} AND ExecutionStatus = 'Running'"


def ended_since(kinds: Iterable[str], since: datetime) -> str:
    """The query for what ended after that time; a run that went on as a new one has not ended."""
    at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{_of(kinds)} AND ExecutionStatus != 'Running' AND ExecutionStatus != 'ContinuedAsNew' AND CloseTime > '{at}'"
    )


async def pages(client: Client, query: str) -> AsyncGenerator[Sequence[WorkflowExecution]]:
    """What the query finds, up to PAGE at a time. Raises EngineUnavailable."""
    listing = client.list_workflows(query, page_size=PAGE, rpc_timeout=RPC)
    while True:
        try:
            await listing.fetch_next_page()
        except (RPCError, RuntimeError) as error:  # RuntimeError: the lazy connection could not be made
            raise EngineUnavailable("the engine does not list its executions") from error
        yield listing.current_page or ()
        if not listing.next_page_token:
            return


def job_of(execution: WorkflowExecution) -> UUID | None:
    """The job whose execution it would be; None when its id is no job's."""
    try:
        return UUID(execution.id)
    except ValueError:
        return None


def _of(kinds: Iterable[str]) -> str:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    return f"WorkflowType IN ({names})"
