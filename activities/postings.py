"""The activities of `enrich-job-position`. What is read stays in the ledger: between the steps as the job's draft."""

from importlib.resources import files
from typing import TYPE_CHECKING, Literal, Protocol, cast
from uuid import UUID

from temporalio import activity

from activities.posting_agent import looked_up
from domain.errors import JobError
from domain.model import Model
from domain.postings.asking import Answer, Said, findings_of, prompt
from domain.postings.enriching import EnrichRequest, EnrichResult, Reading, is_posting
from domain.postings.looking import Enriched, Limits, wanted
from domain.postings.merging import open_fields
from domain.usage import Call

if TYPE_CHECKING:
    from domain.protocols import LanguageModel
    from ledger.plans import Plans
    from ledger.postings import Postings

PROMPT = "prompts/job_position.md"
# The answer's room includes what a model thinks.
MOST_TOKENS = 8_000
GONE = "there is no such job position any more"


class Pages(Protocol):
    """Where postings are read from. Raises VendorError, RateLimited, JobError."""

    async def read(self, url: str) -> Reading: ...

    async def answering(self, reading: Reading) -> Reading:
        """The reading without logos that do not answer as an image."""
        ...


class Words(Protocol):
    """What words say by themselves."""

    async def words(self, reading: Reading) -> Reading: ...


class Loaded(Model):
    """How much text there is to read, and whether structured data stands beside it."""

    characters: int
    structured: bool


class Extracted(Model):
    """For how many fields nothing was found, or more than one thing."""

    open_fields: int


class Enriching:
    """`limits` are the agent's."""

    def __init__(
        self,
        postings: "Postings",
        pages: Pages,
        words: Words,
        model: "LanguageModel",
        plans: "Plans",
        limits: Limits,
    ) -> None:
        self._postings, self._pages, self._words, self._model = postings, pages, words, model
        self._plans, self._limits = plans, limits
        self._instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    @activity.defn(name="load_posting")
    async def load(self, asked: EnrichRequest) -> Loaded:
        """Read the page, or take the text that was given. Raises VendorError with the page's honest reason, JobError
        `not_found` for a row that is gone."""
        reading = await self._loaded(asked)
        return Loaded(characters=len(reading.text), structured=reading.structured)

    @activity.defn(name="extract_posting")
    async def extract(self, asked: EnrichRequest) -> Extracted:
        """Read labels and grammar."""
        return Extracted(open_fields=len(open_fields((await self._extracted(asked)).details())))

    @activity.defn(name="enrich_posting")
    async def enrich(self, asked: EnrichRequest) -> Enriched:
        """Have a model read the text, with what is known beside it; without a key what was extracted stands."""
        if self._model.missing:
            return Enriched(answered_by="offline", reason=self._model.missing)
        draft = await self._postings.draft(_job())
        reading = draft[0] if draft else await self._extracted(asked)
        answer = await self._model.ask(
            Call(job_id=_job(), step="enrich", attempt=activity.info().attempt),
            instructions=self._instructions,
            prompt=prompt(reading, reading.details()),
            output=Answer,
            max_tokens=MOST_TOKENS,
        )
        told, vendor = cast("Answer", answer.output), cast("Literal['anthropic', 'openai']", answer.vendor)
        said = Said(
            is_posting=told.is_job_posting,
            findings=findings_of(told, reading),
            answered_by=vendor,
            model=answer.model,
        )
        await self._postings.keep_said(_job(), said)
        looks = self._limits.turns > 0 and said.is_posting and wanted(reading.details(said.findings))
        return Enriched(answered_by=vendor, model=answer.model, agent_seconds=self._limits.seconds if looks else None)

    @activity.defn(name="store_posting")
    async def store(self, asked: EnrichRequest, enriched: Enriched) -> EnrichResult:
        """Complete the row. Raises JobError `not_a_job`, `not_found`, `draft_gone` (a replay skipped the reading)."""
        draft = await self._postings.draft(_job())
        if draft is None:
            return await self._stored_before(asked, enriched)
        reading, said = draft
        details = reading.details(said.findings) if said else reading.details()
        looked = await looked_up(self._plans, _job(), details)
        if looked.findings and said:
            details = reading.details(said.findings, looked.findings, heard=looked.heard)
        if not (said.is_posting or reading.structured if said else is_posting(reading, details)):
            raise JobError("what was read is no job posting", code="not_a_job")
        kept = await self._postings.store(
            _job(), asked.job_position_id, details, enriched.answered_by, enriched.reason, enriched.model
        )
        if not kept:
            raise JobError(GONE, code="not_found")
        result = _result(asked, enriched, len(details.evidence), len(details.conflicts))
        return result.model_copy(update={"agent": looked.report(enriched)})

    async def _loaded(self, asked: EnrichRequest) -> Reading:
        source = await self._postings.begin(_job(), asked.job_position_id)
        if source is None:
            raise JobError(GONE, code="not_found")
        if source.url:
            reading = await self._pages.answering(await self._pages.read(source.url))
        else:
            reading = Reading(text=source.given or "")
        await self._postings.keep(_job(), asked.job_position_id, reading)
        return reading

    async def _extracted(self, asked: EnrichRequest) -> Reading:
        draft = await self._postings.draft(_job())
        # a replay from this step was given no draft
        reading = draft[0] if draft else await self._loaded(asked)
        reading = await self._words.words(reading)
        await self._postings.keep(_job(), asked.job_position_id, reading)
        return reading

    async def _stored_before(self, asked: EnrichRequest, enriched: Enriched) -> EnrichResult:
        """The answer of an attempt whose own was lost on the way."""
        row = await self._postings.get(asked.job_position_id)
        if row is None:
            raise JobError(GONE, code="not_found")
        if row.job_id != _job() or row.processing_status != "completed":
            raise JobError("what was read is no longer kept: replay from an earlier step", code="draft_gone")
        return _result(asked, enriched, len(row.details.evidence), len(row.details.conflicts))


def _result(asked: EnrichRequest, enriched: Enriched, fields: int, conflicts: int) -> EnrichResult:
    return EnrichResult(
        job_position_id=asked.job_position_id,
        answered_by=enriched.answered_by,
        reason=enriched.reason,
        fields=fields,
        conflicts=conflicts,
    )


def _job() -> UUID:
    return UUID(activity.info().workflow_id)
