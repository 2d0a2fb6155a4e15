"""Schedules changed, deleted and made in the engine itself, and changes that were cut off half way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from domain.schedule import ScheduleRequest
from engine import schedule_sync
from engine.carrying import carry, look, mark_of
from engine.schedule_sync import Finding, compare_schedules
from engine.schedules import RECONCILE, keep_reconciling
from ledger.schedules import ScheduleRow
from tests.support.stack_parts import Parts, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def made(parts: Parts, **asked: Any) -> ScheduleRow:
    body = {"jobType": "toy", "payload": {}, "cron": "15 6 1 1 *", "timezone": "Europe/Berlin", **asked}
    row, _ = await parts.scheduling.create(ScheduleRequest.model_validate(body))
    return row


async def compared(parts: Parts) -> list[tuple[str, str]]:
    return [(one["scheduleId"], one["action"]) for one in await compare_schedules(parts.client, parts.schedules)]


async def standing(parts: Parts, row: ScheduleRow) -> ScheduleRow:
    found = await parts.schedules.get(row.id)
    assert found is not None
    return found


async def rewritten(parts: Parts, row: ScheduleRow, schedule: Schedule) -> None:
    """As the CLI's `schedule update` does, which keeps nothing of what was there."""

    def instead(_: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule)

    await parts.client.get_schedule_handle(row.id).update(instead)


def by_hand(spec: ScheduleSpec, *, workflow: str = "fire-schedule", **policy: Any) -> Schedule:
    action = ScheduleActionStartWorkflow(workflow, id="whatever", task_queue="workflows")
    return Schedule(action=action, spec=spec, policy=SchedulePolicy(**policy))


async def test_what_agrees_is_left_alone(parts: Parts) -> None:
    row = await made(parts, cron="0 8 * * MON#1,FRI", overlap="buffer_all", jitter="90s", catchupWindow="2d")
    await parts.scheduling.pause(await made(parts))
    assert await compared(parts) == []
    assert await standing(parts, row) == row


async def test_a_pause_and_a_resume_in_the_engine_hold(parts: Parts) -> None:
    row = await made(parts)
    handle = parts.client.get_schedule_handle(row.id)
    await handle.pause(note="the vendor is down")
    assert await compared(parts) == [(row.id, "adopted")]
    now = await standing(parts, row)
    assert (now.paused, now.note, now.next_run_at) == (True, "the vendor is down", None)
    assert await compared(parts) == []
    await handle.unpause()
    assert await compared(parts) == [(row.id, "adopted")]
    now = await standing(parts, row)
    assert (now.paused, now.note, now.next_run_at) == (False, None, row.next_run_at)


@pytest.mark.parametrize(
    ("spec", "cron"),
    [
        (ScheduleSpec(cron_expressions=["*/5 9-17 * JAN,MAR MON-FRI"]), "*/5 9-17 * 1,3 1-5"),
        (ScheduleSpec(cron_expressions=["@hourly"]), "0 * * * *"),
        (ScheduleSpec(cron_expressions=["0 10 1-10/3 * *"]), "0 10 1-10/3 * *"),
        (ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=90))]), "@every 90m"),
    ],
)
async def test_other_times_are_taken_over_and_written_as_ours(parts: Parts, spec: ScheduleSpec, cron: str) -> None:
    row = await made(parts, payload={"skip": ["one"]})
    spec = replace(spec, time_zone_name="Asia/Tokyo", jitter=timedelta(seconds=45))
    await rewritten(
        parts, row, by_hand(spec, overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=timedelta(minutes=3))
    )
    before = await look(parts.client, row.id)
    assert before is not None
    assert await compared(parts) == [(row.id, "adopted")]
    now = await standing(parts, row)
    assert (now.cron, now.timezone, now.overlap, now.catchup_window, now.jitter) == (
        *(cron, "Asia/Tokyo", "allow_all", "3m", "45s"),
    )
    assert now.payload == row.payload
    after = await look(parts.client, row.id)
    assert after is not None
    assert await mark_of(after) == now.mark
    # which second of the spread is drawn by the time itself, so nothing has moved
    times = before.info.next_action_times
    assert after.info.next_action_times[:5] in (times[:5], times[1:6]), "the first of them may have come meanwhile"
    assert await compared(parts) == []


async def test_another_policy_keeps_times_that_only_we_can_say(parts: Parts) -> None:
    row = await made(parts, cron="0 8 * * MON#1,FRI")

    def buffering(found: ScheduleUpdateInput) -> ScheduleUpdate:
        found.description.schedule.policy.overlap = ScheduleOverlapPolicy.BUFFER_ONE
        return ScheduleUpdate(found.description.schedule)

    await parts.client.get_schedule_handle(row.id).update(buffering)
    assert await compared(parts) == [(row.id, "adopted")]
    now = await standing(parts, row)
    assert (now.cron, now.overlap) == ("0 8 * * MON#1,FRI", "buffer_one")


@pytest.mark.parametrize(
    "schedule",
    [
        by_hand(ScheduleSpec(cron_expressions=["0 9 * * *"]), workflow="something-else"),
        by_hand(ScheduleSpec(cron_expressions=["0 9 * * *", "0 10 * * *"])),
        by_hand(ScheduleSpec(calendars=[ScheduleCalendarSpec(second=[ScheduleRange(30)])])),
        by_hand(ScheduleSpec(cron_expressions=["0 9 1-7 * MON"])),
        by_hand(ScheduleSpec(cron_expressions=["0 9 * * *"], end_at=datetime(2040, 1, 1, tzinfo=UTC))),
    ],
    ids=["another workflow", "two times", "seconds", "both days", "an end"],
)
async def test_what_no_schedule_here_can_be_is_put_back(parts: Parts, schedule: Schedule) -> None:
    row = await made(parts)
    await rewritten(parts, row, schedule)
    assert await compared(parts) == [(row.id, "restored")]
    now = await standing(parts, row)
    assert (now.cron, now.engine_digest, now.next_run_at) == (row.cron, row.engine_digest, row.next_run_at)
    assert await compared(parts) == []


async def test_one_deleted_in_the_engine_is_paused_and_can_be_resumed(parts: Parts) -> None:
    await keep_reconciling(parts.client)
    assert await look(parts.client, RECONCILE), "who answers has begun: the engine is older than the schedule"
    row = await made(parts)
    await parts.client.get_schedule_handle(row.id).delete()
    assert await compared(parts) == [(row.id, "paused")]
    now = await standing(parts, row)
    assert (now.paused, now.note, now.next_run_at) == (True, "its Temporal Schedule was deleted", None)
    assert await compared(parts) == []
    assert await parts.scheduling.upcoming(now) == []
    again = await parts.scheduling.resume(now)
    assert (again.paused, again.note, again.next_run_at) == (False, None, row.next_run_at)
    assert await compared(parts) == []


async def test_an_engine_that_was_lost_gets_its_schedules_back(parts: Parts) -> None:
    row, paused = await made(parts), await parts.scheduling.pause(await made(parts))
    for one in (row, paused):
        await parts.client.get_schedule_handle(one.id).delete()
    await keep_reconciling(parts.client)
    assert sorted(await compared(parts)) == sorted([(row.id, "created"), (paused.id, "created")])
    assert (await standing(parts, row)).next_run_at == row.next_run_at
    assert (await standing(parts, paused)).paused
    assert await compared(parts) == []


async def test_a_change_cut_off_before_the_ledger_is_undone(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await made(parts)
    await carry(parts.client, replace(row, cron="0 12 * * *", mark="another"))
    assert await compared(parts) == [], "it may still be on its way"
    monkeypatch.setattr(schedule_sync, "SETTLED", timedelta())
    assert await compared(parts) == [(row.id, "restored")]
    found = await look(parts.client, row.id)
    assert found is not None
    assert found.info.next_action_times[0] == row.next_run_at
    assert await compared(parts) == []


async def test_one_made_and_cut_off_before_the_ledger_is_removed(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await made(parts)
    await parts.schedules.delete(row.id)
    await _listed(parts, row.id)
    assert await compared(parts) == [], "it may still be on its way"
    monkeypatch.setattr(schedule_sync, "SETTLED", timedelta())
    assert await compared(parts) == [(row.id, "deleted")]
    assert await look(parts.client, row.id) is None


async def test_somebody_elses_is_named_and_left(parts: Parts) -> None:
    spec = ScheduleSpec(cron_expressions=["0 9 * * *"])
    await parts.client.create_schedule("backup", by_hand(spec, workflow="backup"))
    await keep_reconciling(parts.client)
    await _listed(parts, "backup")
    found: list[Finding] = await compare_schedules(parts.client, parts.schedules)
    assert [(one["scheduleId"], one["action"]) for one in found] == [("backup", "left")]
    assert await look(parts.client, "backup") is not None


async def _listed(parts: Parts, schedule_id: str) -> None:
    """The engine's list follows a moment later."""

    async def listed() -> bool:
        return schedule_id in [one.id async for one in await parts.client.list_schedules()]

    await until(listed)
