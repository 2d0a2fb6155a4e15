"""An export's files into workouts, one after the other: what came of each stands in the ledger at once."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
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
from domain.workout import Workout, WorkoutKnown, WorkoutRefused
from ledger.items import Settled

if TYPE_CHECKING:
    from activities.workouts import Keeping
    from domain.protocols import WorkoutReader
    from ledger.exports import Exports
    from ledger.items import JobItems
    from ledger.workouts import Kept, WorkoutRow

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
        known = await self._keeping.known(asked.user_id)
        hashes = frozenset(known)
        until = clock() + PORTION_SECONDS
        async with self._file(asked) as path:
            while pending := await self._items.pending(job_id, 1):
                before, began = pending[0].position - 1, clock()
                found = await self._reader.members(path, before, hashes)
                ended = [
                    await self._ended(asked.user_id, uuid5(job_id, str(number)), known, number, name, outcome)
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
        self,
        user_id: str,
        workout_id: UUID,
        known: "Mapping[str, Kept]",
        number: int,
        name: str,
        outcome: Workout | WorkoutRefused,
    ) -> Settled:
        """`workout_id` for one that is new."""
        told: dict[str, Any] = {"file": name[-MOST_NAME:]}
        try:
            kept = await self._kept(user_id, workout_id, known, outcome)
        except WorkoutRefused as refused:
            status = "skipped" if refused.code in NO_WORKOUT else "failed"
            return Settled(number, status, told | {"code": refused.code, "message": refused.message})
        told |= {"activityId": str(kept.id), "isRun": kept.is_run}
        # an attempt before this one may have kept it and died before it could say so
        if kept.id == workout_id:
            return Settled(number, "done", told)
        return Settled(number, "skipped", told | {"code": "known", "message": "this workout was there before"})

    async def _kept(
        self, user_id: str, workout_id: UUID, known: "Mapping[str, Kept]", outcome: Workout | WorkoutRefused
    ) -> "Kept | WorkoutRow":
        if isinstance(outcome, WorkoutKnown) and outcome.content_hash in known:
            return known[outcome.content_hash]
        if isinstance(outcome, WorkoutRefused):
            raise outcome
        row, _ = await self._keeping.keep(user_id, outcome, workout_id=workout_id)
        return row

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
