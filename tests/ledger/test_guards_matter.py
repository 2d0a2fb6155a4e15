"""Take a guard out of its statement and the scenario that shows it fails: these tests are able to."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from types import ModuleType
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

import ledger.dispatch
import ledger.jobs
import ledger.steps
from domain.job import Status
from ledger.database import Database, named, numbered, sql
from tests.ledger import test_dispatch, test_jobs, test_open, test_steps
from tests.ledger.book import Book
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")

Scenario = Callable[..., Awaitable[None]]
WRONG_RESULT = (AssertionError, pytest.fail.Exception)
ORDER_OF_STARTS = (
    "AND (s.scheduled_at, s.delivery, step_rank(s.status)) < (excluded.scheduled_at, excluded.delivery, 1)"
)
ORDER_OF_ENDS = """AND (s.scheduled_at, s.delivery, step_rank(s.status))
            < ($3, $4, CASE WHEN $5 IN ('completed', 'fatal') THEN 3 ELSE 2 END)"""
ANY_TIME = "AND ($3::timestamptz, $4::integer) IS NOT NULL"
OPEN_ONLY = "status IN ('queued', 'delayed', 'running')"


@pytest_asyncio.fixture(loop_scope="module")
async def book(postgres_url: str, template: str) -> AsyncGenerator[Book]:
    """A ledger of its own: what a missing guard lets in stays there."""
    async with cloned(postgres_url, template) as url:
        database = Database(url, size=20)
        yield Book(database)
        await database.close()


def take_out(patch: pytest.MonkeyPatch, module: ModuleType, statement: str, guard: str, instead: str) -> None:
    """Have `module` run the statement without its guard, which must be there to be taken out."""
    text = sql(statement)
    assert text.count(guard) == 1, f"{statement}.sql no longer says {guard!r}"
    without = text.replace(guard, instead)
    if hasattr(module, "named"):
        patch.setattr(module, "named", lambda name: numbered(without) if name == statement else named(name))  # pyright: ignore[reportUnknownLambdaType]
    patch.setattr(module, "sql", lambda name: without if name == statement else sql(name))  # pyright: ignore[reportUnknownLambdaType]


@pytest.mark.parametrize(
    ("module", "statement", "guard", "instead", "scenario", "given"),
    [
        pytest.param(*case, id=f"{case[1]}-{n}")
        for n, case in enumerate(
            [
                (ledger.steps, "step_start", ORDER_OF_STARTS, "",
                 test_steps.test_a_zombie_of_an_older_delivery_changes_nothing, {}),
                (ledger.steps, "step_start", ORDER_OF_STARTS, "",
                 test_steps.test_a_start_that_comes_again_changes_nothing, {}),
                (ledger.steps, "step_start", "EXISTS (SELECT FROM stored) AS is_stored", "false AS is_stored",
                 test_steps.test_a_stored_output_answers_the_next_start, {"reset": 0}),
                (ledger.steps, "step_end", ORDER_OF_ENDS, ANY_TIME,
                 test_steps.test_a_zombie_of_an_older_delivery_changes_nothing, {}),
                (ledger.steps, "step_end", ORDER_OF_ENDS, ANY_TIME, test_steps.test_an_end_is_written_once, {}),
                (ledger.steps, "step_end", "AND job.status = 'running'", "",
                 test_steps.test_no_step_starts_in_a_closed_job, {"status": Status.FAILED}),
                (ledger.steps, "step_end", "WHEN $5 = 'completed' OR patient THEN 0", "WHEN $5 = 'completed' THEN 0",
                 test_steps.test_waiting_counts_nothing_while_the_patience_lasts, {}),
                (ledger.jobs, "open_job", "OR EXISTS (SELECT FROM taken)", "OR true",
                 test_open.test_fifty_at_once_with_one_key_are_one_job, {}),
                (ledger.jobs, "open_job", "WHERE NOT (:joinable::boolean AND", "WHERE NOT (false AND",
                 test_open.test_only_who_may_join_joins_and_only_while_the_job_is_open, {}),
                (ledger.jobs, "finish", "WHEN some_step_failed OR $5 = 'offline'", "WHEN false",
                 test_open.test_a_lesser_result_is_never_kept_for_others, {}),
                (ledger.jobs, "cancel", "claimed_until IS NULL AND engine_started_at IS NULL AS untouched",
                 "engine_started_at IS NULL AS untouched",
                 test_jobs.test_a_cancel_of_what_the_engine_may_know_is_carried_there, {"taken": "claimed"}),
                (ledger.dispatch, "reclaim", "claimed_until <= now() AND", "",
                 test_dispatch.test_what_is_claimed_is_not_claimed_again, {}),
                (ledger.dispatch, "admission_facts", "WHERE claimed_until IS NOT NULL AND", "WHERE false AND",
                 test_dispatch.test_what_is_claimed_takes_a_place_until_it_ends, {}),
                (ledger.dispatch, "admission_facts", "AND fair_rank IS NOT NULL", "",
                 test_dispatch.test_a_child_runs_in_its_parents_place, {}),
            ]
        )
    ],
)  # fmt: skip
async def test_without_its_guard_a_statement_does_wrong(
    book: Book, monkeypatch: pytest.MonkeyPatch, module: ModuleType, statement: str, guard: str, instead: str,
    scenario: Scenario, given: dict[str, Any],
) -> None:  # fmt: skip
    take_out(monkeypatch, module, statement, guard, instead)
    with pytest.raises(WRONG_RESULT):
        await scenario(book, **given)


async def test_without_its_trigger_a_terminal_status_is_left(book: Book) -> None:
    await book.database.execute("DROP TRIGGER jobs_keep_terminal ON jobs")
    with pytest.raises(WRONG_RESULT):
        await test_jobs.test_a_terminal_status_cannot_be_left_even_by_hand(book, Status.COMPLETED)


async def test_the_trigger_stands_behind_the_end(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out(monkeypatch, ledger.jobs, "finish", f"AND {OPEN_ONLY} FOR NO KEY", "FOR NO KEY")
    with pytest.raises(asyncpg.CheckViolationError):
        await test_jobs.test_an_end_stands_and_answers_every_later_one(book, Status.CANCELED)
    await book.database.execute("DROP TRIGGER jobs_keep_terminal ON jobs")
    with pytest.raises(WRONG_RESULT):
        await test_jobs.test_an_end_stands_and_answers_every_later_one(book, Status.CANCELED)


async def test_constraints_stand_behind_the_start(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out(monkeypatch, ledger.steps, "step_start", f"FROM job WHERE {OPEN_ONLY} AND", "FROM job WHERE")
    with pytest.raises(asyncpg.CheckViolationError):
        await test_steps.test_no_step_starts_in_a_closed_job(book, Status.COMPLETED)


async def test_without_the_lock_two_claimers_admit_at_a_time(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.dispatch, "LOCK", 1)
    with pytest.raises(WRONG_RESULT):
        await test_dispatch.test_one_claimer_at_a_time_admits(book)
