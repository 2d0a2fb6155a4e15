"""Chunks are ranked by BM25, as written down here a second time, and by meaning where vectors are kept."""

import math
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

import pytest

from bench import quality_documents
from domain.chunking import chunks_of
from domain.documents import Parsed, Table
from domain.errors import VendorError
from domain.library import Found
from domain.usage import Call
from ledger.database import Database
from ledger.documents import Cut, Documents
from ledger.search import Search
from ledger.vectors import Vectors
from tests.ledger.book import Book
from tests.ledger.shelf import Shelf, cut
from tests.support.databases import cloned

pytestmark = pytest.mark.asyncio(loop_scope="module")
PARTS = (
    "Credit card late fees are cut from thirty-two dollars to eight. Late fees are late fees are late fees.",
    "The border bill failed because politics derailed it; a bill is a bill.",
    "Insulin costs thirty-five dollars a month. Prices of drugs are to be negotiated.",
    "Roads and bridges are being repaired, forty-six thousand projects in all, with fees for none of them.",
)


class Meant:
    """Knows what a few words mean."""

    model = "toy"

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.asked = fails, 0

    async def embed(self, texts: Sequence[str], call: Call | None = None) -> list[list[float]]:
        self.asked += 1
        if self.fails:
            raise VendorError("nobody answers", code="connection")
        return [[1.0, 0.0] if "medicine" in text or "Insulin" in text else [0.0, 1.0] for text in texts]


async def find(shelf: Shelf, question: str, **given: object) -> tuple[Found, ...]:
    search = Search(shelf.book.database, Vectors(shelf.book.database))
    return (await search.search(shelf.owner, question, **given)).chunks  # pyright: ignore[reportArgumentType]


async def lexemes(book: Book, text: str) -> Counter[str]:
    rows = await book.database.fetch(
        "SELECT lexeme, cardinality(positions) n FROM unnest(to_tsvector('english', $1))", text
    )
    return Counter({row["lexeme"]: row["n"] for row in rows})


async def by_hand(book: Book, texts: Sequence[str], question: str) -> list[float]:
    """Okapi BM25 with k1 = 1.2, b = 0.75."""
    bags, asked = [await lexemes(book, text) for text in texts], await lexemes(book, question)
    average = sum(bag.total() for bag in bags) / len(bags)
    scores = [0.0] * len(bags)
    for word in asked:
        having = sum(word in bag for bag in bags)
        weight = math.log(1 + (len(bags) - having + 0.5) / (having + 0.5))
        for n, bag in enumerate(bags):
            times = bag[word]
            scores[n] += weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * bag.total() / average)) if times else 0
    return scores


@pytest.fixture
def shelf(book: Book) -> Shelf:
    return Shelf(book)


async def fill(shelf: Shelf) -> None:
    for n, text in enumerate(PARTS):
        await shelf.index(
            f"d{n}", cut(text, size=200), project_id=f"p{n % 2}", tags=("odd",) if n % 2 else ("even", "x")
        )


@pytest.mark.parametrize("question", ["late fees", "What did the bill cost in dollars?", "a fee for roads and drugs"])
async def test_scores_are_those_of_bm25(shelf: Shelf, question: str) -> None:
    await fill(shelf)
    scores = await by_hand(shelf.book, PARTS, question)
    expected = sorted(((score, f"d{n}") for n, score in enumerate(scores) if score), reverse=True)
    found = await find(shelf, question)
    assert [one.document_id for one in found] == [name for _, name in expected]
    assert [one.score for one in found] == pytest.approx([score for score, _ in expected], rel=1e-6)


async def test_tables_that_were_never_counted_in_are_once(postgres_url: str, template: str) -> None:
    """Else a search by common words, right after the first large job, is planned as if there were one document."""
    async with cloned(postgres_url, template, fresh=True) as url:
        database = Database(url)
        await Shelf(Book(database)).index("d", cut(PARTS[0], size=200))
        known = (
            "SELECT count(*) FROM pg_class WHERE oid IN ('documents'::regclass, 'chunks'::regclass) AND reltuples > 0"
        )
        assert (await database.row(known) or {})["count"] == 0
        await Documents(database).survey()
        assert (await database.row(known) or {})["count"] == 2
        await database.close()


async def test_words_alone_find_what_questions_ask_for(book: Book) -> None:
    """The bar of `make quality`, which measures hybrid search too."""
    found = await quality_documents.measured(book.database, quality_documents.cut(), hybrid=False)
    assert found["words"][0] >= quality_documents.BARS["words"]


@pytest.mark.parametrize("times", [1, 2, 3, 17, 100, 200, 255])
async def test_a_word_is_counted_however_often_it_occurs(shelf: Shelf, times: int) -> None:
    texts = ["lemon " * times + "and much else", "nothing of it, but other words"]
    for n, text in enumerate(texts):
        await shelf.index(f"d{n}", cut(text, size=1000))
    [found] = await find(shelf, "lemons")
    assert found.score == pytest.approx((await by_hand(shelf.book, texts, "lemons"))[0], rel=1e-6)


async def test_of_many_chunks_those_with_the_rarest_words_are_scored_and_those_with_all(shelf: Shelf) -> None:
    fruit = ["lemons"] * 30 + ["limes"] * 20 + ["lemons and limes"] * 3 + ["quinces and lemons"] + ["lemons"] * 6
    texts = [f"Of {one}, basket {n}, there is much to be said." for n, one in enumerate(fruit)]
    for n, text in enumerate(texts):
        await shelf.index(f"d{n}", cut(text, size=200))
    search = Search(shelf.book.database, Vectors(shelf.book.database), most=10)

    async def names(question: str) -> list[str]:
        return [one.document_id for one in (await search.search(shelf.owner, question, limit=60)).chunks]

    assert (await names("quinces, lemons or limes"))[0] == "d53"
    assert set((await names("limes and lemons"))[:3]) == {"d50", "d51", "d52"}
    newest = [f"d{n}" for n, text in enumerate(texts) if "lemons" in text][-10:]
    assert sorted(await names("lemons")) == sorted(newest)
    [found] = (await search.search(shelf.owner, "quinces")).chunks
    assert found.score == pytest.approx((await by_hand(shelf.book, texts, "quinces"))[53], rel=1e-6)


async def test_a_question_is_planned_for_who_asks(book: Book, shelf: Shelf) -> None:
    await fill(shelf)
    database = Database(book.database.dsn, schema=book.database.schema, size=1)
    try:
        for _ in range(7):
            await Search(database, Vectors(database)).search(shelf.owner, "late fees")
        [plans] = await database.fetch(
            """SELECT generic_plans, custom_plans FROM pg_prepared_statements
            WHERE statement LIKE '%by_words%' AND statement NOT LIKE '%pg_prepared%'"""
        )
    finally:
        await database.close()
    assert tuple(plans.values()) == (0, 7)


async def test_only_the_owners_own_and_only_what_was_chosen(shelf: Shelf) -> None:
    await fill(shelf)
    other = Shelf(shelf.book)
    await other.index("theirs", cut(PARTS[0]))
    everything = "fees bill dollars roads"
    assert {one.document_id for one in await find(shelf, everything)} == {"d0", "d1", "d2", "d3"}
    assert {one.document_id for one in await find(shelf, everything, project_id="p0")} == {"d0", "d2"}
    assert {one.document_id for one in await find(shelf, everything, tag="x")} == {"d0", "d2"}
    assert {one.document_id for one in await find(shelf, everything, project_id="p0", tag="odd")} == set()
    assert [one.document_id for one in await find(other, everything)] == ["theirs"]
    assert len(await find(shelf, everything, limit=2)) == 2
    assert await find(Shelf(shelf.book), everything) == ()


@pytest.mark.parametrize("question", ["", "the of and", "'", "\\", "a\\b'c | !x & (y:*", "\0", "x" * 3000, "🙂 ‮"])
async def test_no_question_breaks_it(shelf: Shelf, question: str) -> None:
    await fill(shelf)
    assert await find(shelf, question) == ()


async def test_a_chunk_says_where_it_stands_and_marks_what_was_asked(shelf: Shelf) -> None:
    text = "Health\n\n<b>Insulin</b> & syringes cost\2 less.\n\nRoads\n\nBridges are repaired."
    await shelf.index("doc", cut(text, "Health", "Roads", size=16))
    [found] = await find(shelf, "syringe")
    assert text[found.start : found.end] == found.text
    assert (found.document_id, found.filename, found.heading_path, found.page) == ("doc", "doc.txt", ("Health",), None)
    assert "&amp; <mark>syringes</mark> cost" in found.highlight
    assert "<b>" not in found.highlight
    assert [one.heading_path for one in await find(shelf, "bridges")] == [("Roads",)]


async def test_rows_of_a_table_come_with_its_header(shelf: Shelf) -> None:
    header = "| fruit | colour |\n| --- | --- |\n"
    text = header + "".join(f"| fruit{n} | colour{n} |\n" for n in range(20))
    read = Parsed(
        content_hash="0" * 64, file_type="csv", text=text, tables=(Table(start=0, end=len(text), header=header),)
    )
    await shelf.index("doc", Cut(read, chunks_of(read, 64, 0), 64, 0))
    [found] = await find(shelf, "fruit19")
    assert (found.text.startswith("| fruit |"), found.table_header) == (False, header)
    assert text[found.start : found.end] == found.text
    first = next(one for one in await find(shelf, "fruit0 fruit19") if one.start == 0)
    assert first.table_header is None, "it is there"


async def embedded(shelf: Shelf) -> Meant:
    await fill(shelf)
    vectors, meant = Vectors(shelf.book.database), Meant()
    assert await vectors.enable()
    for n, text in enumerate(PARTS):
        [chunk] = cut(text, size=200).chunks
        document = await shelf.get(f"d{n}")
        [vector] = await meant.embed([text])
        await vectors.put(document.key, meant.model, {chunk.digest: vector})
    return meant


async def test_meaning_finds_what_words_do_not(shelf: Shelf) -> None:
    meant = await embedded(shelf)
    assert await find(shelf, "medicine") == ()
    search = Search(shelf.book.database, Vectors(shelf.book.database), meant)
    answers = await search.search(shelf.owner, "medicine")
    assert answers.ranking == "hybrid"
    assert answers.chunks[0].document_id == "d2"
    both = await search.search(shelf.owner, "late fees", limit=4)
    # first by words and second to none by meaning: 1/61 + 1/(60 + rank)
    assert both.chunks[0].document_id == "d0"
    assert both.chunks[0].score == pytest.approx(1 / 61 + 1 / 61)
    assert [one.document_id for one in (await search.search(shelf.owner, "medicine", project_id="p1")).chunks] == [
        "d1",
        "d3",
    ]


async def test_vectors_of_another_model_are_not_compared(shelf: Shelf) -> None:
    meant = await embedded(shelf)
    meant.model = uuid4().hex  # pyright: ignore[reportAttributeAccessIssue]
    answers = await Search(shelf.book.database, Vectors(shelf.book.database), meant).search(shelf.owner, "medicine")
    assert answers.chunks == ()


async def test_words_answer_when_nobody_says_what_they_mean(shelf: Shelf) -> None:
    await embedded(shelf)
    search = Search(shelf.book.database, Vectors(shelf.book.database), Meant(fails=True))
    answers = await search.search(shelf.owner, "late fees")
    assert (answers.ranking, answers.chunks[0].document_id) == ("words", "d0")


async def test_without_pgvector_words_answer(shelf: Shelf) -> None:
    class Missing(Vectors):
        async def place(self) -> str | None:
            return None

    await fill(shelf)
    meant = Meant()
    answers = await Search(shelf.book.database, Missing(shelf.book.database), meant).search(shelf.owner, "late fees")
    assert (answers.ranking, answers.chunks[0].document_id, meant.asked) == ("words", "d0", 0)
