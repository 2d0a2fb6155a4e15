"""Schedules asked for, changed and ended: the engine is told first, and the ledger's commit makes it so.

Until that commit nothing has happened: what the engine was told is taken back, by the caller's own turn or, when that
was cut off, by the reconciler, who finds a mark in the engine that the ledger does not know.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import PatchScheduleRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import CallerError, EngineUnavailable, LedgerUnavailable
from engine.carrying import ScheduleRefused, carry, drop, look, reaching_temporal, seen
from engine.start import RPC
from ledger.schedules import DeduplicationTaken, ScheduleRow

if TYPE_CHECKING:
    from domain.schedule import ScheduleRequest
    from engine.firing import Scheduled
    from ledger.schedules import Schedules

RACES = 5
UPCOMING = 5
AT_ONCE = 8


class ScheduleNotFound(CallerError):
    code = "schedule_not_found"
    status = 404


class ScheduleConflict(CallerError):
    """Somebody else changed the schedule at the same moment, or has its deduplication key."""

    code = "schedule_conflict"
    status = 409


class Scheduling:
    """What the API asks for. Every method raises EngineUnavailable and LedgerUnavailable, having changed nothing."""

    def __init__(self, client: Client, schedules: "Schedules", scheduled: "Scheduled") -> None:
        self._client, self._schedules, self._scheduled = client, schedules, scheduled

    async def create(self, asked: "ScheduleRequest") -> tuple[ScheduleRow, bool]:
        """The schedule, and whether it is new: a known deduplication key changes the one that has it.

        Raises what a start with that payload and those options raises, and ScheduleRefused.
        """
        owner, key = asked.options.owner or "", asked.deduplication_key
        for _ in range(RACES):
            known = await self._schedules.find(owner, key) if key else None
            if known is not None:
                return await self.change(known, asked), False
            row = await carry(self._client, self._row(asked, f"sched_{uuid4().hex}", owner))
            stored = await self._kept(row, lambda row=row: self._schedules.create(row), None)
            if stored is not None:
                return stored, True
        raise ScheduleConflict("this deduplication key is being used too often at once", pointer="/deduplicationKey")

    async def change(self, row: ScheduleRow, asked: "ScheduleRequest") -> ScheduleRow:
        """The schedule as it is asked now; whether it is paused stays. Raises ScheduleConflict, ScheduleRefused."""
        new = self._row(asked, row.id, row.owner)
        return await self._changed(row, replace(new, paused=row.paused, note=row.note))

    async def pause(self, row: ScheduleRow) -> ScheduleRow:
        return row if row.paused else await self._changed(row, replace(row, paused=True, mark=_mark()))

    async def resume(self, row: ScheduleRow) -> ScheduleRow:
        """Let it fire again, also when the engine has lost it."""
        return await self._changed(row, replace(row, paused=False, note=None, mark=_mark()))

    async def trigger(self, row: ScheduleRow) -> None:
        """Fire now, paused or not; what overlaps is dealt with as at any firing. Raises ScheduleNotFound."""
        at = await self._schedules.trigger(row.id)
        if at is None:
            raise ScheduleNotFound("this schedule was deleted just now")
        with reaching_temporal():
            try:
                await self._fire(row.id, at)
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                await carry(self._client, row)
                await self._fire(row.id, at)

    async def upcoming(self, row: ScheduleRow) -> Sequence[datetime]:
        """The next five times, none while it is paused."""
        found = await look(self._client, row.id)
        if found is None or found.schedule.state.paused:
            return []
        return found.info.next_action_times[:UPCOMING]

    async def delete(self, row: ScheduleRow) -> None:
        """Its jobs stay as they are, those that run go on."""
        await drop(self._client, row.id)
        await self._schedules.delete(row.id)

    async def current(self, rows: Sequence[ScheduleRow]) -> list[ScheduleRow]:
        """The rows with next times that are not past; without an engine to ask there are none."""
        slots = asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(self._current(row, slots) for row in rows)))

    async def _current(self, row: ScheduleRow, slots: asyncio.Semaphore) -> ScheduleRow:
        if row.paused or (row.next_run_at is not None and row.next_run_at > datetime.now(UTC)):
            return row
        async with slots:
            try:
                found = await look(self._client, row.id)
            except EngineUnavailable:
                return replace(row, next_run_at=None)
            at = seen(row, found).next_run_at if found else None
            if at != row.next_run_at:
                await self._schedules.next_run(row.id, row.mark, at)
            return replace(row, next_run_at=at)

    async def _fire(self, schedule_id: str, at: datetime) -> None:
        """By the bare call: the SDK's own cannot say the time that tells two firings apart."""
        fire = TriggerImmediatelyRequest()
        fire.scheduled_time.FromDatetime(at)
        request = PatchScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=schedule_id,
            patch=SchedulePatch(trigger_immediately=fire),
            identity=self._client.identity,
            request_id=str(uuid4()),
        )
        await self._client.workflow_service.patch_schedule(request, retry=True, timeout=RPC)

    def _row(self, asked: "ScheduleRequest", schedule_id: str, owner: str) -> ScheduleRow:
        return ScheduleRow(
            id=schedule_id,
            owner=owner,
            kind=self._scheduled.check(asked.job_type, asked.payload, asked.options),
            payload=asked.payload,
            options=asked.options.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"owner"}),
            cron=asked.cron,
            timezone=asked.timezone,
            overlap=asked.overlap,
            catchup_window=asked.catchup_window,
            jitter=asked.jitter,
            deduplication_key=asked.deduplication_key,
            mark=_mark(),
        )

    async def _changed(self, row: ScheduleRow, new: ScheduleRow) -> ScheduleRow:
        carried = await carry(self._client, new)
        stored = await self._kept(carried, lambda: self._schedules.change(carried, row.mark), row)
        if stored is None:
            raise ScheduleConflict("somebody else is changing this schedule; look at it and ask again")
        return stored

    async def _kept(
        self, row: ScheduleRow, write: Callable[[], Awaitable[ScheduleRow | None]], before: ScheduleRow | None
    ) -> ScheduleRow | None:
        """Commit what the engine was told, or take it back there and say why. None: somebody was faster."""
        try:
            stored = await write()
        except DeduplicationTaken:
            await self._taken_back(row.id, before)
            raise ScheduleConflict("another schedule has this deduplication key", pointer="/deduplicationKey") from None
        except LedgerUnavailable:
            if (stored := await self._committed(row)) is None:
                await self._taken_back(row.id, before)
                raise
        if stored is None:
            await self._taken_back(row.id, await self._schedules.get(row.id))
        return stored

    async def _committed(self, row: ScheduleRow) -> ScheduleRow | None:
        """The row, if the commit whose answer was lost went through after all."""
        with suppress(LedgerUnavailable):
            stored = await self._schedules.get(row.id)
            return stored if stored is not None and stored.mark == row.mark else None
        return None

    async def _taken_back(self, schedule_id: str, before: ScheduleRow | None) -> None:
        """What fails here is left to the reconciler."""
        with suppress(EngineUnavailable, ScheduleRefused):
            if before is None:
                await drop(self._client, schedule_id)
            else:
                await carry(self._client, before)


def _mark() -> str:
    return uuid4().hex


def wire(row: ScheduleRow) -> dict[str, Any]:
    """The schedule as it could be asked for again."""
    return {
        "jobType": row.kind,
        "payload": row.payload,
        "cron": row.cron,
        "timezone": row.timezone,
        "overlap": row.overlap,
        "catchupWindow": row.catchup_window,
        "jitter": row.jitter,
        "deduplicationKey": row.deduplication_key,
        "options": row.options,
    }
