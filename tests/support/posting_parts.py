"""What reads job positions, on a real ledger; the model answers from a script."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from activities.postings import Enriching
from domain.errors import LongrunError
from domain.protocols import Answer, LanguageModel
from domain.usage import Call
from ledger.database import Database
from ledger.postings import PostingRow, Postings
from providers.postings.ats import Boards
from providers.postings.pages import PostingPages
from providers.postings.reader import PostingReader
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


class PostingModel:
    """Fits domain.protocols.LanguageModel."""

    def __init__(self) -> None:
        self.forget()

    def forget(self, *, fails: LongrunError | None = None, hangs: bool = False) -> None:
        self.missing: str | None = None
        self.says: dict[str, Any] = ANSWER
        self.fails, self.hangs = fails, hangs
        self.reached = asyncio.Event()
        self.prompts: list[str] = []

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


class Reading:
    """The real way from an address or a text to a row. `allow` may be fetched; `boards` are moved by their hosts."""

    def __init__(
        self,
        database: Database,
        model: LanguageModel,
        *,
        allow: Sequence[str] = (),
        boards: dict[str, str] | None = None,
    ) -> None:
        self.postings, self.reader = Postings(database), PostingReader()
        self.client = GuardedClient(allow=allow, timeout=5)
        pages = PostingPages(self.client, Boards(self.client, boards), self.reader)
        self._made = Enriching(self.postings, pages, self.reader, model)

    @property
    def activities(self) -> Sequence[Callable[..., Any]]:
        made = self._made
        return (made.load, made.extract, made.enrich, made.store)

    async def close(self) -> None:
        await self.client.aclose()
        await self.reader.close()

    async def row(self, posting_id: UUID) -> PostingRow:
        row = await self.postings.get(posting_id)
        assert row is not None
        return row
