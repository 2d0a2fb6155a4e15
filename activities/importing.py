"""An export's files into workouts, one after the other: what came of each stands in the ledger at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from temporalio import activity

from activities.scratch import scratch
from domain.errors import JobError
from domain.job import Items
from domain.portions import Portion
from domain.running.imports import NO_WORKOUT, ImportRequest, ImportResult, RefigureRequest, RefigureResult
from domain.workout import Workout, WorkoutRefused
from ledger.items import Settled

if TYPE_CHECKING:
    from activities.workouts import Keeping
    from domain.protocols import WorkoutReader
    from ledger.exports import Exports
    from ledger.items import JobItems

# The file is fetched from the ledger once a portion.
PORTION_SECONDS = 240.0
MOST_NAME = 300


class Importing:
    """Items are the numbers of the export's files, in its own order: the first that is pending is where to go on."""

    def __init__(self, exports: "Exports", items: "JobItems", keeping: "Keeping", reader: "WorkoutReader") -> None:
        self._exports, self._items, self._keeping, self._reader = exports, items, keeping, reader

    @activity.defn(name="list_export")
    async def list_export(self, asked: ImportRequest) -> Items:
        """Open the export and count its files. Raises JobError for one that is refused as a whole."""
        async with self._file(asked) as path:
            try:
                total = await self._reader.count(path)
            except WorkoutRefused as refused:
                raise JobError(refused.message, code=refused.code) from None
        return await self._items.fill(_job_id(), range(1, total + 1))

    @activity.defn(name="import_files")
    async def import_files(self, asked: ImportRequest) -> Portion:
        """Keep the workouts of the next files, for as long as a portion lasts."""
        job_id, clock = _job_id(), asyncio.get_running_loop().time
        until = clock() + PORTION_SECONDS
        async with self._file(asked) as path:
            while pending := await self._items.pending(job_id, 1):
                before, began = pending[0].position - 1, clock()
                found = await self._reader.members(path, before)
                ended = [
                    await self._ended(job_id, asked.user_id, number, name, outcome)
                    for number, (name, outcome) in enumerate(found, before + 1)
                ]
                if not ended:
                    raise JobError("the export holds fewer files than before", code="broken_file")
                await self._items.settle(job_id, ended, pace=(clock() - began) / len(ended))
                if clock() > until:
                    break
        return await self._items.portion(job_id)

    @activity.defn(name="end_import")
    async def end_import(self, asked: ImportRequest) -> ImportResult:
        """Bring all of the user's figures up to what is known by now, and let go of the export."""
        refigured = await self._keeping.refigure(asked.user_id)
        await self._exports.drop(asked.user_id, asked.export)
        result = await self._exports.ended(_job_id())
        return result.model_copy(update={"refigured": refigured})

    @activity.defn(name="refigure_runs")
    async def refigure(self, asked: RefigureRequest) -> RefigureResult:
        """Bring all of a user's figures up to what is known by now."""
        return RefigureResult(refigured=await self._keeping.refigure(asked.user_id))

    async def _ended(
        self, job_id: UUID, user_id: str, number: int, name: str, outcome: Workout | WorkoutRefused
    ) -> Settled:
        told: dict[str, Any] = {"file": name[-MOST_NAME:]}
        if isinstance(outcome, WorkoutRefused):
            status = "skipped" if outcome.code in NO_WORKOUT else "failed"
            return Settled(number, status, told | {"code": outcome.code, "message": outcome.message})
        # an attempt before this one may have kept it and died before it could say so
        workout_id = uuid5(job_id, str(number))
        try:
            row, _ = await self._keeping.keep(user_id, outcome, workout_id=workout_id)
        except WorkoutRefused as refused:
            return Settled(number, "failed", told | {"code": refused.code, "message": refused.message})
        told |= {"activityId": str(row.id), "isRun": row.is_run}
        if row.id == workout_id:
            return Settled(number, "done", told)
        return Settled(number, "skipped", told | {"code": "known", "message": "this workout was there before"})

    @asynccontextmanager
    async def _file(self, asked: ImportRequest) -> AsyncGenerator[Path]:
        """The export on this machine's disk. Raises BlobGone."""
        with scratch() as folder:
            path = folder / "export"
            await self._exports.to_file(asked.user_id, asked.export, path)
            try:
                yield path
            finally:
                await self._reader.leave(path)


def _job_id() -> UUID:
    return UUID(activity.info().workflow_id)
