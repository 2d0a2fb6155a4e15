"""A schedule of the ledger as the Temporal Schedule of the same id that carries it, and the way back."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.cron import calendars
from domain.errors import CallerError, EngineUnavailable
from domain.options import Options
from domain.schedule import Fire, Overlap, seconds
from engine.start import QUEUE, RPC, priority

if TYPE_CHECKING:
    from ledger.schedules import ScheduleRow

FIRE = "fire-schedule"
OVERLAPS: dict[Overlap, ScheduleOverlapPolicy] = {
    "skip": ScheduleOverlapPolicy.SKIP,
    "buffer_one": ScheduleOverlapPolicy.BUFFER_ONE,
    "buffer_all": ScheduleOverlapPolicy.BUFFER_ALL,
    "cancel_other": ScheduleOverlapPolicy.CANCEL_OTHER,
    "terminate_other": ScheduleOverlapPolicy.TERMINATE_OTHER,
    "allow_all": ScheduleOverlapPolicy.ALLOW_ALL,
}
# The engine asks the schedule's own workflow, and when that has just moved it asks again after 5 seconds.
ASKING = timedelta(seconds=12)
REFUSED = "Invalid schedule spec: "


class ScheduleRefused(CallerError):
    """What Temporal does not take, with its reason."""

    code = "invalid_schedule"


@dataclass(frozen=True)
class _Rank:
    owner: str
    tier: str
    priority: int


@contextmanager
def reaching_temporal() -> Generator[None]:
    """Raises ScheduleRefused for what Temporal refuses, EngineUnavailable when it does not answer."""
    try:
        yield
    except RPCError as error:
        if error.status == RPCStatusCode.INVALID_ARGUMENT:
            why = error.message.removeprefix(REFUSED)
            raise ScheduleRefused(why, pointer="/timezone" if "time zone" in why else "/cron") from None
        raise EngineUnavailable("Temporal does not answer") from error
    except RuntimeError as error:  # the lazy connection could not be made
        raise EngineUnavailable("Temporal does not answer") from error


async def carry(client: Client, row: "ScheduleRow") -> "ScheduleRow":
    """Have the engine carry the schedule as `row` says; answers with what the engine made of it.

    Raises ScheduleRefused, EngineUnavailable.
    """
    schedule = carried(row)
    with reaching_temporal():
        try:
            handle = await client.create_schedule(row.id, schedule, rpc_timeout=RPC)
        except ScheduleAlreadyRunningError:

            def instead(_: ScheduleUpdateInput) -> ScheduleUpdate:
                return ScheduleUpdate(schedule)

            handle = client.get_schedule_handle(row.id)
            await handle.update(instead, rpc_timeout=ASKING)
        return seen(row, await handle.describe(rpc_timeout=ASKING))


async def look(client: Client, schedule_id: str) -> ScheduleDescription | None:
    """The Temporal Schedule as it stands; None when there is none. Raises EngineUnavailable."""
    with reaching_temporal():
        try:
            return await client.get_schedule_handle(schedule_id).describe(rpc_timeout=ASKING)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise


async def drop(client: Client, schedule_id: str) -> None:
    """Delete the Temporal Schedule if it is there. Raises EngineUnavailable."""
    with reaching_temporal():
        try:
            await client.get_schedule_handle(schedule_id).delete(rpc_timeout=RPC)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise


def seen(row: "ScheduleRow", found: ScheduleDescription) -> "ScheduleRow":
    """The row with what only the engine knows. A paused schedule has no next time."""
    coming = () if found.schedule.state.paused else found.info.next_action_times
    return replace(row, engine_digest=digest(found), next_run_at=coming[0] if coming else None)


def carried(row: "ScheduleRow") -> Schedule:
    """The Temporal Schedule; the payload stays in the ledger, where a firing reads it."""
    options = Options.model_validate(row.options)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            FIRE,
            Fire(schedule_id=row.id, mark=row.mark),
            id=row.id,
            task_queue=QUEUE,
            static_summary=f"Fire a schedule: {row.kind}",
            static_details=f"Schedule `{row.id}` · `GET /api/schedules/{row.id}`",
            priority=priority(_Rank(row.owner, options.tier or "free", options.priority)),
        ),
        spec=ScheduleSpec(
            cron_expressions=calendars(row.cron),
            time_zone_name=row.timezone,
            jitter=seconds(row.jitter) if row.jitter else None,
        ),
        policy=SchedulePolicy(overlap=OVERLAPS[row.overlap], catchup_window=seconds(row.catchup_window)),
        state=ScheduleState(paused=row.paused, note=row.note),
    )


def digest(found: ScheduleDescription) -> str:
    """What the engine has made of a schedule, but for whether it is paused: its times, a dot, the rest."""
    raw = found.raw_description.schedule
    action = raw.action.start_workflow
    rest = [raw.policies.SerializeToString(deterministic=True)]
    rest += [action.workflow_type.name.encode(), action.task_queue.name.encode()]
    return f"{_short(raw.spec.SerializeToString(deterministic=True))}.{_short(*rest)}"


def same_times(found: ScheduleDescription, row: "ScheduleRow") -> bool:
    """Whether nobody has touched when it fires."""
    return digest(found).split(".")[0] == row.engine_digest.split(".")[0]


def _short(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


async def mark_of(found: ScheduleDescription) -> str | None:
    """The mark of the change that the engine carried out last; None when somebody has written over it."""
    payloads = found.raw_description.schedule.action.start_workflow.input.payloads
    if len(payloads) != 1:
        return None
    try:
        [firing] = await found.data_converter.decode(payloads, [Fire])
    except (ValueError, KeyError, RuntimeError):
        return None
    return firing.mark
