"""Record the histories that are not stored yet: `python -m tests.replay.record`.

One that no longer replays is a job that would stop in production. Delete its file, and have it recorded anew, only
when running jobs were made safe for the change (`workflow.patched`), or when none are left.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from rich.console import Console
from temporalio.client import Client

from activities.tools.tool import Use
from domain.bulk import BulkRequest
from domain.errors import VendorError
from domain.tasks import TaskAnswer
from domain.waiting import waitpoint_of
from engine.bulk import BULK, Bulks
from engine.courier import Courier
from engine.submit import Submission
from ledger.database import Database
from ledger.items import JobItems, Selection
from ledger.jobs import JobFilter
from ledger.migrate import migrate
from ledger.users import Users
from ledger.waitpoints import Waitpoints
from local import postgres, temporal
from tests.conftest import own_namespace
from tests.replay.document_fakes import Documents
from tests.replay.fakes import TASK_URL, Forgetter, Portions, Research, erasing, task_activities
from tests.replay.histories import Stored
from tests.replay.ingest_fakes import Ingest
from tests.replay.running_fakes import Import, Refigure
from tests.support.databases import cloned, sibling
from tests.support.interview_parts import Analysing, Ears, InterviewModel
from tests.support.plan_parts import ScriptedModel, ScriptedTool, plan_activities, plan_of
from tests.support.posting_parts import TEXT, PostingModel, Reading, looking_model, posting_model
from tests.support.proxy import TcpProxy
from tests.support.run_words import LETTER, WordsModel, word_activities
from tests.support.runs import add_runs
from tests.support.site_server import Answer
from tests.support.stack_parts import Parts, stack, toy_kinds
from tests.support.telling import made
from tests.support.toys import Toys
from workflows.catalog import ours
from workflows.steps import PORTIONS

ASKED = {"companyName": "Acme", "role": "Backend Engineer"}
BLOCKED = VendorError("the website refuses automated visits", code="site_blocked", retryable=False)
UNKNOWN = VendorError("GitHub does not know this organisation", code="not_found", retryable=False)
NONSENSE = VendorError("the model's answer was not understood", code="bad_answer", retryable=False)
TASK = {"url": TASK_URL, "body": {"datasetId": "123"}}
ACCEPTED, REFUSED = TaskAnswer(accepted=True), VendorError("it refuses", code="http_404", retryable=False)
SEND = {"name": "Send", "tool": "http_request", "input": {"url": "https://app.example.com/", "method": "POST"}}
ASK = {"name": "Approve", "tool": "ask_person", "input": {"question": "May we?"}}
# Kinds that write about runs, and how the instructions begin that a model fails at.
ABOUT_RUNS = {
    **dict.fromkeys(("generate-run-letter", "generate-coaching-insight", "weekly-run-digest", "review-runs"), "You"),
    "process-activity-content": LETTER,
}
SAY = Console()
FINISH = b'"said":["said one"'


Activities = Sequence[Callable[..., Any]]


class Recorder:
    """One server of each sort; every scene has a database and a namespace of its own."""

    def __init__(self, postgres_url: str, template: str, temporal_address: str) -> None:
        self._postgres_url, self._template, self._address = postgres_url, template, temporal_address

    @asynccontextmanager
    async def _parts(
        self, activities: Activities | Callable[[Database], Activities], proxy: TcpProxy | None = None
    ) -> AsyncGenerator[Parts]:
        engine, kinds = await own_namespace(self._address), (*ours(["app.example.com"]), *toy_kinds(), BULK)
        async with cloned(self._postgres_url, self._template) as url:
            database, far = Database(url), proxy.url(url) if proxy else None
            known = activities(database) if callable(activities) else activities
            opened = stack(database, engine, known, kinds=kinds, worker_url=far)
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

    async def task(
        self,
        what: str,
        answer: TaskAnswer | VendorError,
        then: Callable[[Parts, UUID], Awaitable[object]] | None = None,
        **payload: Any,
    ) -> None:
        """A task of the application, and what comes while it waits."""
        async with self._parts(lambda database: task_activities(database, answer)) as parts:
            job_id = await parts.submit("http-task", {**TASK, **payload})
            if then is not None:
                await parts.started(job_id, "call")
                await parts.happened(job_id, lambda event: event.HasField("timer_started_event_attributes"))
                await then(parts, job_id)
            await self._keep(parts, "http-task", job_id, what)

    async def erasure(self, what: str, *, asked: bool = True, cancel: bool = False) -> None:
        """The erasure of a user with a job; or one that nobody asked for."""
        async with self._parts(lambda database: erasing(database, Forgetter(hangs=cancel))) as parts:
            await parts.submit("toy", owner="ann", debounce={"key": "k", "delay": "1h"})
            erasure_id = uuid4()
            if asked:
                await Users(parts.database).forget("ann", erasure_id)
            await parts.submitter.submit([Submission("erase-user", {})], ids=[erasure_id])
            if cancel:
                await parts.started(erasure_id, "stop_jobs")
                assert await parts.jobs.cancel(erasure_id, reason=None, by="somebody")
            await self._keep(parts, "erase-user", erasure_id, what)

    async def run_import(self, what: str, work: Import, *, cancel: bool = False) -> None:
        async with self._parts(work.activities) as parts:
            job_id = await parts.submit("import-run-export", {"userId": "ann", "export": "0" * 64})
            if cancel:
                await work.reached.wait()
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, "import-run-export", job_id, what)

    async def documents(self, kind: str, what: str) -> None:
        work, cancel = Documents(refused=what == "failure", hangs=what == "cancel"), what == "cancel"
        asked = {
            "bulk-document-processing": {"documents": [{"id": name, "filename": "a.txt"} for name in ("a", "b")]},
            "document-reprocessing": {"documentIds": ["a", "b"], "newChunkSize": 500, "newOverlap": 100},
        }
        async with self._parts(work.activities) as parts:
            job_id = await parts.submit(kind, asked[kind])
            if cancel:
                await work.reached.wait()
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, kind, job_id, what)

    async def words(self, kind: str, what: str, *, fails: str = "", cancel: bool = False) -> None:
        """Somebody with a run, and a model that fails those instructions, or hangs."""
        model = WordsModel()
        model.hangs = cancel
        if fails:
            model.fails[fails] = NONSENSE
        async with self._parts(lambda database: word_activities(database, model)) as parts:
            [run_id] = await add_runs(parts.database, "ann", 1)
            asked: dict[str, str] = {"userId": "ann"}
            if kind == "review-runs":
                asked["about"] = "suggestion"
            elif kind != "weekly-run-digest":
                asked["activityId"] = str(run_id)
            job_id = await parts.submit(kind, asked)
            if cancel:
                await model.reached.wait()
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, kind, job_id, what)

    async def refigure(self, what: str, work: Refigure, *, cancel: bool = False) -> None:
        async with self._parts(work.activities) as parts:
            job_id = await parts.submit("refigure-runs", {"userId": "ann"})
            if cancel:
                await work.reached.wait()
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, "refigure-runs", job_id, what)

    async def posting(self, what: str, model: PostingModel) -> None:
        made: list[Reading] = []

        def activities(database: Database) -> Activities:
            made.append(Reading(database, model))
            return made[0].activities

        async with self._parts(activities) as parts:
            row, _ = await made[0].postings.put("ann", given=TEXT)
            job_id = await parts.submit("enrich-job-position", {"jobPositionId": str(row.id)}, owner="ann")
            if model.hangs:
                await model.reached.wait()
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, "enrich-job-position", job_id, what)
            await made[0].close()

    async def interview(self, what: str) -> None:
        """A recording heard and judged; `failure`: no model tells the questions apart, nor says what they show."""
        ears, model, made = Ears(), InterviewModel(), list[Analysing]()
        if what == "failure":
            model.fails = {"parse": NONSENSE, "overall": NONSENSE}
        elif what == "cancel":
            ears.hangs = 1

        def activities(database: Database) -> Activities:
            made.append(Analysing(database, folder / "store", ears, model))
            return made[0].activities

        with TemporaryDirectory() as name:
            folder = Path(name)
            async with self._parts(activities) as parts:
                interview_id = await made[0].give("ann", folder)
                job_id = await parts.submit("analyse-interview", {"timelineItemId": str(interview_id)}, owner="ann")
                if what == "cancel":
                    await ears.reached.wait()
                    assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
                await self._keep(parts, "analyse-interview", job_id, what)
                await made[0].close()

    async def bulk(self, what: str, *, cancel: bool = False) -> None:
        """Two jobs are canceled together; or the bulk is, before it begins."""
        work = Portions(hangs=cancel)
        async with self._parts(work.activities) as parts:
            items = JobItems(parts.database)
            ids = [await parts.submit("toy", debounce={"key": f"k{n}", "delay": "1h"}) for n in range(2)]
            asked = BulkRequest(action="cancel", by="somebody")
            bulk_id, _ = await Bulks(parts.jobs, items).start(
                asked, Selection(JobFilter(), tuple(ids)), owner="", asked_by="somebody"
            )
            if cancel:
                await parts.started(bulk_id, "apply")
                assert await parts.jobs.cancel(bulk_id, reason=None, by="somebody")
            await self._keep(parts, BULK.name, bulk_id, what)

    async def plan(
        self,
        what: str,
        *steps: dict[str, Any],
        refuses: str = "",
        then: Callable[[Parts, UUID], Awaitable[object]] | None = None,
        uses: bool = False,
    ) -> None:
        """A plan; `refuses` names a step whose tool does, `then` comes while it waits, `uses`: its model uses tools."""

        async def send(_: Any, use: Use) -> Any:
            if use.step == refuses:
                raise REFUSED
            return {"sent": use.step}

        script = {"Analyze": [[("calculate", {"expression": "6*7"})], "It is 42."]} if uses else {}
        tools = [ScriptedTool("http_request", send)]
        async with self._parts(lambda database: plan_activities(database, ScriptedModel(script), tools)) as parts:
            job_id = await parts.submit("workflow-execution", plan_of(*steps))
            if then is not None:
                await parts.started(job_id, "Approve")
                await parts.happened(
                    job_id, lambda event: event.timer_started_event_attributes.timer_id not in ("", "1")
                )
                await then(parts, job_id)
            await self._keep(parts, "workflow-execution", job_id, what)

    async def ingest(self, what: str, work: Ingest, *, cancel: bool = False) -> None:
        async with self._parts(work.activities) as parts:
            job_id = await parts.submit("batch-ingest-run-history", {"userId": "ann"})
            if cancel:
                await parts.started(job_id, "generate")
                assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
            await self._keep(parts, "batch-ingest-run-history", job_id, what)

    async def toy(self, kind: str, what: str, payload: dict[str, Any], *, hangs: str = "", **options: Any) -> None:
        toys = Toys()
        if hangs:
            toys.on(hangs, asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
        async with self._parts([toys.work]) as parts:
            await self._keep(parts, kind, await parts.submit(kind, payload, **options), what)

    async def outage(self) -> None:
        """The ledger is away when the job ends, for longer than a local activity waits."""
        async with TcpProxy.to(self._postgres_url) as proxy, self._parts([Toys().work], proxy) as parts:
            job_id = await parts.submit("toy")
            await proxy.hold_at(FINISH).wait()
            proxy.refuse()
            await parts.happened(
                job_id, lambda event: event.activity_task_scheduled_event_attributes.activity_type.name == "finish"
            )
            await proxy.release()
            await self._keep(parts, "toy", job_id, "outage")

    async def upkeep(self, kind: str) -> None:
        async with self._parts([]) as parts:
            await parts.client.execute_workflow(kind, id=f"longrun-{kind}", task_queue="workflows")
            await keep(parts.client, f"longrun-{kind}", None, kind, "success")

    async def telling(self) -> None:
        """A receiver fails, asks for an hour's patience, and is told at once by somebody's wish."""
        async with made(self._postgres_url, self._template, self._address) as world:
            endpoint = await world.endpoint(Answer(500), Answer(503, {"retry-after": "3600"}))
            await world.completed()
            delivery = await endpoint.tried(2)
            await world.deliveries.resend(endpoint.id, delivery.id)
            await endpoint.settled()
            handle = world.client.get_workflow_handle(f"webhook-{delivery.id}")
            await handle.result()
            await keep(world.client, handle.id, None, "deliver-webhook", "success")

    async def _keep(self, parts: Parts, kind: str, job_id: UUID, what: str) -> None:
        await parts.ended(job_id)
        await parts.closed(job_id)
        await keep(parts.client, str(job_id), None, kind, what)

    def scenes(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What there is to record, by the name of its file."""
        research, toy, task, plan = self.research, self.toy, self.task, self.plan
        isolated = {"scrape_website": BLOCKED, "analyze": NONSENSE}
        nothing = {"scrape_website": BLOCKED, "search_github": UNKNOWN}
        return {
            "company-research.success": lambda: research("success", Research()),
            "company-research.failure": lambda: research("failure", Research(isolated)),
            "company-research.no-evidence": lambda: research("no-evidence", Research(nothing)),
            "company-research.cancel": lambda: research("cancel", Research(hangs="analyze"), cancel=True),
            "http-task.success": lambda: task("success", TaskAnswer(accepted=False, output={"rows": 1200})),
            "http-task.failure": lambda: task("failure", REFUSED),
            "http-task.answered": lambda: task("answered", ACCEPTED, answered),
            "http-task.cancel": lambda: task("cancel", ACCEPTED, canceled),
            "http-task.timed-out": lambda: task("timed-out", ACCEPTED, timeout=1),
            "workflow-execution.success": lambda: plan("success", SEND, {"name": "Analyze"}, uses=True),
            "workflow-execution.failure": lambda: plan(
                "failure",
                {**SEND, "name": "Other", "dependsOn": []},
                {**SEND, "dependsOn": []},
                {"name": "Analyze", "dependsOn": ["Other", "Send"]},
                refuses="Send",
            ),
            "workflow-execution.answered": lambda: plan("answered", ASK, {"name": "Analyze"}, then=approved),
            "workflow-execution.cancel": lambda: plan("cancel", ASK, {"name": "Analyze"}, then=canceled),
            "batch-ingest-run-history.success": lambda: self.ingest("success", Ingest()),
            "batch-ingest-run-history.failure": lambda: self.ingest("failure", Ingest(broke=True)),
            "batch-ingest-run-history.cancel": lambda: self.ingest("cancel", Ingest(hangs=True), cancel=True),
            "batch-ingest-run-history.continue-as-new": lambda: self.ingest("continue-as-new", Ingest(PORTIONS + 1)),
            "enrich-job-position.success": lambda: self.posting("success", PostingModel()),
            "enrich-job-position.failure": lambda: self.posting("failure", posting_model(fails=NONSENSE)),
            "enrich-job-position.agent": lambda: self.posting("agent", looking_model()),
            "enrich-job-position.cancel": lambda: self.posting("cancel", posting_model(hangs=True)),
            **{f"analyse-interview.{what}": partial(self.interview, what) for what in ("success", "failure", "cancel")},
            "erase-user.success": lambda: self.erasure("success"),
            "erase-user.failure": lambda: self.erasure("failure", asked=False),
            "erase-user.cancel": lambda: self.erasure("cancel", cancel=True),
            "import-run-export.success": lambda: self.run_import("success", Import()),
            "import-run-export.failure": lambda: self.run_import("failure", Import(refused=True)),
            "import-run-export.cancel": lambda: self.run_import("cancel", Import(hangs=True), cancel=True),
            **{f"{kind}.success": partial(self.words, kind, "success") for kind in ABOUT_RUNS},
            **{
                f"{kind}.failure": partial(self.words, kind, "failure", fails=fails)
                for kind, fails in ABOUT_RUNS.items()
            },
            **{f"{kind}.cancel": partial(self.words, kind, "cancel", cancel=True) for kind in ABOUT_RUNS},
            **{
                f"{kind}.{what}": partial(self.documents, kind, what)
                for kind in ("bulk-document-processing", "document-reprocessing")
                for what in ("success", "failure", "cancel")
            },
            "refigure-runs.success": lambda: self.refigure("success", Refigure()),
            "refigure-runs.failure": lambda: self.refigure("failure", Refigure(fails=True)),
            "refigure-runs.cancel": lambda: self.refigure("cancel", Refigure(hangs=True), cancel=True),
            "bulk.success": lambda: self.bulk("success"),
            "bulk.cancel": lambda: self.bulk("cancel", cancel=True),
            "toy.repeats": lambda: toy("toy", "repeats", {"twice": ["two"], "skip": ["three"]}),
            "toy.timed-out": lambda: toy("toy", "timed-out", {}, hangs="two", max_duration=1),
            "toy.outage": self.outage,
            "toy-parent.child": lambda: toy("toy-parent", "child", {}),
            "toy-rounds.continue-as-new": lambda: toy("toy-rounds", "continue-as-new", {"left": 4, "perRun": 2}),
            "deliver-webhook.success": self.telling,
            "reconcile.success": lambda: self.upkeep("reconcile"),
            "tidy.success": lambda: self.upkeep("tidy"),
        }


async def answered(parts: Parts, job_id: UUID) -> None:
    """The application calls back."""
    waitpoints = Waitpoints(parts.database)
    assert await waitpoints.resolve(waitpoint_of(job_id, "call"), "completed", output={"rows": 1200}, by="callback")
    await Courier(parts.client, waitpoints).turn()


async def approved(parts: Parts, job_id: UUID) -> None:
    """A person answers."""
    waitpoints = Waitpoints(parts.database)
    assert await waitpoints.resolve(waitpoint_of(job_id, "Approve"), "completed", output="yes", by="token")
    await Courier(parts.client, waitpoints).turn()


async def canceled(parts: Parts, job_id: UUID) -> None:
    assert await parts.jobs.cancel(job_id, reason=None, by="somebody")


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
    stored = {one.name for one in Stored.all()}
    for name, scene in Recorder(postgres_url, template, temporal_address).scenes().items():
        if name not in stored:
            await scene()
            SAY.print(f"recorded {name}")


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (
            postgres.serve(folder / "postgres", fsync=False) as url,
            temporal.serve(folder / "temporal", test_timers=True) as address,
        ):
            asyncio.run(record(url, address))


if __name__ == "__main__":
    main()
