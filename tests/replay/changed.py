"""Deploys that must not happen: the same workflow's name, another order of work."""

import asyncio
from typing import Any

from temporalio import workflow

from workflows import policies
from workflows.company_research import CompanyResearch
from workflows.steps import Step

with workflow.unsafe.imports_passed_through():
    from activities.analysis import Analysis
    from activities.research import Gather
    from domain.job import Job
    from domain.research import Briefing, CodeFound, CompanyResearchRequest, SiteFound, Sources


@workflow.defn(name="company-research")
class AnalyzesFirst(CompanyResearch):
    """`analyze` before there is anything to read."""

    @workflow.init
    def __init__(self, job: Job[CompanyResearchRequest]) -> None:
        super().__init__(job)

    @workflow.run
    async def run(self, job: Job[CompanyResearchRequest]) -> Briefing:
        return await super().run(job)

    async def research(self, request: CompanyResearchRequest) -> Briefing:
        await self.progress.run("analyze", Analysis.analyze, _nothing(request))
        return await super().research(request)


@workflow.defn(name="company-research")
class LooksTwice(CompanyResearch):
    """A step more, after those that were there."""

    steps = (*CompanyResearch.steps, Step("look_again", policies.FETCH))

    @workflow.init
    def __init__(self, job: Job[CompanyResearchRequest]) -> None:
        super().__init__(job)

    @workflow.run
    async def run(self, job: Job[CompanyResearchRequest]) -> Briefing:
        return await super().run(job)

    async def research(self, request: CompanyResearchRequest) -> Briefing:
        briefing = await super().research(request)
        await self.progress.run("look_again", Gather.scrape_website, request)
        return briefing


@workflow.defn(name="company-research")
class OneByOne(CompanyResearch):
    """The website and GitHub one after the other."""

    @workflow.init
    def __init__(self, job: Job[CompanyResearchRequest]) -> None:
        super().__init__(job)

    @workflow.run
    async def run(self, job: Job[CompanyResearchRequest]) -> Briefing:
        return await super().run(job)

    async def research(self, request: CompanyResearchRequest) -> Briefing:
        await self.progress.run("scrape_website", Gather.scrape_website, request)
        return await super().research(request)


@workflow.defn(name="company-research")
class Sleeps(CompanyResearch):
    """A pause before the work: asyncio's sleep is a timer of Temporal's."""

    @workflow.init
    def __init__(self, job: Job[CompanyResearchRequest]) -> None:
        super().__init__(job)

    @workflow.run
    async def run(self, job: Job[CompanyResearchRequest]) -> Briefing:
        return await super().run(job)

    async def research(self, request: CompanyResearchRequest) -> Briefing:
        await asyncio.sleep(1)
        return await super().research(request)


def _nothing(request: CompanyResearchRequest) -> Any:
    return Sources(request=request, site=SiteFound(), code=CodeFound())
