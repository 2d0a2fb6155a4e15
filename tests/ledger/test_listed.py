"""A long list of a payload becomes the job's items when the job is opened, and is listed with what came of each."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import CallerError, PayloadTooLarge
from domain.job import Outcome, Status
from domain.library import DocumentsDone, Upload
from domain.options import Options
from engine.replay import Replays
from engine.submit import Submission, Submitter
from ledger.items import JobItems, Settled
from ledger.jobs import Jobs
from ledger.rows import Opened
from tests.ledger.book import Book, new_job
from tests.support.toys import Toy
from workflows.kind import Catalog, Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = Kind(
    name="long", workflow=Toy, payload=Upload, result=DocumentsDone, title=lambda asked: "Long", items="documents"
)
CATALOG = Catalog([LONG])


def asked(count: int = 3, **more: Any) -> dict[str, Any]:
    return {"documents": [{"id": f"d{n}", "filename": "a.txt", "text": "x" * 100} for n in range(count)], **more}


async def submit(book: Book, payload: dict[str, Any], **options: Any) -> Opened:
    [opened] = await Submitter(book.jobs, CATALOG).submit(
        [Submission("long", payload, Options.model_validate(options))]
    )
    return opened


async def ids(book: Book, job_id: UUID) -> list[str]:
    return [one.item["id"] for one in await JobItems(book.database).page(job_id, 0, 10_000)]


async def test_the_list_becomes_items_and_the_rest_travels(book: Book) -> None:
    opened = await submit(book, asked(2000, mode="Admin"))
    row = await book.row(opened.id)
    assert row.payload == {"mode": "Admin"}
    assert row.progress.items
    assert row.progress.items.total == 2000
    assert await ids(book, opened.id) == [f"d{n}" for n in range(2000)]


async def test_only_the_list_may_be_long(book: Book) -> None:
    listed = Kind("long", Toy, Upload, DocumentsDone, lambda asked: "Long")
    with pytest.raises(PayloadTooLarge):
        await Submitter(book.jobs, Catalog([listed])).submit([Submission("long", asked(2000))])


async def test_the_same_key_means_the_same_list(book: Book) -> None:
    known = uuid4().hex
    first = await submit(book, asked(3), idempotency_key=known)
    again = await submit(book, asked(3), idempotency_key=known)
    assert (again.id, again.why) == (first.id, "key")
    assert await ids(book, first.id) == ["d0", "d1", "d2"]
    with pytest.raises(CallerError):
        await submit(book, asked(4), idempotency_key=known)


async def test_a_commit_that_is_repeated_adds_nothing(book: Book) -> None:
    job = new_job(items=["a", "b"])
    await book.jobs.open([job])
    await JobItems(book.database).settle(job.id, [Settled(1, "done")])
    await book.jobs.open([job])
    items = (await book.row(job.id)).items
    assert items
    assert (items.done, items.total) == (1, 2)


async def test_a_replay_has_the_whole_list(book: Book) -> None:
    opened = await submit(book, asked(3, mode="Admin"))
    replayed = await Replays(Jobs(book.database), CATALOG).replay(await book.row(opened.id))
    assert await ids(book, replayed.id) == ["d0", "d1", "d2"]
    assert (await book.row(replayed.id)).payload == {"mode": "Admin"}


async def test_the_end_lists_what_came_of_each(book: Book) -> None:
    job_id = await book.running(items=[{"id": "a"}, "b"])
    failed = {"code": "document_not_found", "message": "there is no such document", "retryable": False}
    await JobItems(book.database).settle(
        job_id, [Settled(1, "done", {"status": "indexed", "chunks": 7}), Settled(2, "failed", failed)]
    )
    outcome = Outcome(job_id=job_id, status=Status.COMPLETED, result={"total": 2}, listed="documents")
    await book.jobs.finish(outcome)
    assert (await book.row(job_id)).result == {
        "total": 2,
        "documents": [
            {"id": "a", "status": "indexed", "chunks": 7},
            {
                "id": "b",
                "status": "failed",
                "error": {"code": "document_not_found", "message": "there is no such document"},
            },
        ],
    }
