"""Company research: the site's reader, GitHub, the model."""

from activities.analysis import Analysis
from activities.research import Gather, Store
from assembly.parts import Activities, Parts
from engine.start import QUEUE
from ledger.research import Research
from providers.crawlbase import Crawlbase
from providers.github import GitHub
from providers.search import WebSearch
from providers.site import CANDIDATES, CompanySite


async def activities(parts: Parts) -> Activities:
    settings, research = parts.settings, Research(parts.database)
    github = GitHub(settings.github_api_url, token=settings.github_token)
    gather, store = Gather(research, await site(parts), github), Store(research)
    analysis = Analysis(research, parts.models)
    return {
        QUEUE: [store.store_research],
        "io": [gather.scrape_website, gather.search_github, store.store_research],
        "llm": [analysis.analyze, analysis.extract_briefing],
    }


async def site(parts: Parts) -> CompanySite:
    """The reader of company sites, with what the settings give it: search, Crawlbase, places where to guess."""
    settings, search, crawlbase = parts.settings, None, None
    if settings.search_api_key:
        search = await parts.opened.enter_async_context(WebSearch(settings.search_api_key, settings.search_api_url))
    if settings.web_scraping_token:
        crawlbase = await parts.opened.enter_async_context(
            Crawlbase(settings.web_scraping_token, settings.crawlbase_url)
        )
    candidates = settings.site_candidates or CANDIDATES
    return CompanySite(parts.guarded(), search, candidates=candidates, crawlbase=crawlbase)
