"""Company research's order of work, its activities standing in for the outside world under their real names."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus

from domain.errors import BudgetExceeded, LongrunError, VendorError
from domain.job import Status
from ledger.database import Database
from ledger.rows import JobRow
from tests.conftest import own_namespace
from tests.replay.fakes import Research
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack, steps_of
from workflows.catalog import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="module")
T = TypeVar("T")
ASKED = {"companyName": "Acme", "role": "Smith"}
UNREACHABLE = VendorError("the website does not answer", code="unreachable", retryable=False)
UNKNOWN = VendorError("GitHub knows no such company", code="not_found", retryable=False)
MUTE = VendorError("the model gave no usable answer", code="bad_answer", retryable=False)


class Scripted(Research):
    """Remembers what was called; `errors` says what fails next, `together` makes gathering wait for both."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        self.calls: list[str] = []
        self.errors: dict[str, LongrunError] = {}
        self.together: asyncio.Barrier | None = None

    async def _answer(self, name: str, value: T) -> T:
        self.calls.append(name)
        if self.together and name in ("scrape_website", "search_github"):
            await self.together.wait()
        if name in self.errors:
            raise self.errors[name]
        return value


@pytest.fixture(scope="module")
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def world(scripted: Scripted) -> Scripted:
    scripted.forget()
    return scripted


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(postgres_url: str, template: str, temporal_address: str, scripted: Scripted) -> AsyncGenerator[Parts]:
    async with cloned(postgres_url, template) as url:
        database = Database(url)
        opened = stack(database, await own_namespace(temporal_address), scripted.activities, kinds=KINDS)
        async with opened as parts, parts.working(), parts.dispatching():
            yield parts
        await database.close()


async def research(parts: Parts) -> JobRow:
    return await parts.ended(await parts.submit("company-research", {**ASKED, "refresh": True}))


def states(row: JobRow) -> str:
    return " ".join(status for _, status in steps_of(row))


async def test_it_looks_twice_at_once_then_thinks_then_keeps(parts: Parts, world: Scripted) -> None:
    world.together = asyncio.Barrier(2)
    row = await research(parts)
    assert sorted(world.calls[:2]) == ["scrape_website", "search_github"]
    assert world.calls[2:] == ["analyze", "store_research"]
    assert (row.status, row.answered_by, row.progress.text) == (Status.COMPLETED, "anthropic", "4/4")
    assert [name for name, _ in steps_of(row)] == ["scrape_website", "search_github", "analyze", "store"]
    assert row.title == "Research Acme for Smith"


@pytest.mark.parametrize(
    ("fails", "error", "expected"),
    [
        ("scrape_website", UNREACHABLE, "failed completed completed completed"),
        ("search_github", UNKNOWN, "completed failed completed completed"),
        ("analyze", MUTE, "completed completed failed completed"),
    ],
)
async def test_one_that_fails_leaves_an_honest_lesser_result(
    parts: Parts, world: Scripted, fails: str, error: VendorError, expected: str
) -> None:
    world.errors[fails] = error
    asked = {**ASKED, "companyName": f"Acme without {fails}"}
    row = await parts.ended(await parts.submit("company-research", asked))
    assert (row.status, states(row)) == (Status.COMPLETED, expected)
    [failed] = [step for step in row.steps if step.status == "failed"]
    assert failed.error is not None
    assert (failed.error.code, failed.error.message) == (error.code, error.message)
    assert row.answered_by == ("offline" if fails == "analyze" else "anthropic")
    assert row.result["reason"] == (error.message if fails == "analyze" else None)
    assert ("extract_briefing" in world.calls) == (fails == "analyze")
    again = await parts.ended(await parts.submit("company-research", asked))
    assert again.result["cached"] is False


async def test_without_any_evidence_there_is_no_briefing(parts: Parts, world: Scripted) -> None:
    world.errors |= {"scrape_website": UNREACHABLE, "search_github": UNKNOWN}
    row = await research(parts)
    assert (row.status, states(row)) == (Status.FAILED, "failed failed skipped skipped")
    assert row.error is not None
    assert row.error.code == "no_evidence"
    assert UNREACHABLE.message in row.error.message
    assert UNKNOWN.message in row.error.message
    assert await parts.closed(row.id) == WorkflowExecutionStatus.FAILED


async def test_an_exceeded_budget_is_not_answered_by_the_twin(parts: Parts, world: Scripted) -> None:
    world.errors["analyze"] = BudgetExceeded("the budget of this job is spent")
    row = await research(parts)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert (row.error.code, row.error.step) == ("budget_exceeded", "analyze")
    assert "extract_briefing" not in world.calls


async def test_a_briefing_that_cannot_be_kept_fails_the_job(parts: Parts, world: Scripted) -> None:
    world.errors["store_research"] = VendorError("the shelf is full", code="shelf_full", retryable=False)
    row = await research(parts)
    assert row.status == Status.FAILED
    assert row.error is not None
    assert (row.error.code, row.error.step) == ("shelf_full", "store")


async def test_an_answer_is_kept_for_who_asks_the_same(parts: Parts, world: Scripted) -> None:
    asked = {"companyName": "Other", "role": "Smith"}
    first = await parts.ended(await parts.submit("company-research", asked))
    again = await parts.row(await parts.submit("company-research", {**asked, "companyName": " other "}))
    assert (again.status, again.result) == (Status.COMPLETED, {**first.result, "cached": True})
    assert again.id != first.id
