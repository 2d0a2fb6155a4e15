"""`analyze`: evidence into a checked briefing, by a model or by the offline twin."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, Protocol, cast
from uuid import UUID

from temporalio import activity

from domain.briefing import assemble, checker, extract
from domain.claims import Checked
from domain.errors import JobError, VendorError
from domain.research import Briefing, Draft, Evidence, Sources
from domain.text import plain
from domain.usage import Call

if TYPE_CHECKING:
    from domain.protocols import LanguageModel

PROMPT = "prompts/company_briefing.md"
# About 30 000 tokens of evidence; the answer's room includes what a model thinks.
MOST_CHARACTERS, MOST_TOKENS = 120_000, 12_000
# Answers that reached the ledger and failed the claim check are passed over, one by one, without being paid again.
MOST_TURNS = 8
WORTH_KEEPING = 1 / 3


class EvidenceShelf(Protocol):
    """Where the evidence of a job is kept (ledger.research): in the order in which it was found."""

    async def read(self, job_id: UUID) -> list[Evidence]: ...


class Analysis:
    """The activities of the step `analyze` and its stand-in."""

    def __init__(self, shelf: EvidenceShelf, model: "LanguageModel") -> None:
        self._shelf = shelf
        self._model = model
        self._instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    @activity.defn(name="analyze")
    async def analyze(self, sources: Sources) -> Briefing:
        """A briefing by the model, every claim checked; by the twin when no key is set.

        Raises VendorError `bad_answer` when too little of an answer stands: the next attempt asks anew.
        """
        evidence = await self._evidence()
        if self._model.missing:
            return await _extract(sources, evidence, self._model.missing)
        check = checker(sources, evidence)
        prompt = render(sources, evidence)
        info = activity.info()
        for turn in range(MOST_TURNS):
            answer = await self._model.ask(
                Call(job_id=_job(), step="analyze", turn=turn, attempt=info.attempt),
                instructions=self._instructions,
                prompt=prompt,
                output=Draft,
                max_tokens=MOST_TOKENS,
            )
            checked = await asyncio.to_thread(check.draft, cast("Draft", answer.output))
            if enough(checked, evidence):
                vendor = cast("Literal['anthropic', 'openai']", answer.vendor)
                return assemble(sources, checked.draft, evidence, vendor)
            if not answer.recalled:
                break
        raise VendorError("the sources do not support the model's answer", code="bad_answer")

    @activity.defn(name="extract_briefing")
    async def extract_briefing(self, sources: Sources) -> Briefing:
        """The stand-in for `analyze`: the twin's briefing; `sources.reason` says why the model's is missing."""
        return await _extract(sources, await self._evidence(), sources.reason or "the model gave no usable answer")

    async def _evidence(self) -> list[Evidence]:
        evidence = await self._shelf.read(_job())
        if not evidence:
            raise JobError("neither the website nor the code of the company could be read", code="no_evidence")
        return evidence


async def _extract(sources: Sources, evidence: list[Evidence], reason: str) -> Briefing:
    # Some tenths of a second of computing: other activities share this loop.
    return await asyncio.to_thread(extract, sources, evidence, reason)


def _job() -> UUID:
    return UUID(activity.info().workflow_id)


def enough(checked: Checked, evidence: Sequence[Evidence]) -> bool:
    """Whether an answer is worth keeping: a third of its claims stand, and it says who they are if pages do."""
    introduced = bool(checked.draft.sections.overview) or all(item.kind == "repository" for item in evidence)
    return introduced and checked.kept > 0 and checked.kept >= WORTH_KEEPING * checked.total


def render(sources: Sources, evidence: Sequence[Evidence]) -> str:
    """The prompt: the evidence page by page, each sentence on a line behind its id, at most 120 000 characters.

    Too much is cut at the end of the longest pages. Sentences keep to their line and cannot close the block they
    stand in, so a page cannot forge an id.
    """
    pages: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for item in evidence:
        pages[item.title, item.url].append(f"[{item.id}] {_inert(item.quote)}")
    shown: set[str] = set()
    left = MOST_CHARACTERS
    for row in zip_longest(*pages.values()):
        for line in filter(None, row):
            left -= len(line) + 1
            if left >= 0:
                shown.add(line)
    blocks = "\n\n".join(
        "\n".join([f"{_inert(title)} ({_inert(url)})", *(line for line in lines if line in shown)])
        for (title, url), lines in pages.items()
    )
    asked = f"Company: {_inert(sources.request.company_name)}\nRole: {_inert(sources.request.role)}"
    return f"{asked}\n\n<evidence>\n{blocks}\n</evidence>"


def _inert(text: str) -> str:
    return plain(text).replace("<", "‹").replace(">", "›")
