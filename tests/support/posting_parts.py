"""What reads job positions, on a real ledger; the model answers from a script."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from activities.posting_agent import PostingAgent
from activities.posting_tools import FindLogo, FindWebsite
from activities.postings import Enriching
from activities.tools.fetch_page import FetchPage
from activities.tools.tool import Tool
from activities.tools.web_search import WebSearch
from domain.errors import LongrunError
from domain.postings.looking import Limits, Notes
from domain.protocols import Answer, LanguageModel, ToolModel
from domain.tool_use import Choice, Exchange, ToolOffer, ToolUse
from domain.usage import Call
from ledger.database import Database
from ledger.plans import Plans
from ledger.postings import PostingRow, Postings
from ledger.spend import Spend
from providers.postings.ats import Boards
from providers.postings.lookups import PostingLookups
from providers.postings.pages import PostingPages
from providers.postings.reader import PostingReader
from providers.site import CompanySite
from providers.web import GuardedClient

TEXT = """# Senior Data Engineer at Acme Rockets

Acme Rockets is looking for a data engineer. This position is fully remote.

**Location:** Berlin, Germany
**Employment type:** Full-time
**Salary:** €70,000 – €85,000 per year

## Qualifications

- 5+ years of experience with Python
- Good German

Apply by writing to jobs@acme.example.
"""
# One value that is nowhere in the text, one whose quote does not say it, one that only a model reads.
ANSWER: dict[str, Any] = {
    "isJobPosting": True,
    "title": {"value": "Senior Data Engineer", "quote": "Senior Data Engineer at Acme Rockets"},
    "companyIndustry": {"value": "space travel", "quote": "a leader in space travel"},
    "companySize": {"value": "500", "quote": "5+ years of experience with Python"},
    "skillsRequired": [{"value": "Python", "quote": "5+ years of experience with Python"}],
    "salary": {"value": {"min": 70000, "max": 95000}, "quote": "€70,000 – €85,000 per year"},
}


Looks = LongrunError | Sequence[tuple[str, dict[str, Any]]] | Notes


class PostingModel:
    """Fits domain.protocols.LanguageModel and ToolModel: reads as `says`, looks things up as the script has it, turn by
    turn; without one it has nothing to look up."""

    def __init__(self) -> None:
        self.forget()

    def forget(self, *, fails: LongrunError | None = None, hangs: bool = False) -> None:
        self.missing: str | None = None
        self.says: dict[str, Any] = ANSWER
        self.fails, self.hangs = fails, hangs
        self.reached = asyncio.Event()
        self.prompts: list[str] = []
        self.script: Mapping[int, Looks] = {}

    def missing_for(self, model: str | None) -> str | None:
        return self.missing

    async def choose(
        self,
        call: Call,
        *,
        model: str | None,
        instructions: str,
        prompt: str,
        exchanges: Sequence[Exchange],
        offers: Sequence[ToolOffer],
        output: type[Any],
        max_tokens: int,
    ) -> Choice:
        looks = self.script.get(call.turn, Notes())
        if isinstance(looks, LongrunError):
            raise looks
        if isinstance(looks, Notes) or not offers:
            notes = looks if isinstance(looks, Notes) else Notes()
            return Choice(output=notes, vendor="anthropic", model="claude-haiku-5-5")
        uses = tuple(ToolUse(id=str(at), tool=tool, arguments=given) for at, (tool, given) in enumerate(looks))
        return Choice(uses=uses, vendor="anthropic", model="claude-haiku-5-5")

    async def ask(self, call: Call, *, instructions: str, prompt: str, output: type[Any], max_tokens: int) -> Answer:
        self.prompts.append(prompt)
        self.reached.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise self.fails
        return Answer(output=output.model_validate(self.says), vendor="anthropic", model="claude-haiku-5-5")


def posting_model(*, fails: LongrunError | None = None, hangs: bool = False) -> PostingModel:
    model = PostingModel()
    model.forget(fails=fails, hangs=hangs)
    return model


def looking_model() -> PostingModel:
    """It asks for a tool twice, the second time for two of them, and then answers."""
    model = PostingModel()
    ask = ("find_website", {"company": "Acme Rockets"})
    model.script = {1: [ask], 2: [ask, ("note", {"notes": []})]}
    return model


class ReadingModel(LanguageModel, ToolModel, Protocol):
    """What both the reading and the agent ask."""


class Reading:
    """The real way from an address or a text to a row. `allow` may be fetched; `boards` are moved by their hosts, and
    every company's site is guessed to be at `company`."""

    def __init__(
        self,
        database: Database,
        model: ReadingModel,
        *,
        allow: Sequence[str] = (),
        boards: dict[str, str] | None = None,
        company: str = "",
        limits: Limits | None = None,
        postings: Postings | None = None,
    ) -> None:
        self.postings, self.reader = postings or Postings(database), PostingReader()
        self.client = GuardedClient(allow=allow, timeout=5)
        pages = PostingPages(self.client, Boards(self.client, boards), self.reader)
        plans, limits = Plans(database), limits or Limits()
        self._made = Enriching(self.postings, pages, self.reader, model, plans, limits)
        lookups = PostingLookups(CompanySite(self.client, candidates=(company,)), self.client)
        self.tools: dict[str, Tool] = {
            tool.spec.name: tool
            for tool in (WebSearch(None), FetchPage(lookups), FindWebsite(lookups), FindLogo(lookups))
        }
        self.agent = PostingAgent(self.postings, plans, Spend(database), model, self.tools, limits)

    @property
    def activities(self) -> Sequence[Callable[..., Any]]:
        made, agent = self._made, self.agent
        return (made.load, made.extract, made.enrich, made.store, agent.turn, agent.call)

    async def close(self) -> None:
        await self.client.aclose()
        await self.reader.close()

    async def row(self, posting_id: UUID) -> PostingRow:
        row = await self.postings.get(posting_id)
        assert row is not None
        return row
