"""Schedules as the real engine carries them: its own times, its own refusals, and nothing half-done."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from pydantic import ValidationError
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest

from domain.errors import CallerError, EngineUnavailable, InvalidPayload, LedgerUnavailable, UnknownKind
from domain.schedule import ScheduleRequest
from engine.carrying import ScheduleRefused, look
from engine.connect import connect
from engine.firing import Scheduled
from engine.plugin import plugin
from engine.scheduling import ScheduleConflict, Scheduling
from ledger.schedules import ScheduleRow, Schedules
from local import ports
from tests.support.stack_parts import Parts

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEW_YORK = ZoneInfo("America/New_York")


def asking(**asked: Any) -> ScheduleRequest:
    return ScheduleRequest.model_validate({"jobType": "toy", "payload": {}, "cron": "0 0 1 1 *", **asked})


def far_minute() -> int:
    """Half an hour from now: the next time stays the next one while a test runs."""
    return (datetime.now(UTC).minute + 30) % 60


async def made(parts: Parts, **asked: Any) -> ScheduleRow:
    row, new = await parts.scheduling.create(asking(**asked))
    assert new
    return row


async def matching(parts: Parts, row: ScheduleRow, first: datetime, last: datetime) -> list[datetime]:
    """The engine's own answer to when the schedule fires in that stretch."""
    request = ListScheduleMatchingTimesRequest(namespace=parts.client.namespace, schedule_id=row.id)
    request.start_time.FromDatetime(first)
    request.end_time.FromDatetime(last)
    answer = await parts.client.workflow_service.list_schedule_matching_times(request)
    return [time.ToDatetime(UTC) for time in answer.start_time]


@pytest.mark.parametrize(
    ("first", "last"),
    [(datetime(2027, 3, 12), datetime(2027, 3, 17)), (datetime(2027, 11, 5), datetime(2027, 11, 10))],
    ids=["clocks go forward", "clocks go back"],
)
async def test_the_local_time_is_kept_when_the_clocks_change(shared: Parts, first: datetime, last: datetime) -> None:
    row = await made(shared, cron="30 9 * * *", timezone="America/New_York")
    times = await matching(shared, row, first.replace(tzinfo=NEW_YORK), last.replace(tzinfo=NEW_YORK))
    assert [(at.astimezone(NEW_YORK).hour, at.astimezone(NEW_YORK).minute) for at in times] == [(9, 30)] * 5
    assert {at.hour for at in times} == {13, 14}, "in UTC it is another hour after the change"
    assert {later - earlier for earlier, later in pairwise(times)} >= {timedelta(days=1)}


async def test_a_time_that_is_left_out_or_comes_twice_does_so_that_day(shared: Parts) -> None:
    gone = await made(shared, cron="30 2 * * *", timezone="America/New_York")
    spring = await matching(shared, gone, datetime(2027, 3, 13, 12, tzinfo=UTC), datetime(2027, 3, 15, 12, tzinfo=UTC))
    assert [at.astimezone(NEW_YORK).day for at in spring] == [15], "on the 14th there is no half past two"
    twice = await made(shared, cron="30 1 * * *", timezone="America/New_York")
    autumn = await matching(shared, twice, datetime(2027, 11, 7, tzinfo=UTC), datetime(2027, 11, 8, tzinfo=UTC))
    assert [at.hour for at in autumn] == [5, 6]


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 8 * 2 MON#1", [1]),
        ("0 8 * 2 MON#1,FRI#4", [1, 26]),
        ("0 8 13 2 SUN", [7, 13, 14, 21, 28]),
        ("0 8 * 2 7", [7, 14, 21, 28]),
        ("0 8 10-12 2 *", [10, 11, 12]),
        ("@monthly", [1]),
    ],
)
async def test_days_are_those_that_crontab_means(shared: Parts, cron: str, days: list[int]) -> None:
    row = await made(shared, cron=cron)
    times = await matching(
        shared, row, datetime(2027, 1, 31, 23, 59, tzinfo=UTC), datetime(2027, 2, 28, 23, tzinfo=UTC)
    )
    assert [at.day for at in times] == days


async def test_the_next_times_are_the_engines(shared: Parts) -> None:
    minute = far_minute()
    row = await made(shared, cron=f"{minute} * * * *")
    times = await shared.scheduling.upcoming(row)
    assert len(times) == 5
    assert [at.minute for at in times] == [minute] * 5
    assert row.next_run_at == times[0]
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("0 9 L * *", "DayOfMonth is not in range"),
        ("61 * * * *", "Minute is not in range"),
        ("0 9 1W * *", "DayOfMonth is not in range"),
        ("@reboot", "does not have 5-7 fields"),
        ("@every 500ms", "interval is too small"),
    ],
)
async def test_what_the_engine_refuses_is_told_with_its_reason_and_leaves_nothing(
    shared: Parts, cron: str, reason: str
) -> None:
    before = await shared.schedules.list()
    with pytest.raises(ScheduleRefused, match=reason) as caught:
        await shared.scheduling.create(asking(cron=cron))
    assert (caught.value.status, caught.value.pointer) == (422, "/cron")
    assert await shared.schedules.list() == before


@pytest.mark.parametrize(
    "asked",
    [
        {"cron": "* * * * * *"},
        {"timezone": "Mars/Base"},
        {"timezone": "../etc/passwd"},
        {"timezone": "Local"},
        {"overlap": "whatever"},
        {"catchupWindow": "5s"},
        {"catchupWindow": "366d"},
        {"jitter": "2d"},
        {"jitter": "soon"},
        {"unheard": "of"},
    ],
)
async def test_what_is_out_of_range_is_refused_before_anybody_is_asked(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        asking(**asked)


@pytest.mark.parametrize("option", ["delay", "ttl", "concurrencyKey", "idempotencyKey", "idempotencyKeyTTL"])
async def test_an_option_without_a_meaning_here_is_refused(shared: Parts, option: str) -> None:
    with pytest.raises(CallerError) as caught:
        await shared.scheduling.create(asking(options={option: "10m"}))
    assert caught.value.pointer == f"/options/{option}"


async def test_the_job_is_checked_like_any_other(shared: Parts) -> None:
    with pytest.raises(UnknownKind):
        await shared.scheduling.create(asking(jobType="unheard-of"))
    with pytest.raises(InvalidPayload):
        await shared.scheduling.create(asking(payload={"unheard": "of"}))


async def test_all_that_was_asked_reaches_the_engine_but_the_payload(shared: Parts) -> None:
    asked = {"overlap": "buffer_one", "catchupWindow": "2h", "jitter": "30s", "timezone": "Europe/Berlin"}
    row = await made(shared, payload={"skip": ["two"]}, options={"owner": "carol@example.com"}, **asked)
    found = await look(shared.client, row.id)
    assert found is not None
    policy, spec = found.schedule.policy, found.schedule.spec
    assert (policy.overlap.name, policy.catchup_window) == ("BUFFER_ONE", timedelta(hours=2))
    assert (spec.jitter, spec.time_zone_name) == (timedelta(seconds=30), "Europe/Berlin")
    told = found.raw_description.SerializeToString()
    assert b"skip" not in told
    assert b"carol" not in told


async def test_a_deduplication_key_changes_the_schedule_that_has_it(shared: Parts) -> None:
    first = await made(shared, deduplicationKey="nightly", options={"owner": "u1"})
    await shared.scheduling.pause(first)
    again, new = await shared.scheduling.create(
        asking(deduplicationKey="nightly", options={"owner": "u1"}, cron="@daily", payload={"skip": ["one"]})
    )
    assert (new, again.id, again.cron, again.payload) == (False, first.id, "@daily", {"skip": ["one"]})
    assert again.paused, "who deploys anew does not undo a pause"
    other = await made(shared, deduplicationKey="nightly", options={"owner": "u2"})
    assert other.id != first.id


async def test_pause_and_resume(shared: Parts) -> None:
    row = await made(shared, cron=f"{far_minute()} * * * *")
    paused = await shared.scheduling.pause(row)
    found = await look(shared.client, row.id)
    assert found is not None
    assert found.schedule.state.paused
    assert (paused.paused, paused.next_run_at, await shared.scheduling.upcoming(paused)) == (True, None, [])
    resumed = await shared.scheduling.resume(paused)
    assert (resumed.paused, resumed.next_run_at) == (False, row.next_run_at)


async def test_a_deleted_one_is_gone_on_both_sides(shared: Parts) -> None:
    row = await made(shared)
    await shared.scheduling.delete(row)
    assert await look(shared.client, row.id) is None
    assert await shared.schedules.get(row.id) is None
    await shared.scheduling.delete(row)


async def test_who_changes_a_schedule_that_was_changed_meanwhile_is_told_and_the_engine_keeps_the_others(
    shared: Parts,
) -> None:
    row = await made(shared, cron="1 * * * *")
    theirs = await shared.scheduling.change(row, asking(cron="2 * * * *"))
    with pytest.raises(ScheduleConflict):
        await shared.scheduling.change(row, asking(cron="3 * * * *"))
    assert await shared.schedules.get(row.id) == theirs
    assert [at.minute for at in await shared.scheduling.upcoming(row)] == [2] * 5


async def test_a_refused_change_changes_nothing(shared: Parts) -> None:
    row = await made(shared, cron="1 * * * *")
    with pytest.raises(ScheduleRefused):
        await shared.scheduling.change(row, asking(cron="1 L * * *"))
    assert await shared.schedules.get(row.id) == row
    assert [at.minute for at in await shared.scheduling.upcoming(row)] == [1] * 5


async def test_a_key_of_another_schedule_cannot_be_taken(shared: Parts) -> None:
    await made(shared, deduplicationKey="taken", cron="1 * * * *")
    row = await made(shared, cron="2 * * * *")
    with pytest.raises(ScheduleConflict) as caught:
        await shared.scheduling.change(row, asking(deduplicationKey="taken", cron="3 * * * *"))
    assert caught.value.pointer == "/deduplicationKey"
    assert await shared.schedules.get(row.id) == row
    assert [at.minute for at in await shared.scheduling.upcoming(row)] == [2] * 5


class Away(Schedules):
    """A ledger that goes away at the commit; `after` it, when only the answer is lost."""

    lost = False
    after = False

    async def create(self, row: ScheduleRow) -> ScheduleRow | None:
        return await self._lose(await super().create(row) if self.after else None)

    async def change(self, row: ScheduleRow, known: str) -> ScheduleRow | None:
        return await self._lose(await super().change(row, known) if self.after else None)

    async def _lose(self, stored: ScheduleRow | None) -> ScheduleRow | None:
        raise LedgerUnavailable(in_doubt=self.after)


@pytest_asyncio.fixture(loop_scope="module")
async def away(shared: Parts) -> AsyncGenerator[tuple[Scheduling, Away]]:
    ledger = Away(shared.database)
    yield Scheduling(shared.client, ledger, Scheduled(shared.jobs, shared.catalog)), ledger


async def test_a_ledger_that_goes_away_leaves_no_schedule_behind(
    shared: Parts, away: tuple[Scheduling, Away], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduling, _ = away
    drawn: list[str] = []
    original = Scheduling._row  # pyright: ignore[reportPrivateUsage]

    def drawing(self: Scheduling, asked: ScheduleRequest, schedule_id: str, owner: str) -> ScheduleRow:
        drawn.append(schedule_id)
        return original(self, asked, schedule_id, owner)

    monkeypatch.setattr(Scheduling, "_row", drawing)
    with pytest.raises(LedgerUnavailable):
        await scheduling.create(asking())
    [schedule_id] = drawn
    assert await look(shared.client, schedule_id) is None


async def test_a_change_that_the_ledger_did_not_take_is_taken_back(
    shared: Parts, away: tuple[Scheduling, Away]
) -> None:
    row = await made(shared, cron="1 * * * *")
    with pytest.raises(LedgerUnavailable):
        await away[0].change(row, asking(cron="2 * * * *"))
    assert await shared.schedules.get(row.id) == row
    assert [at.minute for at in await shared.scheduling.upcoming(row)] == [1] * 5


async def test_a_commit_whose_answer_was_lost_is_found(shared: Parts, away: tuple[Scheduling, Away]) -> None:
    scheduling, ledger = away
    row = await made(shared, cron="1 * * * *")
    ledger.after = True
    changed = await scheduling.change(row, asking(cron="2 * * * *"))
    assert changed == await shared.schedules.get(row.id)
    assert [at.minute for at in await shared.scheduling.upcoming(row)] == [2] * 5


async def test_an_engine_that_is_down_is_told_and_nothing_is_half_done(shared: Parts) -> None:
    row = await made(shared, cron=f"{far_minute()} * * * *")
    nobody = await connect({"TEMPORAL_ADDRESS": f"127.0.0.1:{ports.free()}"}, plugin())
    alone = Scheduling(nobody, shared.schedules, Scheduled(shared.jobs, shared.catalog))
    before = await shared.schedules.list()
    with pytest.raises(EngineUnavailable):
        await alone.create(asking())
    with pytest.raises(EngineUnavailable):
        await alone.change(row, asking(cron="2 * * * *"))
    with pytest.raises(EngineUnavailable):
        await alone.delete(row)
    assert await shared.schedules.list() == before
    assert await alone.current([row]) == [row], "what the ledger knows is answered all the same"


async def test_a_next_time_that_is_past_is_asked_for_anew(shared: Parts) -> None:
    row = await made(shared, cron=f"{far_minute()} * * * *")
    await shared.schedules.next_run(row.id, row.mark, datetime(2026, 1, 1, tzinfo=UTC))
    stale = await shared.schedules.get(row.id)
    assert stale is not None
    [now] = await shared.scheduling.current([stale])
    assert now.next_run_at == row.next_run_at
    assert await shared.schedules.get(row.id) == row
