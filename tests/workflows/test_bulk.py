"""Bulks on a real engine: every item once, whatever happens in between."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from temporalio import activity

from activities import bulk as portions
from activities.bulk import BulkWork
from domain.bulk import KIND, Action, BulkRequest, BulkResult
from domain.errors import JobError, LedgerUnavailable
from domain.job import Items, Status
from domain.portions import Portion
from engine.bulk import BULK, Bulks
from engine.replay import Replays
from ledger.database import Database
from ledger.items import Item, JobItems, Selection
from ledger.jobs import JobFilter, Jobs
from ledger.rows import JobRow
from tests.conftest import own_namespace
from tests.ledger.book import new_job
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack, toy_kinds, until
from tests.support.toys import Toys
from workflows.kind import Catalog
from workflows.steps import PORTIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Breaking(BulkWork):
    """The same work; `fails` makes the next portions lose the ledger after so many items, `gate` holds them up."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        jobs = Jobs(database)
        super().__init__(JobItems(database), jobs, self)
        self._real = Replays(jobs, catalog)
        self.gate, self.fails, self.asked = asyncio.Event(), 0, 0

    def forget(self) -> None:
        self.gate.set()
        self.fails = self.asked = 0

    @activity.defn(name="apply_bulk")
    async def apply(self, asked: BulkRequest) -> Portion:
        await self.gate.wait()
        return await super().apply(asked)

    async def again(self, job_id: UUID, new_id: UUID, by: str | None = None) -> UUID:
        self.asked += 1
        opened = await self._real.again(job_id, new_id, by)
        if self.fails:
            self.fails -= 1
            raise LedgerUnavailable
        return opened


KINDS = (*toy_kinds(), BULK)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    postgres_url: str, template: str, temporal_address: str, played: Toys
) -> AsyncGenerator[tuple[Parts, Breaking]]:
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        work = Breaking(database, Catalog(toy_kinds()))
        opened = stack(database, engine, [played.work, work.apply], kinds=KINDS)
        async with opened as parts, parts.working(), parts.dispatching():
            yield parts, work
        await database.close()


@pytest.fixture
def parts(made: tuple[Parts, Breaking]) -> Parts:
    return made[0]


@pytest.fixture
def work(made: tuple[Parts, Breaking]) -> Breaking:
    made[1].forget()
    return made[1]


async def start(parts: Parts, action: Action, selection: Selection) -> UUID:
    items = JobItems(parts.database)
    bulk_id, _ = await Bulks(parts.jobs, items).start(
        BulkRequest(action=action, reason="cleaned up", by="alice"), selection, owner="", asked_by="alice"
    )
    return bulk_id


async def outcomes(parts: Parts, bulk_id: UUID) -> dict[str, tuple[str, dict[str, Any] | None]]:
    items: list[Item] = await JobItems(parts.database).page(bulk_id, 0, 10_000)
    return {one.item: (one.status, one.outcome) for one in items}


async def delayed(parts: Parts, count: int, tag: str) -> list[UUID]:
    """Jobs that wait for tomorrow."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    opened = await parts.jobs.open([new_job(not_before=tomorrow, tags=(tag,), payload={}) for _ in range(count)])
    return [one.id for one in opened]


async def tagged(parts: Parts, tag: str) -> list[JobRow]:
    return list(await parts.jobs.list(JobFilter(tag=tag), limit=1000))


def ended_so(row: JobRow) -> tuple[Status, BulkResult]:
    return row.status, BulkResult.model_validate(row.result)


async def test_open_jobs_are_canceled_wherever_they_are(parts: Parts, work: Breaking, toys: Toys) -> None:
    waiting = await delayed(parts, 3, "cancel")
    toys.on("two", asyncio.Event().wait)  # pyright: ignore[reportArgumentType]
    running = await parts.submit("toy", tags=["cancel"])
    await parts.started(running, "two")
    done = await parts.ended(await parts.submit("toy", {"skip": ["two"]}, tags=["cancel"]))
    bulk_id = await start(parts, "cancel", Selection(JobFilter(tag="cancel", only_open=True)))
    row = await parts.ended(bulk_id)
    assert ended_so(row) == (Status.COMPLETED, BulkResult(matched=4, done=4, failed=0, skipped=0))
    assert (row.progress.percent, row.progress.items) == (100, Items(done=4, total=4))
    found = await outcomes(parts, bulk_id)
    assert found == {str(job_id): ("done", None) for job_id in (*waiting, running)}
    assert (await parts.ended(running)).status == Status.CANCELED
    for job_id in waiting:
        ended = await parts.row(job_id)
        assert (ended.status, ended.cancel_requested_by) == (Status.CANCELED, "alice")
    assert (await parts.row(done.id)).status == Status.COMPLETED


async def test_what_has_ended_before_is_skipped(parts: Parts, work: Breaking) -> None:
    work.gate.clear()
    [early, late] = await delayed(parts, 2, "skip")
    bulk_id = await start(parts, "cancel", Selection(JobFilter(), (early, late)))
    await parts.database.execute(
        "UPDATE jobs SET status = 'expired', finished_at = now(), cancel_requested_at = NULL WHERE id = $1", early
    )
    work.gate.set()
    row = await parts.ended(bulk_id)
    assert ended_so(row)[1] == BulkResult(matched=2, done=1, failed=0, skipped=1)
    assert (await outcomes(parts, bulk_id))[str(early)] == ("skipped", None)


async def test_each_replay_points_at_its_job(parts: Parts, work: Breaking, toys: Toys) -> None:
    toys.on("two", *[JobError("cannot be done") for _ in range(3)])
    old = [await parts.ended(await parts.submit("toy", tags=["replay"])) for _ in range(3)]
    bulk_id = await start(parts, "replay", Selection(JobFilter(tag="replay", status=Status.FAILED)))
    row = await parts.ended(bulk_id)
    assert ended_so(row)[1] == BulkResult(matched=3, done=3, failed=0, skipped=0)
    new = {str(row.id): row for row in await tagged(parts, "replay") if row.replay_of}
    assert {row.replay_of for row in new.values()} == {row.id for row in old}
    for job_id, (status, outcome) in (await outcomes(parts, bulk_id)).items():
        assert status == "done"
        assert outcome
        assert str(new[outcome["jobId"]].replay_of) == job_id
        assert (await parts.ended(UUID(outcome["jobId"]))).status == Status.COMPLETED


async def test_what_cannot_be_replayed_fails_alone(parts: Parts, work: Breaking) -> None:
    good, bad = await delayed(parts, 2, "alone")
    await parts.database.execute("UPDATE jobs SET kind = 'taken-away' WHERE id = $1", bad)
    row = await parts.ended(await start(parts, "replay", Selection(JobFilter(), (good, bad))))
    assert ended_so(row) == (Status.COMPLETED, BulkResult(matched=2, done=1, failed=1, skipped=0))
    status, outcome = (await outcomes(parts, row.id))[str(bad)]
    assert outcome
    assert (status, outcome["code"]) == ("failed", "unknown_kind")


async def test_a_portion_that_is_tried_again_does_nothing_twice(parts: Parts, work: Breaking) -> None:
    """The ledger falls silent after a replay was opened and before it could be told."""
    old = await delayed(parts, 7, "twice")
    work.fails = 2
    row = await parts.ended(await start(parts, "replay", Selection(JobFilter(tag="twice"))))
    assert ended_so(row)[1] == BulkResult(matched=7, done=7, failed=0, skipped=0)
    assert work.asked > len(old), "some were asked for again"
    assert sorted(str(row.replay_of) for row in await tagged(parts, "twice") if row.replay_of) == sorted(map(str, old))


async def test_a_cancel_that_is_tried_again_knows_its_own(parts: Parts, work: Breaking) -> None:
    """The attempt before it got as far as the cancels; to this one the jobs have ended."""
    work.gate.clear()
    ids = await delayed(parts, 2, "own")
    bulk_id = await start(parts, "cancel", Selection(JobFilter(tag="own", only_open=True)))
    assert await parts.jobs.cancel_many(ids, reason=None, by="alice") == set(ids)
    work.gate.set()
    assert ended_so(await parts.ended(bulk_id))[1] == BulkResult(matched=2, done=2, failed=0, skipped=0)


async def test_many_portions_go_on_over_several_runs(
    parts: Parts, work: Breaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "SIZE", 2)
    await delayed(parts, 2 * PORTIONS + 3, "many")
    row = await parts.ended(await start(parts, "cancel", Selection(JobFilter(tag="many", only_open=True))), 60)
    total = 2 * PORTIONS + 3
    assert ended_so(row)[1] == BulkResult(matched=total, done=total, failed=0, skipped=0)
    history = await parts.client.get_workflow_handle(str(row.id)).fetch_history()
    assert history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    told = [event.data["items"]["done"] for event in await parts.events.after(row.id) if event.type == "progress"]
    assert told == [*range(2, total, 2), total]


async def test_a_bulk_can_be_canceled_and_keeps_what_it_did(parts: Parts, work: Breaking) -> None:
    work.gate.clear()
    ids = await delayed(parts, 3, "stop")
    bulk_id = await start(parts, "cancel", Selection(JobFilter(tag="stop", only_open=True)))
    await parts.started(bulk_id, "apply")
    assert await parts.jobs.cancel(bulk_id, reason=None, by="bob")
    row = await parts.ended(bulk_id, 5)
    assert (row.status, row.progress.items) == (Status.CANCELED, Items(total=3))
    assert {status for status, _ in (await outcomes(parts, bulk_id)).values()} == {"pending"}
    assert {(await parts.row(job_id)).status for job_id in ids} == {Status.DELAYED}


async def test_bulks_are_never_chosen(parts: Parts, work: Breaking) -> None:
    work.gate.clear()
    first = await start(parts, "cancel", Selection(JobFilter(tag="nothing has this")))
    second = await start(parts, "cancel", Selection(JobFilter(kind="bulk", only_open=True)))
    third = await start(parts, "replay", Selection(JobFilter(), (first, second)))
    work.gate.set()
    for bulk_id in (first, second, third):
        row = await parts.ended(bulk_id)
        assert ended_so(row) == (Status.COMPLETED, BulkResult(matched=0, done=0, failed=0, skipped=0))


async def test_what_comes_later_is_not_chosen(parts: Parts, work: Breaking) -> None:
    """Else a replay of all jobs with a tag would go on for ever."""
    work.gate.clear()
    await delayed(parts, 1, "later")
    bulk_id = await start(parts, "replay", Selection(JobFilter(tag="later")))
    await delayed(parts, 1, "later")
    work.gate.set()
    assert ended_so(await parts.ended(bulk_id))[1].matched == 1
    assert len(await tagged(parts, "later")) == 3


async def test_a_commit_whose_answer_was_lost_chooses_once(parts: Parts, work: Breaking) -> None:
    work.gate.clear()
    await delayed(parts, 1, "lost")
    items, selection = JobItems(parts.database), Selection(JobFilter(tag="lost"))
    job = new_job(kind=KIND, payload={"action": "cancel"})
    for _ in range(2):
        assert [one.id for one in await parts.jobs.also(items.taking(selection)).open([job])] == [job.id]
        await delayed(parts, 1, "lost")
    assert await items.counts(job.id) == Items(total=1)
    work.gate.set()


async def test_the_progress_counts_items(parts: Parts, work: Breaking) -> None:
    work.gate.clear()
    await delayed(parts, 4, "half")
    bulk_id = await start(parts, "cancel", Selection(JobFilter(tag="half")))
    await parts.database.execute(
        """UPDATE jobs SET items = '{"done": 1, "failed": 1, "skipped": 0, "total": 4}' WHERE id = $1""", bulk_id
    )
    row = await parts.row(bulk_id)
    assert (row.progress.text, row.progress.percent) == ("0/1", 50)
    work.gate.set()
    await until(lambda: _ended(parts, bulk_id))


async def _ended(parts: Parts, job_id: UUID) -> bool:
    return (await parts.row(job_id)).status.terminal
