"""Documents on a real engine, with their real reader: each by itself, each in the index once, each found whole."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from domain.job import Status
from domain.library import Answers
from ledger.database import Database
from ledger.rows import JobRow
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.library import Library
from tests.support.stack_parts import Parts, stack, until
from workflows.catalog import ours

pytestmark = pytest.mark.asyncio(loop_scope="module")
SENTENCES = [f"Sentence number {n} says something of lemons and of its own word unique{n}." for n in range(60)]
TEXT = "\n\n".join(SENTENCES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[tuple[Parts, Library]]:
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        library = Library(database)
        assert await library.vectors.enable()
        async with (
            library.pool,
            stack(database, engine, library.activities, kinds=ours()) as parts,
            parts.working(),
            parts.dispatching(),
        ):
            yield parts, library
        await database.close()


@pytest.fixture
def parts(made: tuple[Parts, Library]) -> Parts:
    return made[0]


@pytest.fixture
def library(made: tuple[Parts, Library]) -> Library:
    made[1].parser.forget()
    made[1].meaning.asked.clear()
    made[1].meaning.fails = 0
    return made[1]


def asked(*names: str, **texts: str) -> list[dict[str, Any]]:
    """Documents that were uploaded, and such as bring their text along."""
    known = [{"id": name, "filename": name.replace("_", ".")} for name in names]
    return [*known, *({"id": name, "filename": f"{name}.txt", "text": text} for name, text in texts.items())]


async def process(parts: Parts, owner: str, documents: list[dict[str, Any]], **more: Any) -> UUID:
    return await parts.submit("bulk-document-processing", {"documents": documents, **more}, owner=owner)


async def indexed(parts: Parts, owner: str, documents: list[dict[str, Any]], **more: Any) -> JobRow:
    return await parts.ended(await process(parts, owner, documents, **more), 60)


def outcomes(row: JobRow) -> dict[str, str]:
    """The status of each document, or the code of what is wrong with it."""
    assert row.result, row.error
    return {one["id"]: one.get("error", {}).get("code", one["status"]) for one in row.result["documents"]}


async def find(library: Library, owner: str, question: str, **given: Any) -> Answers:
    return await library.search.search(owner, question, **given)


async def test_each_document_has_its_own_end(parts: Parts, library: Library) -> None:
    owner = uuid4().hex
    await library.give(
        owner,
        good_md=b"# Citrus\n\nLemons are yellow.",
        bad_pdf=b"%PDF-1.7 and then nothing",
        empty_txt=b"",
        rows_csv=b"fruit,colour\nlime,green\n",
        data_json=json.dumps({"fruit": "orange"}).encode(),
        image_png=b"\x89PNG\r\n\x1a\n" + bytes(100),
    )
    library.files.files["https://example.com/a.txt"] = b"Grapefruit from far away."
    names = ("good_md", "bad_pdf", "empty_txt", "rows_csv", "data_json", "image_png", "unknown")
    far = [{"id": f"far{n}", "filename": f"{n}.txt", "url": f"https://example.com/{n}.txt"} for n in ("a", "b")]
    row = await indexed(parts, owner, [*asked(*names, inline="A pomelo."), *far], projectId="p", tags=["fruit"])
    assert row.status == Status.COMPLETED
    assert outcomes(row) == {
        "good_md": "indexed",
        "bad_pdf": "corrupt",
        "empty_txt": "empty",
        "rows_csv": "indexed",
        "data_json": "indexed",
        "image_png": "unsupported_type",
        "unknown": "document_not_found",
        "inline": "indexed",
        "fara": "indexed",
        "farb": "document_not_found",
    }
    assert (row.result["total"], row.result["indexed"], row.result["failed"]) == (10, 5, 5)
    assert (row.progress.text, row.progress.percent) == ("1/1", 100)
    words = {"lemon": "good_md", "lime": "rows_csv", "orange": "data_json", "pomelos": "inline", "grapefruit": "fara"}
    for word, name in words.items():
        assert [one.document_id for one in (await find(library, owner, word, project_id="p", tag="fruit")).chunks] == [
            name
        ]
    bad = await library.documents.get(owner, "bad_pdf")
    assert (bad.status, bad.error and bad.error.code) == ("failed", "corrupt")
    good = await library.documents.get(owner, "good_md")
    assert (good.status, good.file_type, good.title, good.chunk_count) == ("indexed", "md", "Citrus", 1)


async def test_never_more_than_five_are_in_hand(parts: Parts, library: Library) -> None:
    owner, names = uuid4().hex, [f"d{n}" for n in range(12)]
    library.parser.hold = "d"
    job_id = await process(parts, owner, asked(**dict.fromkeys(names, "A lemon.")))
    await asyncio.wait_for(library.parser.reached(5), 30)
    await parts.started(job_id, "index")
    library.parser.go.set()
    row = await parts.ended(job_id, 60)
    assert set(outcomes(row).values()) == {"indexed"}
    assert library.parser.most == 5


async def test_reprocessing_embeds_only_what_has_changed(parts: Parts, library: Library) -> None:
    owner = uuid4().hex
    await indexed(parts, owner, asked(doc=TEXT))
    first = list(library.meaning.asked)
    assert len(first) == (await library.documents.get(owner, "doc")).chunk_count > 10
    changed = [*SENTENCES[:50], "Another sentence says something else here.", *SENTENCES[51:]]
    library.meaning.asked.clear()
    await indexed(parts, owner, asked(doc="\n\n".join(changed)))
    assert 0 < len(library.meaning.asked) < len(first) / 2
    library.meaning.asked.clear()
    row = await reprocess(parts, owner, ["doc", "none"], 32)
    assert outcomes(row) == {"doc": "indexed", "none": "document_not_found"}
    assert library.meaning.asked == []
    await reprocess(parts, owner, ["doc"], 64, 8)
    document = await library.documents.get(owner, "doc")
    assert (document.chunk_size, document.overlap) == (64, 8)
    assert len(library.meaning.asked) == document.chunk_count < len(first)


async def reprocess(parts: Parts, owner: str, ids: list[str], size: int, overlap: int = 0) -> JobRow:
    payload = {"documentIds": ids, "newChunkSize": size, "newOverlap": overlap, "mode": "Sales"}
    return await parts.ended(await parts.submit("document-reprocessing", payload, owner=owner), 60)


async def test_searches_meanwhile_see_whole_sets(parts: Parts, library: Library) -> None:
    owner, seen = uuid4().hex, set[tuple[str, ...]]()
    await indexed(parts, owner, asked(doc=TEXT))
    done = asyncio.Event()

    async def look() -> int:
        count = 0
        while not done.is_set() or count < 100:
            found = await find(library, owner, "lemons", limit=100)
            seen.add(tuple(sorted(one.chunk_id for one in found.chunks)))
            count += 1
        return count

    looking = [asyncio.create_task(look()) for _ in range(4)]
    sizes, whole = (64, 24, 48, 32), set[tuple[str, ...]]()
    for size in (None, *sizes):
        if size:
            await reprocess(parts, owner, ["doc"], size)
        rows = await library.database.fetch(
            "SELECT c.id FROM chunks c JOIN documents d ON d.key = c.document WHERE d.owner = $1", owner
        )
        whole.add(tuple(sorted(row["id"] for row in rows)))
    done.set()
    assert sum(await asyncio.gather(*looking)) >= 400
    assert len(whole) == 4, "the last is the first again"
    assert len(seen) > 1
    assert seen <= whole


async def test_a_document_that_is_given_anew_while_it_is_read_is_found_by_what_stands(
    parts: Parts, library: Library
) -> None:
    owner, soon = uuid4().hex, {"minTimeoutInMs": 1, "maxTimeoutInMs": 1}
    library.parser.hold = "doc"
    payload = {"documents": asked(doc="Lemons, as it was said first.")}
    slow = await parts.submit("bulk-document-processing", payload, owner=owner, retry=soon)
    await asyncio.wait_for(library.parser.reached(1), 30)
    library.parser.hold = None
    assert outcomes(await indexed(parts, owner, asked(doc="Oranges, as it is said now."))) == {"doc": "indexed"}
    library.parser.go.set()
    assert outcomes(await parts.ended(slow, 60)) == {"doc": "indexed"}
    assert (await find(library, owner, "lemons")).chunks == ()
    [found] = (await find(library, owner, "oranges")).chunks
    assert found.text == "Oranges, as it is said now."


async def test_text_that_is_tried_again_does_not_come_back_over_what_was_given_since(
    parts: Parts, library: Library
) -> None:
    owner, later = uuid4().hex, {"minTimeoutInMs": 1_000, "maxTimeoutInMs": 1_000}
    library.meaning.fails = 1
    payload = {"documents": asked(doc="Lemons, as it was said first.")}
    slow = await parts.submit("bulk-document-processing", payload, owner=owner, retry=later)

    async def put_off() -> bool:
        [item] = await library.database.fetch("SELECT attempts FROM job_items WHERE job_id = $1", slow)
        return item["attempts"] == 1

    await until(put_off)
    assert outcomes(await indexed(parts, owner, asked(doc="Oranges, as it is said now."))) == {"doc": "indexed"}
    assert outcomes(await parts.ended(slow, 60)) == {"doc": "indexed"}
    assert (await find(library, owner, "lemons")).chunks == ()
    assert (await find(library, owner, "oranges")).chunks


async def test_a_cancel_leaves_what_was_found(parts: Parts, library: Library) -> None:
    owner = uuid4().hex
    await indexed(parts, owner, asked(doc=TEXT))
    before = (await find(library, owner, "lemons", limit=100)).chunks
    library.parser.hold = "doc"
    job_id = await parts.submit("document-reprocessing", {"documentIds": ["doc"], "newChunkSize": 64}, owner=owner)
    await asyncio.wait_for(library.parser.reached(1), 30)
    assert (await library.documents.get(owner, "doc")).status == "processing"
    assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
    assert (await parts.ended(job_id, 60)).status == Status.CANCELED
    document = await library.documents.get(owner, "doc")
    assert (document.status, document.chunk_size, document.chunk_count) == ("indexed", 32, len(before))
    assert (await find(library, owner, "lemons", limit=100)).chunks == before


async def test_who_cannot_say_what_it_means_is_asked_again_and_then_done_without(
    parts: Parts, library: Library
) -> None:
    owner, quick = uuid4().hex, {"maxAttempts": 2, "minTimeoutInMs": 1, "maxTimeoutInMs": 1}
    for fails, notes in ((1, []), (2, ["not_embedded"])):
        library.meaning.fails = fails
        name = f"d{fails}"
        job_id = await parts.submit(
            "bulk-document-processing", {"documents": asked(**{name: "A lemon."})}, owner=owner, retry=quick
        )
        row = await parts.ended(job_id, 60)
        assert outcomes(row) == {name: "indexed"}
        assert [note["code"] for note in row.result["documents"][0].get("notes", [])] == notes
        assert [note.code for note in (await library.documents.get(owner, name)).notes] == notes
