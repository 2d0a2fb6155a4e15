"""Erasing what a user has left: in the ledger, and in the engine's histories."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from temporalio import activity

from domain.errors import EngineUnavailable, JobError, VendorError
from domain.model import Model

if TYPE_CHECKING:
    from activities.recordings import GoneRecordings
    from domain.protocols import Forgetter
    from ledger.jobs import Jobs
    from ledger.users import Users

PAUSE = 0.2
REASON = "the owner's data is being erased"


class Erased(Model):
    """How many jobs were blanked; those blanked by an earlier attempt are not counted again."""

    jobs: int = 0


class Erasing:
    """Every step may be repeated: what is gone already is passed over."""

    def __init__(
        self, users: "Users", jobs: "Jobs", engine: "Forgetter", recordings: "GoneRecordings | None" = None
    ) -> None:
        self._users, self._jobs, self._engine, self._recordings = users, jobs, engine, recordings

    @activity.defn(name="stop_jobs")
    async def stop_jobs(self, erasure_id: UUID) -> None:
        """End the user's schedules, cancel open jobs, and wait until none is left."""
        user_id = await self._whose(erasure_id)
        try:
            await self._engine.end_schedules(user_id)
        except EngineUnavailable as error:
            raise VendorError(error.message, code=error.code) from error
        while open_jobs := await self._users.open_jobs(user_id):
            await self._jobs.cancel_many(open_jobs, reason=REASON, by="erasure")
            await asyncio.sleep(PAUSE)

    @activity.defn(name="erase_data")
    async def erase_data(self, erasure_id: UUID) -> Erased:
        """Delete the executions of ended jobs and blank their rows, some at a time; then the user's own rows, and at
        last their recordings."""
        user_id = await self._users.erasing(erasure_id)
        erased = 0
        while user_id and (ended := await self._users.ended_jobs(user_id)):
            try:
                await self._engine.forget(ended)
            except EngineUnavailable as error:
                raise VendorError(error.message, code=error.code) from error
            await self._users.erase_jobs(ended)
            erased += len(ended)
        if user_id:
            await self._users.erase_user(erasure_id, user_id)
        if self._recordings:
            await self._recordings.delete_all()
        return Erased(jobs=erased)

    async def _whose(self, erasure_id: UUID) -> str:
        if (user_id := await self._users.erasing(erasure_id)) is None:
            raise JobError("nobody's data is to be erased: ask by DELETE /api/users/{id}", code="nothing_to_erase")
        return user_id
