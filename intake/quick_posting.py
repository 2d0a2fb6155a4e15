"""What a small model reads off a posting's text while somebody waits at the door: title, company, places."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, cast
from uuid import UUID

import structlog

from domain.errors import LongrunError
from domain.postings.asking import Heading, findings_of, heading_prompt
from domain.usage import Call

if TYPE_CHECKING:
    from domain.posting import Finding
    from domain.postings.enriching import Reading
    from domain.protocols import LanguageModel

log = structlog.get_logger()
PROMPT = "prompts/job_position_heading.md"
STEP = "door"
# Three fields and their quotes; the room includes what a model thinks.
MOST_TOKENS = 1_000


class QuickReading:
    """`model` is awaited at each reading: the first may find it loading still. `start` has a job that was started for
    later begin now (ledger.changes.Changes.reschedule)."""

    def __init__(
        self,
        model: "Callable[[], Awaitable[LanguageModel]]",
        start: Callable[[UUID, datetime], Awaitable[object]],
    ) -> None:
        self._model, self._start = model, start
        self._instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    async def findings(self, reading: "Reading", job_id: UUID, until: float) -> "dict[str, Finding]":
        """What of its answer stands; nothing where it has not answered by then (the loop's time), or not well. The job
        pays."""
        try:
            async with asyncio.timeout_at(until):
                model = await self._model()
                answer = await model.ask(
                    Call(job_id=job_id, step=STEP),
                    instructions=self._instructions,
                    prompt=heading_prompt(reading),
                    output=Heading,
                    max_tokens=MOST_TOKENS,
                )
        except TimeoutError:
            log.info("the quick model is given up on", jobId=str(job_id))
            return {}
        except LongrunError as error:
            log.info("the quick model has not answered", code=error.code, jobId=str(job_id))
            return {}
        return findings_of(cast("Heading", answer.output), reading)

    async def release(self, job_id: UUID) -> None:
        """The door is done: the job may begin. It does so by itself where that cannot be said."""
        try:
            await self._start(job_id, datetime.now(UTC))
        except LongrunError as error:
            log.info("a job begins by itself, somewhat later", code=error.code, jobId=str(job_id))
