"""Job positions: boards, pages, the reader of both, the model, and the agent with its tools."""

from decimal import Decimal

from activities.posting_agent import PostingAgent
from activities.posting_tools import FindLogo, FindWebsite
from activities.postings import Enriching
from activities.tools.fetch_page import FetchPage
from activities.tools.tool import Tool
from activities.tools.web_search import WebSearch
from assembly import elsewhere, research
from assembly.parts import Activities, Parts
from domain.postings.looking import Limits
from engine.start import QUEUE
from ledger.plans import Plans
from ledger.spend import Spend
from providers import search
from providers.crawlbase import Crawlbase
from providers.postings.ats import Boards
from providers.postings.lookups import PostingLookups
from providers.postings.pages import PostingPages
from providers.postings.reader import PostingReader


async def activities(parts: Parts) -> Activities:
    settings, client, reader, crawlbase = parts.settings, parts.guarded(), PostingReader(), None
    parts.opened.push_async_callback(reader.close)
    if settings.web_scraping_token:
        crawlbase = await parts.opened.enter_async_context(
            Crawlbase(settings.web_scraping_token, settings.crawlbase_url)
        )
    pages = PostingPages(client, Boards(client), reader, crawlbase)
    postings, plans = elsewhere.postings(parts), Plans(parts.database)
    limits = Limits(
        turns=settings.agent_turns,
        calls=settings.agent_calls,
        seconds=settings.agent_seconds,
        usd=Decimal(str(settings.agent_max_usd)),
    )
    one = Enriching(postings, pages, reader, parts.models, plans, limits)
    agent = PostingAgent(
        postings,
        plans,
        Spend(parts.database),
        parts.models,
        {tool.spec.name: tool for tool in await _tools(parts)},
        limits,
        patience=settings.ledger_patience_seconds,
    )
    return {"io": [one.load, one.extract], "llm": [one.enrich, agent.turn, agent.call], QUEUE: [one.store]}


async def _tools(parts: Parts) -> list[Tool]:
    settings, finder = parts.settings, None
    if settings.search_api_key:
        finder = await parts.opened.enter_async_context(
            search.WebSearch(settings.search_api_key, settings.search_api_url)
        )
    lookups = PostingLookups(await research.site(parts), parts.guarded())
    return [WebSearch(finder), FetchPage(lookups), FindWebsite(lookups), FindLogo(lookups)]
