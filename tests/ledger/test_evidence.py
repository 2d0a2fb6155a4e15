"""Evidence belongs to the newest attempt of its step, and to nobody once the step has ended."""

import asyncio
from uuid import UUID

import pytest

from domain.research import Evidence
from ledger.research import Research
from tests.ledger.book import Book, at

pytestmark = pytest.mark.asyncio(loop_scope="module")


def found(*quotes: str) -> list[Evidence]:
    url = "https://acme.example/"
    return [
        Evidence(id=f"p1.{n}", kind="page", url=url, title="Acme", quote=quote) for n, quote in enumerate(quotes, 1)
    ]


async def kept(research: Research, job_id: UUID) -> list[str]:
    return [evidence.quote for evidence in await research.read(job_id)]


async def test_a_retry_replaces_what_its_step_had_found(book: Book) -> None:
    research, job_id = Research(book.database), await book.running()
    await research.put(job_id, "one", found("old", "older"))
    await research.put(job_id, "one", found("new"))
    assert await kept(research, job_id) == ["new"]


async def test_a_zombie_whose_step_has_ended_changes_nothing(book: Book) -> None:
    research, job_id = Research(book.database), await book.running()
    await research.put(job_id, "one", found("right"))
    await book.steps.end(at(job_id), "completed", output="{}")
    await research.put(job_id, "one", found("late"))
    assert await kept(research, job_id) == ["right"]


async def test_a_zombie_that_waited_while_its_step_ended_changes_nothing(book: Book) -> None:
    research, job_id = Research(book.database), await book.running()
    async with book.in_between() as other:
        await other.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", job_id)
        late = await book.waiting(research.put(job_id, "one", found("late")))
        await other.execute(
            "UPDATE job_steps SET status = 'completed', finished_at = now() WHERE job_id = $1 AND activity_id = 'one'",
            job_id,
        )
    await late
    assert await kept(research, job_id) == []


async def test_a_job_that_has_ended_takes_no_evidence(book: Book) -> None:
    research, job_id = Research(book.database), await book.running()
    await book.end(job_id)
    await research.put(job_id, "one", found("late"))
    assert await kept(research, job_id) == []


async def test_two_attempts_at_once_do_not_collide(book: Book) -> None:
    research, job_id = Research(book.database), await book.running()
    async with book.in_between() as other:
        await other.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", job_id)
        both = [asyncio.ensure_future(research.put(job_id, "one", found(quote))) for quote in ("this", "that")]
    await asyncio.gather(*both)
    assert await kept(research, job_id) in (["this"], ["that"])
