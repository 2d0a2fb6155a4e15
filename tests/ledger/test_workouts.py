"""A workout is kept once, by its content and by its start; what is read of many is light."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.running.figures import Fact, Facts, Runner
from domain.users import UserRequest
from domain.workout import Sport, Workout
from ledger.users import Users
from ledger.workouts import WorkoutRow, Workouts
from tests.ledger.book import Book

pytestmark = pytest.mark.asyncio(loop_scope="module")
START = datetime(2026, 3, 1, 6, 30, 0, 250_000, tzinfo=UTC)
NOBODY = Runner()


def workout(content: str, *, day: int = 0, sport: Sport = "run") -> Workout:
    """One that began on the n-th day; its content is told apart by `content`."""
    content_hash = hashlib.sha256(content.encode()).hexdigest()
    return Workout(sport, f"Run {content}", START + timedelta(days=day), "gpx", content_hash)


def facts(distance: float = 5_000, *, max_heart_rate: float | None = None, not_a_run: str | None = None) -> Facts:
    found = {"distance": Fact(value=distance, unit="m", basis="counted by the device", quality="good")}
    if max_heart_rate is not None:
        found["max_heart_rate"] = Fact(value=max_heart_rate, unit="bpm", basis="the highest sample", quality="good")
    return Facts(sport="ride" if not_a_run else "run", facts=found, not_a_run=not_a_run)


async def kept(workouts: Workouts, user: str, content: str, of: Facts | None = None, *, day: int = 0) -> WorkoutRow:
    row, is_new = await workouts.put(user, workout(content, day=day), of or facts(), NOBODY, content.encode())
    assert is_new
    return row


async def test_what_is_put_is_read_again(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    runner = Runner(resting_bpm=48, max_bpm=191)
    row, is_new = await workouts.put(ann, workout("a"), facts(10_000, max_heart_rate=182), runner, b"packed")
    assert is_new
    assert row == await workouts.get(row.id)
    assert (row.user_id, row.started_at, row.is_run, row.runner) == (ann, START.replace(microsecond=0), True, runner)
    assert row.facts == facts(10_000, max_heart_rate=182)
    assert await workouts.recording(row.id) == b"packed"
    [summary] = await workouts.summaries(ann)
    assert summary == row.summary
    assert summary.values == {"distance": 10_000, "max_heart_rate": 182}


async def test_the_same_content_again_changes_nothing(book: Book) -> None:
    workouts, ann, bob = Workouts(book.database), uuid4().hex, uuid4().hex
    first = await kept(workouts, ann, "same")
    assert await workouts.find(ann, workout("same")) == first
    again, is_new = await workouts.put(ann, workout("same", day=3), facts(9), NOBODY, b"other")
    assert (again, is_new) == (first, False)
    assert await workouts.recording(first.id) == b"same"
    assert await workouts.find(bob, workout("same")) is None
    assert (await kept(workouts, bob, "same")).id != first.id


async def test_another_recording_of_the_same_second_is_the_same_workout(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    first = await kept(workouts, ann, "watch")
    again, is_new = await workouts.put(ann, workout("phone"), facts(4_990), NOBODY, b"")
    assert (again.id, is_new) == (first.id, False)


async def test_ten_at_once_keep_one(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    answers = await asyncio.gather(
        *(workouts.put(ann, workout(f"copy {n % 2}"), facts(), NOBODY, b"") for n in range(10))
    )
    assert len({row.id for row, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1


async def test_pages_go_from_the_newest_to_the_oldest(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    for day in (2, 0, 4, 1, 3):
        await kept(workouts, ann, f"{ann} {day}", day=day)
    first = await workouts.page(ann, limit=2)
    rest = await workouts.page(ann, limit=10, before=first[-1].started_at)
    assert [row.name[-1] for row in [*first, *rest]] == list("43210")


async def test_runs_are_told_from_what_is_none(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    old = await kept(workouts, ann, "old", day=0)
    await kept(workouts, ann, "ride", facts(40_000, not_a_run="a ride"), day=1)
    new = await kept(workouts, ann, "new", day=2)
    assert await workouts.run_ids(ann) == [new.id, old.id]
    assert await workouts.run_ids(ann, limit=1) == [new.id]
    assert [each.is_run for each in await workouts.summaries(ann, runs_only=False)] == [True, False, True]
    assert [each.id for each in await workouts.summaries(ann, until=new.started_at)] == [str(old.id)]
    assert [each.id for each in await workouts.summaries(ann, since=new.started_at)] == [str(new.id)]


async def test_the_nearest_are_earlier_runs_of_about_the_distance(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    for day, metres in enumerate((5_000, 10_100, 21_000, 9_800, 10_000)):
        await kept(workouts, ann, f"{metres}", facts(metres), day=day)
    this = await kept(workouts, ann, "this", facts(10_000), day=5)
    await kept(workouts, ann, "later", facts(10_000), day=6)
    near = await workouts.nearest(ann, 10_000, until=this.started_at, limit=3)
    assert [each.name for each in near] == ["Run 10000", "Run 10100", "Run 9800"]


async def test_what_a_user_has_is_found_by_its_content(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    assert await workouts.by_content(ann) == {}
    run = await kept(workouts, ann, "run")
    ride = await kept(workouts, ann, "ride", facts(not_a_run="a ride"), day=1)
    await kept(workouts, uuid4().hex, "of another")
    assert await workouts.by_content(ann) == {run.content_hash: (run.id, True), ride.content_hash: (ride.id, False)}


async def test_the_highest_heart_rate_is_over_all_of_the_users_workouts(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    assert await workouts.highest_heart_rate(ann) is None
    await kept(workouts, ann, "none", day=0)
    assert await workouts.highest_heart_rate(ann) is None
    await kept(workouts, ann, "high", facts(max_heart_rate=188), day=1)
    await kept(workouts, ann, "low", facts(max_heart_rate=150), day=2)
    assert await workouts.highest_heart_rate(ann) == 188


async def test_figures_made_anew_take_the_place_of_the_old(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    row = await kept(workouts, ann, "a")
    runner = Runner(max_bpm=190)
    await workouts.refigure(row.id, facts(5_010, not_a_run="faster than people run"), runner)
    found = await workouts.get(row.id)
    assert found is not None
    assert (found.is_run, found.runner, found.summary.values["distance"]) == (False, runner, 5_010)
    assert await workouts.recording(row.id) == b"a"


async def test_a_deleted_workout_may_come_again(book: Book) -> None:
    workouts, ann = Workouts(book.database), uuid4().hex
    row = await kept(workouts, ann, "a")
    assert await workouts.delete(row.id)
    assert not await workouts.delete(row.id)
    assert await workouts.get(row.id) is None
    assert await workouts.recording(row.id) is None
    assert (await kept(workouts, ann, "a")).id != row.id


async def test_nothing_is_left_of_an_erased_user(book: Book) -> None:
    workouts, users, ann, bob = Workouts(book.database), Users(book.database), uuid4().hex, uuid4().hex
    await users.put(ann, UserRequest())
    gone, stays = await kept(workouts, ann, "a"), await kept(workouts, bob, "b")
    await users.erase_user(await users.forget(ann, uuid4()), ann)
    assert await workouts.get(gone.id) is None
    assert await workouts.get(stays.id) == stays
