"""Schedules compared: what the Temporal CLI or UI changed is taken over, what never got into the ledger is undone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from temporalio.client import Client, ScheduleDescription, ScheduleListActionStartWorkflow

from engine.carrying import FIRE, ScheduleRefused, carry, digest, drop, look, mark_of, reaching_temporal, seen
from engine.reading import as_asked
from engine.schedules import OWN, RECONCILE
from engine.start import RPC

if TYPE_CHECKING:
    from ledger.schedules import ScheduleRow, Schedules

Finding = dict[str, str]
AT_ONCE = 8
PAGE = 100
# a change on its way: the engine has it, and the ledger will in a moment
SETTLED = timedelta(seconds=30)
DELETED = "its Temporal Schedule was deleted"


async def compare_schedules(client: Client, schedules: "Schedules") -> list[Finding]:
    """One comparison: `{scheduleId, reason, action}` of each difference. Raises EngineUnavailable, LedgerUnavailable.

    A person's word in the engine holds: a pause, other times, a deletion (which pauses: `resume` brings it back).
    """
    slots = asyncio.Semaphore(AT_ONCE)
    known: list[ScheduleRow] = [row async for row in _all(schedules)]
    findings = await asyncio.gather(*(_compare(client, schedules, row, slots) for row in known))
    return [*filter(None, findings), *await _strangers(client, schedules, {row.id for row in known})]


async def _all(schedules: "Schedules") -> "AsyncIterator[ScheduleRow]":
    before: tuple[datetime, str] | None = None
    while rows := await schedules.list(limit=PAGE, before=before):
        for row in rows:
            yield row
        last = rows[-1]
        before = (last.created_at or datetime.now(UTC), last.id)


async def _compare(
    client: Client, schedules: "Schedules", row: "ScheduleRow", slots: asyncio.Semaphore
) -> Finding | None:
    async with slots:
        try:
            return await _settled(client, schedules, row)
        except ScheduleRefused as error:  # a cron that this engine takes no longer
            return _finding(row.id, f"the engine refuses it: {error.message}", "none")


async def _settled(client: Client, schedules: "Schedules", row: "ScheduleRow") -> Finding | None:
    found = await look(client, row.id)
    if found is None:
        return await _missing(client, schedules, row)
    mark = await mark_of(found)
    if mark is not None and mark != row.mark:
        if (found.info.last_updated_at or found.info.created_at) > datetime.now(UTC) - SETTLED:
            return None
        await schedules.change(await carry(client, row), row.mark)
        return _finding(row.id, "the engine had a change that the ledger does not know", "restored")
    if digest(found) != row.engine_digest or mark is None:
        return await _rewritten(client, schedules, row, found)
    if found.schedule.state.paused != row.paused:
        return await _toggled(schedules, row, found)
    return None


async def _missing(client: Client, schedules: "Schedules", row: "ScheduleRow") -> Finding | None:
    """Deleted by somebody, unless the whole engine is younger than the schedule: then it is given back."""
    if row.paused and row.note == DELETED:
        return None
    if row.updated_at and await _born(client) > row.updated_at:
        await schedules.change(await carry(client, row), row.mark)
        return _finding(row.id, "not in the engine, which is newer than the schedule", "created")
    await schedules.change(replace(row, paused=True, note=DELETED, next_run_at=None), row.mark)
    return _finding(row.id, "deleted in the engine", "paused")


async def _born(client: Client) -> datetime:
    """When the engine began to know this service: the age of the schedule that every worker makes sure of."""
    found = await look(client, RECONCILE)
    return found.info.created_at if found else datetime.now(UTC)


async def _rewritten(
    client: Client, schedules: "Schedules", row: "ScheduleRow", found: ScheduleDescription
) -> Finding | None:
    """Take over what somebody wrote, and write it as we do; what no cron expression says is put back."""
    new = as_asked(found, row)
    if new is None:
        await schedules.change(await carry(client, row), row.mark)
        return _finding(row.id, "changed in the engine to what a schedule here cannot be", "restored")
    await schedules.change(await carry(client, replace(new, mark=uuid4().hex)), row.mark)
    return _finding(row.id, "changed in the engine", "adopted")


async def _toggled(schedules: "Schedules", row: "ScheduleRow", found: ScheduleDescription) -> Finding:
    paused = found.schedule.state.paused
    new = replace(row, paused=paused, note=found.schedule.state.note or None if paused else None)
    await schedules.change(seen(new, found), row.mark)
    return _finding(row.id, f"{'paused' if paused else 'resumed'} in the engine", "adopted")


async def _strangers(client: Client, schedules: "Schedules", known: set[str]) -> list[Finding]:
    """What the engine carries and the ledger does not know: ours from a call cut off, or somebody else's."""
    findings: list[Finding] = []
    with reaching_temporal():
        async for listed in await client.list_schedules(rpc_timeout=RPC):
            if listed.id in known or listed.id in OWN:
                continue
            ours = (
                listed.schedule is not None
                and isinstance(listed.schedule.action, ScheduleListActionStartWorkflow)
                and listed.schedule.action.workflow == FIRE
            )
            finding = await _stranger(client, schedules, listed.id) if ours else None
            if not ours:
                finding = _finding(listed.id, "made in the engine; the ledger does not know it", "left")
            if finding:
                findings.append(finding)
    return findings


async def _stranger(client: Client, schedules: "Schedules", schedule_id: str) -> Finding | None:
    """Left alone while the call that made it may still be on its way."""
    found = await look(client, schedule_id)
    if found is None or found.info.created_at > datetime.now(UTC) - SETTLED or await schedules.get(schedule_id):
        return None
    await drop(client, schedule_id)
    return _finding(schedule_id, "fires a schedule that the ledger does not know", "deleted")


def _finding(schedule_id: str, reason: str, action: str) -> Finding:
    return {"scheduleId": schedule_id, "reason": reason, "action": action}
