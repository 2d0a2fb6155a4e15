"""Ingests of whole histories on a real engine and ledger, before a vendor on loopback."""

import asyncio
import importlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from activities import portions
from activities.letters import letter_about
from activities.portions import Portions
from activities.run_history import IngestRuns
from activities.running_words import Writer
from domain.errors import TierLimit
from domain.job import Items, Status
from domain.running.ingest import KIND, IngestResult
from ledger.buckets import Buckets
from ledger.contents import Contents
from ledger.database import Database
from ledger.items import JobItems
from ledger.rows import JobRow
from ledger.run_history import RunHistory
from ledger.spend import Spend
from ledger.workouts import Workouts
from providers.models import Models
from providers.run_sheets import RunSheets
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.model_server import Mode, ModelServer, refuses
from tests.support.runs import add_runs, halves, writes
from tests.support.site_server import Answer
from tests.support.stack_parts import Parts, stack, until
from workflows import steps
from workflows.catalog import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="module")
INGEST = next(kind for kind in KINDS if kind.name == KIND)
BOTH = {"letter", "insight"}


@dataclass
class World:
    """`ingest.pause` is for a test to set; the vendor's mode too."""

    parts: Parts
    vendor: ModelServer
    ingest: IngestRuns
    models: Models

    @property
    def database(self) -> Database:
        return self.parts.database

    async def user(self, runs: int, tier: str = "premium") -> tuple[str, list[UUID]]:
        """A new user, and the runs, newest first."""
        user = uuid4().hex
        return user, await add_runs(self.database, user, runs, tier=tier)

    async def start(self, user: str, payload: dict[str, Any] | None = None, **options: Any) -> UUID:
        retry = {"minTimeoutInMs": 10, "maxTimeoutInMs": 10}
        return await self.parts.submit(KIND, {"userId": user, **(payload or {})}, **{"retry": retry, **options})

    async def ended(self, user: str, payload: dict[str, Any] | None = None, **options: Any) -> JobRow:
        return await self.parts.ended(await self.start(user, payload, **options), 60)

    async def settled(self, job_id: UUID, items: int) -> None:
        """Wait until so many items have ended."""

        async def enough() -> bool:
            found = (await self.parts.row(job_id)).items
            return found is not None and found.total - found.left >= items

        await until(enough, 30)

    def calls(self) -> int:
        return self.vendor.requests


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[World]:
    async with cloned(postgres_url, template) as url, ModelServer() as vendor:
        database, engine = Database(url), await own_namespace(temporal_address)
        # it takes seconds, during which no activity could beat
        importlib.import_module("providers.model_turn")
        models = Models(Spend(database), anthropic_key="k", anthropic_base_url=vendor.url)
        contents = Contents(database)
        writer = Writer(Workouts(database), contents, models)
        work, sheets = Portions(JobItems(database), rate_limit_patience=2.0), RunSheets()
        ingest = IngestRuns(RunHistory(database), contents, sheets, writer, work, pause=0.0)
        activities = [ingest.select, ingest.generate, ingest.summarize]
        async with stack(database, engine, activities, kinds=(INGEST,)) as parts, parts.working(), parts.dispatching():
            yield World(parts, vendor, ingest, models)
        await sheets.close()
        await models.close()
        await database.close()


@pytest.fixture
def world(made: World) -> World:
    made.ingest.pause = 0.0
    made.vendor.mode = writes()
    return made


def result(row: JobRow) -> IngestResult:
    assert row.status == Status.COMPLETED, row.error
    return IngestResult.model_validate(row.result)


async def test_a_free_user_gets_the_twenty_most_recent(world: World) -> None:
    user, runs = await world.user(21, tier="free")
    row = await world.ended(user)
    assert (result(row).total, result(row).done, result(row).letters, result(row).insights) == (20, 20, 20, 20)
    assert await halves(world.database, runs) == [BOTH] * 20 + [set()]
    assert (row.progress.percent, row.progress.items, row.progress.eta_seconds) == (100, row.items, None)
    assert result(row).answered_by == row.answered_by == "anthropic"
    assert row.usage["inputTokens"] == result(row).input_tokens > 0


@pytest.mark.parametrize("tier", [None, "premium"])
async def test_more_than_twenty_are_refused_to_a_free_user(world: World, tier: str | None) -> None:
    """A payload may lower the tier, and not raise it. A schedule's job, which nobody refused, fails with the code."""
    user, runs = await world.user(21, tier="free")
    row = await world.ended(user, {"maxActivities": 21, "tier": tier} if tier else {"maxActivities": 21})
    assert (row.status, row.error and row.error.code) == (Status.FAILED, TierLimit.code)
    assert await halves(world.database, runs) == [set()] * 21


async def test_a_payload_may_lower_the_tier(world: World) -> None:
    user, runs = await world.user(21)
    assert result(await world.ended(user, {"tier": "free"})).total == 20
    assert await halves(world.database, runs[20:]) == [set()]


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21])
async def test_a_premium_user_gets_all(world: World, count: int) -> None:
    user, runs = await world.user(count)
    before = world.calls()
    row = await world.ended(user)
    assert (result(row).total, result(row).done, row.items) == (
        count,
        count,
        Items(done=count, total=count, **_clock(row)),
    )
    assert await halves(world.database, runs) == [BOTH] * count
    assert world.calls() - before == 2 * count


def _clock(row: JobRow) -> dict[str, Any]:
    return {"pace": row.items.pace, "at": row.items.at} if row.items else {}


async def test_what_is_there_is_skipped_half_by_half(world: World) -> None:
    user, runs = await world.user(4)
    await world.ended(user, {"maxActivities": 3})
    await world.database.execute("DELETE FROM run_contents WHERE workout_id = $1 AND half = 'insight'", runs[0])
    before = world.calls()
    row = await world.ended(user)
    assert (result(row).done, result(row).skipped, result(row).letters, result(row).insights) == (2, 2, 1, 2)
    assert world.calls() - before == 3
    assert await halves(world.database, runs) == [BOTH] * 4
    again = result(await world.ended(user))
    assert (again.total, again.done, again.skipped) == (4, 0, 4)
    assert world.calls() - before == 3


async def test_regenerate_writes_all_anew_and_once(world: World) -> None:
    user, runs = await world.user(3)
    await world.ended(user)
    world.vendor.mode = writes("Another day, another road, and you were there for all of it. Rest well.")
    before = world.calls()
    assert result(await world.ended(user, {"regenerate": True})).done == 3
    assert world.calls() - before == 6
    rows = await world.database.fetch("SELECT text FROM run_contents WHERE workout_id = ANY($1)", runs)
    assert {row["text"][:11] for row in rows} == {"Another day"}


async def test_a_second_ingest_of_a_user_joins_the_first(world: World) -> None:
    user, _ = await world.user(3)
    other, _ = await world.user(1)
    gate = asyncio.Event()

    async def held(prompt: str) -> Answer:
        await gate.wait()
        return await writes()(prompt)

    world.vendor.mode, before = held, world.calls()
    first = await world.start(user)
    await world.parts.started(first, "generate")
    assert await world.start(user, {"regenerate": True}) == first
    assert await world.start(other) != first
    gate.set()
    assert result(await world.parts.ended(first)).done == 3
    assert await world.start(user) != first
    await until(lambda: _count(world, before, 8))


async def _count(world: World, before: int, calls: int) -> bool:
    return world.calls() - before == calls


def failing(*, first: int = 0, always: str = "") -> Mode:
    """The first so many calls fail, and those whose prompt has this text each time."""
    seen = 0

    async def mode(prompt: str) -> Answer:
        nonlocal seen
        seen += 1
        if seen <= first or (always and always in prompt):
            return await refuses(500)(prompt)
        return await writes()(prompt)

    return mode


async def test_failing_items_are_tried_again_then_listed_and_stop_nobody(world: World) -> None:
    user, runs = await world.user(12)
    await world.database.execute("UPDATE workouts SET name = 'Unlucky Lane' WHERE id = $1", runs[4])
    world.vendor.mode = failing(first=6, always="Unlucky Lane")
    row = await world.ended(user)
    found = result(row)
    assert (found.done, found.failed) == (11, 1)
    assert "\n\n11 of 12 done, 1 failed.\n\n" in letter_about(row, "event").text
    [failure] = found.failures
    assert (failure.activity_id, failure.code) == (runs[4], "http_500")
    assert await halves(world.database, runs) == [BOTH if run != runs[4] else set() for run in runs]
    statuses = await world.database.fetch(
        "SELECT letter_status, coaching_status FROM generation_status WHERE activity_id = $1", runs[4]
    )
    assert [tuple(one) for one in statuses] == [("failed", "failed")]
    attempts = await world.database.row("SELECT attempts FROM job_items WHERE job_id = $1 AND position = 5", row.id)
    assert attempts
    assert attempts["attempts"] == 2, "the third one ended it"


async def test_a_half_that_fails_leaves_the_other(world: World) -> None:
    """And is the only one that is written when it is asked for again."""
    user, runs = await world.user(2)
    # the figures of the week to come are told to the coach alone
    world.vendor.mode = failing(always="next week")
    found = result(await world.ended(user))
    assert (found.failed, found.letters, found.insights) == (2, 2, 0)
    assert await halves(world.database, runs) == [{"letter"}] * 2
    world.vendor.mode, before = writes(), world.calls()
    found = result(await world.ended(user))
    assert (found.done, found.letters, found.insights) == (2, 0, 2)
    assert world.calls() - before == 2


async def test_a_rate_limit_is_waited_for_and_counts_no_attempt(world: World) -> None:
    user, runs = await world.user(1)
    limited = 2

    async def mode(prompt: str) -> Answer:
        nonlocal limited
        limited -= 1
        return await (refuses(429, retry_after="0")(prompt) if limited >= 0 else writes()(prompt))

    world.vendor.mode = mode
    row = await world.ended(user, None, retry={"maxAttempts": 1})
    assert result(row).done == 1
    assert await halves(world.database, runs) == [BOTH]


async def test_a_budget_stops_in_the_middle_and_what_is_done_stays(world: World) -> None:
    user, runs = await world.user(30)
    row = await world.ended(user, None, budget={"maxTokens": 6_000})
    assert (row.status, row.error and row.error.code) == (Status.FAILED, "budget_exceeded")
    spent = row.usage["inputTokens"] + row.usage["outputTokens"]
    assert 0 < spent <= 6_000
    done = (await halves(world.database, runs)).count(BOTH)
    assert row.items is not None
    assert 0 < done < 30
    assert row.items.done <= done
    assert f"{row.items.done} of 30 done, {row.items.left} not reached." in letter_about(row, "event").text
    again = result(await world.ended(user))
    assert (again.done + again.skipped, again.failed) == (30, 0)


async def test_a_cancel_in_a_pause_ends_it_at_once(world: World) -> None:
    world.ingest.pause = 60.0
    user, runs = await world.user(12)
    job_id = await world.start(user)
    await world.settled(job_id, 10)
    # the job's deadlines are timers too
    pause = "timer_started_event_attributes"
    await world.parts.happened(job_id, lambda event: getattr(event, pause).start_to_fire_timeout.ToSeconds() == 60)
    assert (await world.parts.row(job_id)).steps[1].status == "running", "a pause is part of the step"
    began = time.monotonic()
    assert await world.parts.jobs.cancel(job_id, reason=None, by="ann")
    row = await world.parts.ended(job_id, 5)
    assert time.monotonic() - began < 5
    assert (row.status, row.items and row.items.done) == (Status.CANCELED, 10)
    assert (await halves(world.database, runs)).count(BOTH) == 10


async def test_a_cancel_inside_a_batch_ends_it_in_five_seconds(world: World) -> None:
    user, runs = await world.user(12)
    slow, quick = asyncio.Event(), writes()
    calls = 0

    async def mode(prompt: str) -> Answer:
        nonlocal calls
        calls += 1
        if calls > 4:
            await slow.wait()
        return await quick(prompt)

    world.vendor.mode = mode
    job_id = await world.start(user)

    async def kept() -> int:
        return sum(len(found) for found in await halves(world.database, runs))

    async def reached() -> bool:
        return calls >= 20 and await kept() == 4

    await until(reached)
    began = time.monotonic()
    assert await world.parts.jobs.cancel(job_id, reason=None, by="ann")
    row = await world.parts.ended(job_id, 5)
    assert time.monotonic() - began < 5
    assert row.status == Status.CANCELED
    assert await kept() == 4, "what was answered stays"
    slow.set()


async def test_a_run_whose_figures_cannot_be_read_fails_alone(world: World) -> None:
    user, runs = await world.user(12)
    await world.database.execute("UPDATE workouts SET facts = '{}' WHERE id = $1", runs[3])
    row = await world.ended(user)
    assert (result(row).done, result(row).failed) == (11, 1)
    assert [one.code for one in result(row).failures] == ["internal_error"]
    assert await halves(world.database, runs) == [set() if run == runs[3] else BOTH for run in runs]


@pytest.mark.parametrize(("bound", "value"), [("ITEMS", 10), ("MOST_SECONDS", 0.0)])
async def test_portions_go_on_over_several_runs_and_one_step_has_one_row(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str, value: float
) -> None:
    monkeypatch.setattr(portions, bound, value)
    monkeypatch.setattr(steps, "PORTIONS", 2)
    user, runs = await world.user(65)
    row = await world.ended(user)
    assert result(row).done == 65
    history = await world.parts.client.get_workflow_handle(str(row.id)).fetch_history()
    assert history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    names = await world.database.fetch("SELECT activity_id FROM job_steps WHERE job_id = $1", row.id)
    assert sorted(one["activity_id"] for one in names) == ["generate", "select", "summarize"]
    assert await halves(world.database, runs) == [BOTH] * 65


async def test_the_time_left_is_told(world: World) -> None:
    """On a machine that others use the load is not steady, so half as much again is allowed."""
    world.ingest.pause = 0.25
    world.vendor.mode = writes(after=0.35)
    user, _ = await world.user(80)
    job_id = await world.start(user)
    told: list[tuple[float, float]] = []
    before, clock = time.monotonic(), 0.0

    async def look() -> bool:
        nonlocal before, clock
        row = await world.parts.row(job_id)
        # when all stands still, nobody can foresee for how long
        now = time.monotonic()
        before, clock = now, clock + min(now - before, 0.5)
        found = row.items
        if found and found.done >= 0.1 * found.total and found.left > 0.2 * found.total:
            eta = row.progress.eta_seconds
            assert eta is not None
            told.append((clock, eta))
        return row.status.terminal

    await until(look, 60)
    wrong = [abs(eta - (clock - at)) / (clock - at) for at, eta in told]
    assert len(wrong) > 20
    assert sorted(wrong)[len(wrong) // 2] < 0.5, (max(wrong), wrong)


async def test_two_users_share_a_vendors_limit_by_their_weights(world: World) -> None:
    """Four turns for premium where a free user gets one, as long as both wait."""
    bucket = Buckets(world.database, requests_per_minute=600)
    limited = Models(Spend(world.database), bucket=bucket, anthropic_key="k", anthropic_base_url=world.vendor.url)
    world.ingest._writer._model = limited  # pyright: ignore[reportPrivateUsage]
    try:
        await world.database.execute(
            "INSERT INTO vendor_buckets VALUES ('anthropic', 'claude-haiku-5-5', 0, 1e9, now())"
        )
        (free, _), (premium, _) = await world.user(20, tier="free"), await world.user(20)
        waiting, job_id = await asyncio.gather(world.start(free), world.start(premium))
        assert result(await world.parts.ended(job_id, 60)).done == 20
        # the rest need not wait
        await world.database.execute("UPDATE vendor_buckets SET requests = 600")
        assert result(await world.parts.ended(waiting, 60)).done == 20
        [beside] = await world.database.fetch(
            """WITH premium AS (SELECT min(at) AS first, max(at) AS last FROM spend WHERE job_id = $1)
            SELECT count(*) AS calls FROM spend, premium WHERE job_id = $2 AND at BETWEEN first AND last""",
            job_id,
            waiting,
        )
        assert 4 < beside["calls"] < 26, "while premium had forty"
    finally:
        world.ingest._writer._model = world.models  # pyright: ignore[reportPrivateUsage]
        await limited.close()


async def test_without_a_key_the_twin_writes(world: World) -> None:
    twin = Models(Spend(world.database))
    world.ingest._writer._model = twin  # pyright: ignore[reportPrivateUsage]
    try:
        user, runs = await world.user(3)
        row = await world.ended(user)
        assert (result(row).done, result(row).answered_by, row.usage) == (3, "offline", {})
        assert await halves(world.database, runs) == [BOTH] * 3
    finally:
        world.ingest._writer._model = world.models  # pyright: ignore[reportPrivateUsage]


async def test_a_run_that_is_deleted_meanwhile_fails_alone(world: World) -> None:
    world.ingest.pause = 1.0
    user, runs = await world.user(12)
    gate, before = asyncio.Event(), world.calls()

    async def held(prompt: str) -> Answer:
        await gate.wait()
        return await writes()(prompt)

    world.vendor.mode = held
    job_id = await world.start(user)
    await until(lambda: _count(world, before, 20))
    await world.database.execute("DELETE FROM workouts WHERE id = $1", runs[11])
    gate.set()
    found = result(await world.parts.ended(job_id, 30))
    assert (found.done, [(one.activity_id, one.code) for one in found.failures]) == (11, [(runs[11], "not_found")])


async def test_once_its_runs_are_counted_it_has_an_hour_for_each_thousand(world: World) -> None:
    user, _ = await world.user(1)
    row = await world.ended(user)
    history = await world.parts.client.get_workflow_handle(str(row.id)).fetch_history()
    timers = [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in history.events
        if event.HasField("timer_started_event_attributes")
    ]
    assert [round(timer.total_seconds() / 3600) for timer in timers] == [30 * 24, 1]


async def test_a_job_that_takes_too_long_keeps_what_is_done(world: World) -> None:
    world.ingest.pause = 60.0
    user, runs = await world.user(6, tier="free")
    row = await world.ended(user, None, max_duration=6)
    assert (row.status, row.error and row.error.code) == (Status.TIMED_OUT, "max_duration")
    assert (await halves(world.database, runs)).count(BOTH) == 5
