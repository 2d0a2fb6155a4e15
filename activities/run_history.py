"""The steps of an ingest: which runs, their letters and insights batch by batch, and what came of it."""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from temporalio import activity

from activities.portions import Do, Pace
from domain.errors import BudgetExceeded, JobError, LedgerUnavailable, VendorError
from domain.job import Failure, Items
from domain.portions import Portion
from domain.running.batch import Batch, Ready, Unready
from domain.running.contents import HALVES, Half, RunSheet
from domain.running.ingest import AT_ONCE, IngestPortion, IngestRequest, IngestResult
from domain.usage import Call
from ledger.items import Item, Settled

if TYPE_CHECKING:
    from activities.portions import Portions
    from activities.running_words import Writer
    from ledger.contents import Contents
    from ledger.run_history import BegunRun, RunHistory

STEP = "generate"


class Sheets(Protocol):
    """Makes what halves are written from."""

    async def ready(self, batch: Batch) -> dict[str, Ready | Unready]: ...


class IngestRuns:
    """Each half is written once: what is missing is found in the ledger, whatever attempt this is."""

    def __init__(
        self,
        history: "RunHistory",
        contents: "Contents",
        sheets: Sheets,
        writer: "Writer",
        portions: "Portions",
        *,
        pause: float,
    ) -> None:
        """`pause`: seconds between batches."""
        self._history, self._contents, self._sheets, self._writer = history, contents, sheets, writer
        self._portions, self.pause = portions, pause

    @activity.defn(name="select_runs")
    async def select(self, asked: IngestRequest) -> Items:
        """Choose the user's most recent runs. Raises TierLimit, LedgerUnavailable."""
        return await self._history.select(_job(), asked)

    @activity.defn(name="generate_contents")
    async def generate(self, portion: IngestPortion) -> Portion:
        """Write about the next runs. Raises BudgetExceeded, LedgerUnavailable."""
        asked = portion.asked
        pace = Pace(AT_ONCE[await self._history.tier(asked)], self.pause)
        return await self._portions.do(pace, portion.again, partial(self._begin, asked), self._gave_up)

    @activity.defn(name="summarize_ingest")
    async def summarize(self) -> IngestResult:
        return (await self._history.ended(_job())).result()

    async def _begin(self, asked: IngestRequest, batch: Sequence[Item]) -> Do:
        ids = [UUID(one.item) for one in batch]
        begun, missing = await self._history.begin(_job(), asked, ids, STEP)
        ready = await self._sheets.ready(missing) if missing.runs else {}

        async def do(one: Item) -> Settled | Awaitable[Settled]:
            run = begun.get(UUID(one.item))
            if run is None:
                raise JobError("this activity has been deleted", code="not_found")
            if not run.halves:
                # its own, when a worker died between writing and counting
                return Settled(one.position, "done" if run.written else "skipped", run.written or None)
            made = ready[str(run.id)]
            if isinstance(made, Unready):
                raise RuntimeError(f"nothing could be made of the run to write from: {made.error}")
            return await self._write(run, made, one)

        return do

    async def _write(self, run: "BegunRun", ready: Ready, one: Item) -> Awaitable[Settled]:
        """Both halves at once, as far as they are missing; one that fails leaves the other. What is left to be awaited
        is that they are kept, which each is as soon as it is there."""
        keeping, who = list[asyncio.Task[None]](), dict[str, str]()

        async def write(half: Half) -> None:
            item = f"{run.id}:{half}"
            call = Call(job_id=_job(), step=STEP, item=item, attempt=one.attempts + 1, unpaid=not run.paid)
            told = ready.told[half]
            words = await self._writer.half(half, told, call, lambda: RunSheet.model_validate_json(ready.sheet))
            keeping.append(asyncio.create_task(self._writer.store(half, run.id, words, told.facts, call)))
            who[half] = words.answered_by

        async def kept() -> Settled:
            await asyncio.gather(*keeping)
            return Settled(one.position, "done", who)

        raised = await asyncio.gather(*map(write, run.halves), return_exceptions=True)
        errors = [found for found in raised if found is not None]
        if errors:
            errors += [found for found in await asyncio.gather(*keeping, return_exceptions=True) if found is not None]
        for error in sorted(errors, key=_weight):
            raise error
        return kept()

    async def _gave_up(self, one: Item, failure: Failure) -> None:
        for half in HALVES:
            await self._contents.fail(_job(), UUID(one.item), half, failure)


def _weight(error: BaseException) -> int:
    """Of two halves' failures, what ends the job comes first, and then what may pass."""
    if isinstance(error, (BudgetExceeded, LedgerUnavailable)):
        return 0
    return 1 if isinstance(error, VendorError) and error.again else 2


def _job() -> UUID:
    return UUID(activity.info().workflow_id)
