"""Company research: read the site and the code at the same time, write a briefing for the role, keep it."""

import asyncio

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.analysis import Analysis
    from activities.research import Gather, Store
    from domain.errors import JobError
    from domain.job import Job
    from domain.research import Briefing, CodeFound, CompanyResearchRequest, SiteFound, Sources


@workflow.defn(name="company-research")
class CompanyResearch:
    """Evidence stays in the ledger; ids and reasons travel."""

    steps = (
        Step("scrape_website", policies.FETCH),
        Step("search_github", policies.FETCH),
        Step("analyze", policies.MODEL),
        Step("store", policies.WRITE),
    )

    @workflow.init
    def __init__(self, job: Job[CompanyResearchRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[CompanyResearchRequest]) -> Briefing:
        return await self.progress.to_the_end(self.research(job.payload))

    async def research(self, request: CompanyResearchRequest) -> Briefing:
        run, stand_in = self.progress.run, self.progress.stand_in
        site, code = await asyncio.gather(
            run("scrape_website", Gather.scrape_website, request, otherwise=SiteFound.unreachable),
            run("search_github", Gather.search_github, request, otherwise=CodeFound.unknown),
        )
        if not site.sentences and not code.lines:
            reasons = "; ".join(found.failure.message for found in (site, code) if found.failure)
            raise JobError(f"neither the website nor GitHub gave evidence: {reasons}", code="no_evidence")
        sources = Sources(request=request, site=site, code=code)
        briefing = await run(
            "analyze",
            Analysis.analyze,
            sources,
            otherwise=lambda failure: stand_in(
                "analyze", Analysis.extract_briefing, sources.model_copy(update={"reason": failure.message})
            ),
        )
        await run("store", Store.store_research, request, briefing)
        return briefing
