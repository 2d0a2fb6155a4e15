"""A batch of an ingest is told of each run what a single letter is told of it."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from domain.running.batch import Ready, ready
from domain.running.contents import RunSheet
from domain.running.figures import Fact, Facts, Runner, Split
from domain.running.ingest import IngestRequest
from domain.running.sheet import NEAR, RECENT, run_sheet
from domain.workout import Workout
from ledger.contents import Contents
from ledger.run_history import RunHistory
from ledger.workouts import WorkoutRow, Workouts
from tests.ledger.book import Book
from tests.ledger.test_contents import FACTS_TOLD, TWINS, calling, pay
from tests.ledger.test_workouts import workout

pytestmark = pytest.mark.asyncio(loop_scope="module")
KILOMETRE = Split(unit="km", number=1, distance_meters=1_000, moving_seconds=300, pace_seconds_per_km=300)


def facts(distance: float) -> Facts:
    found = {
        "distance": Fact(value=distance, unit="m", basis="counted", quality="good"),
        "pace": Fact(value=300 + distance / 100, unit="s/km", basis="counted", quality="good"),
    }
    return Facts(sport="run", facts=found, splits=(KILOMETRE,))


def alone(row: WorkoutRow, rows: list[WorkoutRow]) -> object:
    """The run's sheet among all that there are."""
    earlier = [one.summary for one in rows if one.started_at < row.started_at]
    recent = [one for one in earlier if one.started_at >= row.started_at - RECENT]
    near = sorted(earlier, key=lambda one: abs(one.values["distance"] - row.summary.values["distance"]))[:NEAR]
    return run_sheet(row.user_id, row.summary, row.facts, recent=recent, near=near)


async def test_each_run_of_a_batch_stands_among_those_before_it(book: Book) -> None:
    workouts, history, ann = Workouts(book.database), RunHistory(book.database), uuid4().hex
    runs: list[Workout] = [workout(f"run {day}", day=day) for day in range(0, 150, 5)]
    rows = [
        (await workouts.put(ann, one, facts(5_000 + 37 * at % 900), Runner(), b""))[0] for at, one in enumerate(runs)
    ]
    asked, batch = IngestRequest(user_id=ann), rows[-5:]

    job = await book.open()

    async def sheets() -> list[object]:
        _, missing = await history.begin(job.id, asked, [row.id for row in batch], "generate")
        made = ready(missing)
        told = [made[str(row.id)] for row in batch]
        return [RunSheet.model_validate_json(one.sheet) for one in told if isinstance(one, Ready)]

    assert await sheets() == [alone(row, rows) for row in batch]
    longer = rows[-6]
    await workouts.refigure(longer.id, facts(20_000), Runner())
    rows = await workouts.page(ann, limit=100)
    batch = [row for row in rows if row.started_at > longer.started_at]
    assert await sheets() == [alone(row, rows) for row in batch], "figures that were made anew are read anew"


async def test_a_batch_that_begins_again_knows_what_its_own_job_has_written(book: Book) -> None:
    history, contents, ann = RunHistory(book.database), Contents(book.database), uuid4().hex
    row, _ = await Workouts(book.database).put(ann, workout("once"), facts(5_000), Runner(), b"")

    async def begun(job_id: UUID) -> tuple[Sequence[str], dict[str, str]]:
        runs, missing = await history.begin(job_id, IngestRequest(user_id=ann), [row.id], "generate")
        [run] = runs.values()
        assert len(missing.runs) == bool(run.halves)
        return run.halves, run.written

    first, second = (await book.open()).id, (await book.open()).id
    assert await begun(first) == (("letter", "insight"), {})
    await contents.store(row.id, "letter", TWINS, FACTS_TOLD, calling(first))
    assert await begun(first) == (("insight",), {"letter": "offline"})
    await contents.store(row.id, "insight", TWINS, FACTS_TOLD, calling(first))
    assert await begun(first) == ((), {"letter": "offline", "insight": "offline"})
    assert await begun(second) == ((), {})


async def test_a_batch_knows_for_which_runs_its_own_job_has_paid_a_call(book: Book) -> None:
    history, ann = RunHistory(book.database), uuid4().hex
    rows = [
        (await Workouts(book.database).put(ann, workout(str(day), day=day), facts(5_000), Runner(), b""))[0]
        for day in range(3)
    ]
    first, second = await book.running(owner=ann), await book.running(owner=ann)
    await pay(book, calling(first, f"{rows[0].id}:insight"))
    await pay(book, calling(second, f"{rows[1].id}:letter"))
    begun, _ = await history.begin(first, IngestRequest(user_id=ann), [row.id for row in rows], "one")
    assert [begun[row.id].paid for row in rows] == [True, False, False]
