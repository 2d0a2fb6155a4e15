"""The outside of kinds, answering from a script: only the order of work is recorded."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from temporalio import activity

from activities.bulk import BulkWork
from activities.erasing import Erasing
from activities.tasks import HttpTasks
from activities.waiting import Waits
from domain.bulk import BulkRequest
from domain.errors import LongrunError
from domain.keyring import Keyring
from domain.portions import Portion
from domain.research import (
    Briefing,
    Citation,
    Claim,
    CodeFound,
    CompanyFacts,
    CompanyResearchRequest,
    Interview,
    Sections,
    SiteFound,
    Sources,
    Technology,
)
from domain.tasks import HttpTaskRequest, TaskAnswer
from engine.replay import Replays
from ledger.database import Database
from ledger.items import JobItems
from ledger.jobs import Jobs
from ledger.users import Users
from ledger.waitpoints import Waitpoints
from workflows.kind import Catalog

T = TypeVar("T")
TASK_URL = "https://app.example.com/tasks/process-large-dataset"
FOUND = Citation(id="p1.1", kind="page", url="https://acme.example/", title="Acme", quote="Acme makes anvils.")


class Research:
    """`errors` says which activities fail; `hangs` names one that never answers."""

    def __init__(self, errors: Mapping[str, LongrunError] | None = None, hangs: str = "") -> None:
        self._errors, self._hangs = dict(errors or {}), hangs
        self.reached = asyncio.Event()

    async def _answer(self, name: str, value: T) -> T:
        if name in self._errors:
            raise self._errors[name]
        if name == self._hangs:
            self.reached.set()
            await asyncio.Event().wait()
        return value

    @activity.defn(name="scrape_website")
    async def scrape_website(self, _: CompanyResearchRequest) -> SiteFound:
        return await self._answer("scrape_website", SiteFound(website="https://acme.example/", pages=4, sentences=40))

    @activity.defn(name="search_github")
    async def search_github(self, _: CompanyResearchRequest) -> CodeFound:
        return await self._answer("search_github", CodeFound(github="https://github.com/acme", repositories=3, lines=9))

    @activity.defn(name="analyze")
    async def analyze(self, sources: Sources) -> Briefing:
        return await self._answer("analyze", briefing(sources))

    @activity.defn(name="extract_briefing")
    async def extract_briefing(self, sources: Sources) -> Briefing:
        offline = {"answered_by": "offline", "reason": sources.reason}
        return await self._answer("extract_briefing", briefing(sources).model_copy(update=offline))

    @activity.defn(name="store_research")
    async def store_research(self, _request: CompanyResearchRequest, _briefing: Briefing) -> None:
        await self._answer("store_research", None)

    @property
    def activities(self) -> tuple[Callable[..., Any], ...]:
        return self.scrape_website, self.search_github, self.analyze, self.extract_briefing, self.store_research


class Application:
    """Tasks' application, which answers so or raises."""

    def __init__(self, answer: TaskAnswer | LongrunError) -> None:
        self._answer = answer

    async def call(self, task: HttpTaskRequest, job_id: UUID, until: datetime) -> TaskAnswer:
        if isinstance(self._answer, LongrunError):
            raise self._answer
        return self._answer

    async def cancel(self, task: HttpTaskRequest, job_id: UUID) -> None:
        return None


def task_activities(database: Database, answer: TaskAnswer | LongrunError) -> Sequence[Callable[..., Any]]:
    """The real activities of tasks, on that ledger, before such an application."""
    waitpoints = Waitpoints(database)
    waits = Waits(waitpoints, Keyring(["a key"]))
    tasks = HttpTasks(waitpoints, waits, Application(answer), within=timedelta(days=3))
    return tasks.call, tasks.cancel, waits.open_wait, waits.settle_wait


class Forgetter:
    """An engine that remembers nothing; `hangs`: it never says so."""

    def __init__(self, *, hangs: bool = False) -> None:
        self._hangs = hangs

    async def end_schedules(self, owner: str) -> None:
        if self._hangs:
            await asyncio.Event().wait()

    async def forget(self, job_ids: Sequence[UUID]) -> None:
        return None


def erasing(database: Database, engine: Forgetter) -> Sequence[Callable[..., Any]]:
    """The real activities of erasures, on that ledger."""
    activities = Erasing(Users(database), Jobs(database), engine)
    return activities.stop_jobs, activities.erase_data


def briefing(sources: Sources) -> Briefing:
    claim = Claim(text="Acme makes anvils.", evidence=(FOUND.id,))
    return Briefing(
        company=CompanyFacts(name=sources.request.company_name, website=sources.site.website),
        sections=Sections(overview=(claim,)),
        stack=(Technology(name="Python", evidence=(FOUND.id,)),),
        interview=Interview(topics=(claim,)),
        prepare=(claim,),
        ask_them=(claim,),
        evidence=(FOUND,),
        not_found=("products", "culture", "engineering", "news"),
        answered_by="anthropic",
    )


class Portions:
    """The portions of a bulk, which does what it is asked to or hangs."""

    def __init__(self, *, hangs: bool = False) -> None:
        self._hangs = hangs

    def activities(self, database: Database) -> tuple[Callable[..., Any], ...]:
        jobs = Jobs(database)
        work = BulkWork(JobItems(database), jobs, Replays(jobs, Catalog(())))

        @activity.defn(name="apply_bulk")
        async def apply(asked: BulkRequest) -> Portion:
            if self._hangs:
                await asyncio.Event().wait()
            return await work.apply(asked)

        return (apply,)
