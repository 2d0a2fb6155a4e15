"""The activities of the kinds that write about one run: in steps of their own, or a half a step."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from temporalio import activity

from domain.errors import JobError
from domain.model import Model
from domain.running.contents import ContentRequest, Half, RunSheet, Words, Written
from domain.running.told import told
from domain.usage import Call

if TYPE_CHECKING:
    from activities.running_words import Writer
    from ledger.contents import Contents


class Loaded(Model):
    """How many figures there are to write from; they stay in the ledger."""

    figures: int


class RunContents:
    """Texts and figures stay in the ledger: between the steps of a job as its draft."""

    def __init__(self, writer: "Writer", contents: "Contents") -> None:
        self._writer, self._contents = writer, contents

    @activity.defn(name="load_run")
    async def load(self, half: Half, asked: ContentRequest) -> Loaded:
        """Put what the half is to be written from into the draft. Raises JobError `not_found`."""
        return Loaded(figures=len((await self._loaded(half, asked)).facts))

    @activity.defn(name="generate_run_content")
    async def generate(self, half: Half, asked: ContentRequest) -> Written:
        """Write the half into the draft."""
        draft = await self._contents.draft(_job())
        # a replay from this step was given no draft
        sheet = RunSheet.model_validate(draft[0]) if draft else await self._loaded(half, asked)
        words = await self._writer.words(half, sheet, _call())
        await self._contents.keep_words(_job(), words)
        return Written(answered_by=words.answered_by, reason=words.reason)

    @activity.defn(name="store_run_content")
    async def store(self, half: Half, asked: ContentRequest) -> None:
        """Make the draft the run's content. Raises JobError."""
        sheet, words = await drafted(self._contents, _job())
        facts = told(RunSheet.model_validate(sheet), half).facts
        await self._writer.store(half, asked.activity_id, words, facts, _call())
        await self._contents.drop_draft(_job())

    @activity.defn(name="write_letter")
    async def letter(self, asked: ContentRequest) -> Written:
        """Load, write and store the letter, in one step."""
        return await self._writer.letter(
            _job(), asked.activity_id, asked.user_id, step="letter", attempt=activity.info().attempt
        )

    @activity.defn(name="write_insight")
    async def insight(self, asked: ContentRequest) -> Written:
        """The same for the insight."""
        return await self._writer.insight(
            _job(), asked.activity_id, asked.user_id, step="insight", attempt=activity.info().attempt
        )

    async def _loaded(self, half: Half, asked: ContentRequest) -> RunSheet:
        sheet = await self._writer.load(_job(), asked.activity_id, asked.user_id, half)
        await self._contents.keep_sheet(_job(), sheet)
        return sheet


async def drafted(contents: "Contents", job_id: UUID) -> tuple[Any, Words]:
    """The sheet, and what the job has written from it. Raises JobError when nobody has it any more."""
    draft = await contents.draft(job_id)
    if draft is None or draft[1] is None:
        raise JobError("what was written is no longer kept: replay from an earlier step", code="draft_gone")
    return draft[0], draft[1]


def _job() -> UUID:
    return UUID(activity.info().workflow_id)


def _call() -> Call:
    return Call(job_id=_job(), step="generate", attempt=activity.info().attempt)
