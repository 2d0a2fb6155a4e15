"""Company research: gather evidence into the ledger, store the briefing. Thin: providers do the work."""

from typing import TYPE_CHECKING
from uuid import UUID

from temporalio import activity

from domain.research import Briefing, CodeFound, CompanyResearchRequest, SiteFound

if TYPE_CHECKING:
    from domain.protocols import CodeReader, SiteReader
    from ledger.research import Research


def _job_id() -> UUID:
    return UUID(activity.info().workflow_id)


class Gather:
    """Evidence from the outside world into the ledger."""

    def __init__(self, research: "Research", site: "SiteReader", code: "CodeReader") -> None:
        self._research, self._site, self._code = research, site, code

    @activity.defn(name="scrape_website")
    async def scrape_website(self, request: CompanyResearchRequest) -> SiteFound:
        found, evidence = await self._site.read(request)
        await self._research.put(_job_id(), "scrape_website", evidence)
        return found

    @activity.defn(name="search_github")
    async def search_github(self, request: CompanyResearchRequest) -> CodeFound:
        found, evidence = await self._code.read(request)
        await self._research.put(_job_id(), "search_github", evidence)
        return found


class Store:
    """The owner's history of briefings."""

    def __init__(self, research: "Research") -> None:
        self._research = research

    @activity.defn(name="store_research")
    async def store_research(self, request: CompanyResearchRequest, briefing: Briefing) -> None:
        await self._research.store(_job_id(), request, briefing)
