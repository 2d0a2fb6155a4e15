"""Job positions: boards, pages, the reader of both, the model."""

from activities.postings import Enriching
from assembly import elsewhere
from assembly.parts import Activities, Parts
from engine.start import QUEUE
from providers.crawlbase import Crawlbase
from providers.postings.ats import Boards
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
    one = Enriching(elsewhere.postings(parts), pages, reader, parts.models)
    return {"io": [one.load, one.extract], "llm": [one.enrich], QUEUE: [one.store]}
