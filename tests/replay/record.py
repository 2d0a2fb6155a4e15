"""Record the stored histories anew: `python -m tests.replay.record`.

Only after a change of a workflow that running jobs were made safe for (`workflow.patched`, or none are left): a
history that no longer replays is a job that would stop in production.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console
from temporalio.client import Client

from domain.errors import VendorError
from ledger.database import Database
from ledger.migrate import migrate
from local import postgres, temporal
from tests.conftest import cloned, own_namespace, sibling
from tests.replay.fakes import Research
from tests.replay.histories import FOLDER, Stored
from tests.support.stack_parts import Parts, stack, toy_kinds
from tests.support.toys import Toys
from workflows.catalog import KINDS

ASKED = {"companyName": "Acme", "role": "Backend Engineer"}
BLOCKED = VendorError("the website refuses automated visits", code="site_blocked", retryable=False)
LIMITED = VendorError("GitHub does not know this organisation", code="not_found", retryable=False)
NONSENSE = VendorError("the model's answer was not understood", code="bad_answer", retryable=False)
Play = Callable[[Parts], Awaitable[UUID]]


class Recorder:
    """One server of each kind; every scene has a database and a namespace of its own."""

    def __init__(self, postgres_url: str, template: str, temporal_address: str) -> None:
        self._postgres_url, self._template, self._address = postgres_url, template, temporal_address

    @asynccontextmanager
    async def _parts(self, activities: Sequence[Callable[..., Any]]) -> AsyncGenerator[Parts]:
        engine = await own_namespace(self._address)
        async with cloned(self._postgres_url, self._template) as url:
            database = Database(url)
            opened = stack(database, engine, activities, kinds=(*KINDS, *toy_kinds()))
            async with opened as parts, parts.working(), parts.dispatching():
                yield parts
            await database.close()

    async def research(self, what: str, research: Research, *, cancel: bool = False) -> None:
        async with self._parts(research.activities) as parts:
            job_id = await parts.submit("company-research", ASKED)
            if cancel:
                await research.reached.wait()
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, "company-research", job_id, what)

    async def toy(self, kind: str, what: str, payload: dict[str, Any], *, hangs: str = "", **options: Any) -> None:
        toys = Toys()
        if hangs:
            toys.on(hangs, asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
        async with self._parts([toys.work]) as parts:
            await self._keep(parts, kind, await parts.submit(kind, payload, **options), what)

    async def upkeep(self) -> None:
        async with self._parts([]) as parts:
            await parts.client.execute_workflow("reconcile", id="longrun-reconcile", task_queue="workflows")
            await keep(parts.client, "longrun-reconcile", None, "reconcile", "success")

    async def _keep(self, parts: Parts, kind: str, job_id: UUID, what: str) -> None:
        await parts.ended(job_id)
        await parts.closed(job_id)
        await keep(parts.client, str(job_id), None, kind, what)


async def keep(client: Client, workflow_id: str, run_id: str | None, kind: str, what: str) -> None:
    """Store the history, and those of the runs before it as `<what>-before`."""
    history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    told = json.loads(history.to_json().replace(client.identity, "somebody"))
    Stored(kind, what, json.dumps(_without_traces(told), indent=1, ensure_ascii=False) + "\n").keep()
    if before := told["events"][0]["workflowExecutionStartedEventAttributes"].get("continuedExecutionRunId"):
        await keep(client, workflow_id, before, kind, f"{what}-before")


def _without_traces(told: Any) -> Any:
    """The same without stack traces: they name this machine's folders."""
    if isinstance(told, dict):
        return {key: _without_traces(value) for key, value in told.items() if key != "stackTrace"}
    return [_without_traces(value) for value in told] if isinstance(told, list) else told


async def record(postgres_url: str, temporal_address: str) -> None:
    template = "recorder"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {template}")
    await admin.close()
    await migrate(sibling(postgres_url, template), "longrun")
    recorder = Recorder(postgres_url, template, temporal_address)
    await recorder.research("success", Research())
    await recorder.research("failure", Research({"scrape_website": BLOCKED, "analyze": NONSENSE}))
    await recorder.research("no-evidence", Research({"scrape_website": BLOCKED, "search_github": LIMITED}))
    await recorder.research("cancel", Research(hangs="analyze"), cancel=True)
    await recorder.toy("toy", "repeats", {"twice": ["two"], "skip": ["three"]})
    await recorder.toy("toy", "timed-out", {}, hangs="two", max_duration=1)
    await recorder.toy("toy-parent", "child", {})
    await recorder.toy("toy-rounds", "continue-as-new", {"left": 4, "perRun": 2})
    await recorder.upkeep()


def main() -> None:
    for old in FOLDER.glob("*.json"):
        old.unlink()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (
            postgres.serve(folder / "postgres", fsync=False) as url,
            temporal.serve(folder / "temporal", test_timers=True) as address,
        ):
            asyncio.run(record(url, address))
    Console().print(f"recorded {len(Stored.all())} histories in {FOLDER}")


if __name__ == "__main__":
    main()
