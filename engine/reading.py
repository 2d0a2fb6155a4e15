"""A Temporal Schedule that somebody else wrote, in the words of this service."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.client import (
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleRange,
    ScheduleSpec,
)

from domain.cron import calendars
from domain.schedule import LONGEST
from engine.carrying import FIRE, OVERLAPS, same_times

if TYPE_CHECKING:
    from ledger.schedules import ScheduleRow

EVERY = {"minute": (0, 59), "hour": (0, 23), "day_of_month": (1, 31), "month": (1, 12), "day_of_week": (0, 6)}
UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def as_asked(found: ScheduleDescription, row: "ScheduleRow") -> "ScheduleRow | None":
    """The row as the engine has it; None when no schedule here can be like that."""
    schedule = found.schedule
    action, spec, state = schedule.action, schedule.spec, schedule.state
    cron = row.cron if same_times(found, row) else _cron(spec)
    if not isinstance(action, ScheduleActionStartWorkflow) or action.workflow != FIRE or cron is None:
        return None
    overlaps = {policy: overlap for overlap, policy in OVERLAPS.items()}
    return replace(
        row,
        cron=cron,
        timezone=spec.time_zone_name or "UTC",
        overlap=overlaps.get(schedule.policy.overlap, "skip"),
        catchup_window=duration(schedule.policy.catchup_window or LONGEST),
        jitter=duration(spec.jitter) if spec.jitter else None,
        paused=state.paused,
        note=state.note or None,
    )


def duration(value: timedelta) -> str:
    """As people write it, in the largest unit that says it exactly."""
    seconds = int(value.total_seconds())
    for size, unit in UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _cron(spec: ScheduleSpec) -> str | None:
    if spec.skip or spec.start_at or spec.end_at or len(spec.calendars) + len(spec.intervals) != 1:
        return None
    if spec.intervals:
        [interval] = spec.intervals
        return None if interval.offset else f"@every {duration(interval.every)}"
    [calendar] = spec.calendars
    return _fields(calendar)


def _fields(calendar: ScheduleCalendarSpec) -> str | None:
    """Five fields, unless the calendar knows seconds or years, or wants a day of the month to be a day of the week."""
    if calendar.year or _said(calendar.second, 0, 59) != "0":
        return None
    said = {name: _said(getattr(calendar, name), *bounds) for name, bounds in EVERY.items()}
    if said["day_of_month"] != "*" and said["day_of_week"] != "*":
        return None
    cron = " ".join(said.values())
    return cron if len(calendars(cron)) == 1 else None


def _said(ranges: Sequence[ScheduleRange], lowest: int, highest: int) -> str:
    return ",".join(_range(one, lowest, highest) for one in ranges)


def _range(one: ScheduleRange, lowest: int, highest: int) -> str:
    end, step = max(one.start, one.end), max(1, one.step)
    text = "*" if (one.start, end) == (lowest, highest) else f"{one.start}-{end}" if end > one.start else f"{one.start}"
    return text if step == 1 else f"{text}/{step}"
