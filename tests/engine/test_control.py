"""A job opened inside another one: in its place, with what is left of its budget, once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import InvalidPayload, JobClosed, UnknownKind
from domain.job import Job, Outcome, Status
from domain.usage import Call, Spent, Usage
from engine.control import Control
from ledger.jobs import JobFilter
from ledger.spend import Spend
from tests.support.stack_parts import Parts

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Opening:
    """The engine as a workflow's local activity sees it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._control = Control(parts.client, parts.jobs, parts.submitter, parts.reconciler, parts.catalog)

    async def parent(self, **options: Any) -> UUID:
        job_id = await self.parts.submit("toy-parent", **options)
        await self.parts.dispatcher.turn()
        return job_id

    async def child(self, parent: UUID, *, child: UUID | None = None, kind: str = "toy", **payload: Any) -> Job[Any]:
        return await self._control.open_child(parent, child or uuid4(), kind, payload)

    async def spend(self, job_id: UUID, tokens: int, usd: str | None) -> None:
        usage = Usage(input_tokens=tokens, output_tokens=0)
        call = Call(job_id=job_id, step="prepare", turn=0, attempt=1)
        spent = Spent(call=call, vendor="v", model="m", usage=usage, cost_usd=Decimal(usd) if usd else None)
        await Spend(self.parts.database).record(spent, prompt_hash="p", answer=None)


@pytest.fixture
def opening(shared: Parts) -> Opening:
    return Opening(shared)


async def test_a_child_is_handed_over_whole_and_is_nobody_elses_to_start(opening: Opening) -> None:
    parent = await opening.parent(owner="alice", tier="premium")
    job = await opening.child(parent, skip=["two"])
    assert (job.kind, job.owner, job.title, job.payload) == ("toy", "alice", "Play toy", {"skip": ["two"]})
    assert [step.name for step in job.plan] == ["one", "two", "three"]
    assert job.max_duration == timedelta(hours=1)
    row = await opening.parts.row(job.id)
    assert (row.parent_id, row.owner, row.tier, row.status) == (parent, "alice", "premium", Status.QUEUED)
    assert job.id not in [one.id for one in (await opening.parts.dispatch.claim(10)).starts]


async def test_a_child_that_was_opened_already_is_found_again(opening: Opening) -> None:
    """The answer of a first try was lost."""
    parent, child = await opening.parent(), uuid4()
    first, second = [await opening.child(parent, child=child) for _ in range(2)]
    assert first == second
    assert len(await opening.parts.jobs.list(JobFilter(parent_id=parent))) == 1


async def test_a_child_has_what_is_left_of_the_budget(opening: Opening) -> None:
    parent = await opening.parent(budget={"maxTokens": 1000, "maxCostUsd": "1.00"})
    await opening.spend(parent, 400, "0.25")
    row = await opening.parts.row((await opening.child(parent)).id)
    assert (row.max_tokens, row.max_usd) == (600, Decimal("0.75"))


async def test_what_other_jobs_inside_it_have_spent_is_gone_too(opening: Opening) -> None:
    parent = await opening.parent(budget={"maxTokens": 1000, "maxCostUsd": "1.00"})
    await opening.spend(parent, 100, "0.10")
    sibling = await opening.child(parent)
    await opening.spend(sibling.id, 200, "0.20")
    within = await opening.child(sibling.id)
    await opening.spend(within.id, 300, "0.30")
    row = await opening.parts.row((await opening.child(parent)).id)
    assert (row.max_tokens, row.max_usd) == (400, Decimal("0.40"))


async def test_an_exceeded_budget_leaves_next_to_nothing_and_never_no_limit(opening: Opening) -> None:
    parent = await opening.parent(budget={"maxTokens": 1000, "maxCostUsd": "1.00"})
    await opening.spend(parent, 2000, "1.50")
    row = await opening.parts.row((await opening.child(parent)).id)
    assert row.max_tokens == 1
    assert row.max_usd == Decimal("0.000001")


async def test_a_budget_of_tokens_alone_says_nothing_about_money(opening: Opening) -> None:
    parent = await opening.parent(budget={"maxTokens": 1000})
    await opening.spend(parent, 100, None)
    row = await opening.parts.row((await opening.child(parent)).id)
    assert (row.max_tokens, row.max_usd) == (900, None)


async def test_a_parent_without_a_budget_gives_none(opening: Opening) -> None:
    row = await opening.parts.row((await opening.child(await opening.parent())).id)
    assert (row.max_tokens, row.max_usd) == (None, None)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELED])
async def test_a_parent_that_has_ended_opens_nothing(opening: Opening, status: Status) -> None:
    parent = await opening.parent()
    await opening.parts.jobs.finish(Outcome(job_id=parent, status=status))
    with pytest.raises(JobClosed):
        await opening.child(parent)
    assert not await opening.parts.jobs.list(JobFilter(parent_id=parent))


async def test_a_parent_that_never_was_opens_nothing(opening: Opening) -> None:
    with pytest.raises(JobClosed):
        await opening.child(uuid4())


async def test_a_child_meets_the_same_checks_as_any_job(opening: Opening) -> None:
    parent = await opening.parent()
    with pytest.raises(UnknownKind):
        await opening.child(parent, kind="unheard-of")
    with pytest.raises(InvalidPayload):
        await opening.child(parent, unheard="of")
    assert not await opening.parts.jobs.list(JobFilter(parent_id=parent))
