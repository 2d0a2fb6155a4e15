"""The queries that other programs keep for their monitoring run as they are written, and answer as they did."""

from typing import Any

import pytest

from domain.job import Status
from ledger.database import Database
from tests.ledger.book import Book, at

ACTIVE = """SELECT id, type, trigger_status, started, finished, trigger_run_id FROM worker_jobs
WHERE executor = 'temporal' AND finished IS NULL"""
FAILED = "SELECT id, type, result, created_at FROM worker_jobs WHERE success = false ORDER BY created_at DESC LIMIT 10"


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


async def one(book: Book, query: str, *args: Any) -> dict[str, Any]:
    [row] = await book.database.fetch(query, *args)
    return dict(row)


async def test_active_jobs_are_those_that_have_not_ended(book: Book) -> None:
    waiting, running = (await book.open()).id, await book.running()
    await book.end(await book.running())
    rows = {row["id"]: row for row in await book.database.fetch(ACTIVE)}
    assert {job_id: row["trigger_status"] for job_id, row in rows.items()} == {waiting: "QUEUED", running: "RUNNING"}
    assert rows[waiting]["started"] is None
    assert rows[running]["started"] is not None
    assert (rows[running]["type"], rows[running]["trigger_run_id"]) == ("toy", str(running))


async def test_failed_jobs_come_newest_first_with_why(book: Book) -> None:
    failed = [await book.running() for _ in range(3)]
    for job_id, status in zip(failed, (Status.FAILED, Status.TIMED_OUT, Status.EXPIRED), strict=True):
        await book.end(job_id, status)
    await book.end(await book.running())
    await book.end(await book.running(), Status.CANCELED)
    rows = await book.database.fetch(FAILED)
    assert [row["id"] for row in rows] == failed[::-1]
    assert rows[-1]["result"]["code"] == "vendor_error"


@pytest.mark.parametrize(
    ("status", "success"),
    [
        (Status.COMPLETED, True),
        (Status.FAILED, False),
        (Status.TIMED_OUT, False),
        (Status.EXPIRED, False),
        (Status.CANCELED, None),
    ],
)
async def test_success_and_status_are_said_in_the_words_of_old(
    book: Book, status: Status, success: bool | None
) -> None:
    job_id = await book.running(owner="ann", payload={"datasetId": "123"}, idempotency_key="process-dataset-123")
    await book.end(job_id, status)
    row = await one(book, "SELECT * FROM worker_jobs")
    assert (row["success"], row["trigger_status"]) == (success, status.value.upper())
    assert row["finished"] is not None
    assert (row["tag"], row["user_id"], row["data"]) == ("process-dataset-123", "ann", {"datasetId": "123"})


async def test_batch_jobs_say_how_far_they_are_in_the_front_ends_words(book: Book) -> None:
    asked = {"companyName": "Stripe", "role": "Backend Engineer"}
    job_id = await book.running(payload=asked)
    await book.steps.end(at(job_id), "completed")
    row = await one(book, "SELECT * FROM batch_jobs")
    assert (row["status"], row["progress"], row["is_complete"]) == ("processing", "1/2", False)
    assert (row["id"], row["company_name"], row["role"]) == (job_id, "Stripe", "Backend Engineer")
    await book.end(job_id, result={"overview": "x"})
    row = await one(book, "SELECT * FROM batch_jobs")
    assert (row["status"], row["progress"], row["results"]) == ("completed", "2/2", {"overview": "x"})
    assert row["progress"] == (await book.row(job_id)).progress.text


async def test_executions_and_their_steps(book: Book) -> None:
    job_id = await book.running(title="Process sales data", payload={"mode": "Sales", "modelId": "m"})
    await book.steps.end(at(job_id), "completed", output='{"rows": 3}')
    row = await one(book, "SELECT * FROM workflow_executions")
    assert (row["id"], row["workflow_name"], row["mode"]) == (job_id, "Process sales data", "Sales")
    assert (row["status"], row["progress"], row["total_steps"]) == ("running", "1/2", 2)
    query = "SELECT * FROM workflow_steps WHERE execution_id = $1 ORDER BY step_index"
    steps = [(row["name"], row["status"], row["output"]) for row in await book.database.fetch(query, job_id)]
    assert steps == [("one", "completed", {"rows": 3}), ("two", "pending", None)]
    await book.end(job_id, Status.CANCELED)
    assert [row["status"] for row in await book.database.fetch(query, job_id)] == ["completed", "skipped"]
