"""Chunks are slices of the text, complete, small enough, and know where they stand."""

from base64 import b64encode
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from domain.chunking import TOKENS_OF, chunks_of
from domain.documents import Chunk, FileType, Heading, Parsed, Table

SIZE = 40
RUNNER = "\U0001f3c3\U0001f3fd\u200d\u2640\ufe0f"
PIECES = st.sampled_from(
    ["word", "Straße ", "日本語。", RUNNER, " ", "\n", "\n\n", "\t", "# Title\n", "- item\n", "> ", "```\n", "**bold**",
     "<b>", "| a | b |\n", "|---|---|\n", "[link](x)", "1. one\n", "e\u0301", "x" * 90, "\u061f", "\u200f", ". "]
)  # fmt: skip
TEXTS = st.lists(PIECES, min_size=1, max_size=120).map("".join).filter(str.strip)
TYPES = st.sampled_from(["txt", "md", "pdf"])


def parsed(text: str, file_type: str = "md", **structure: object) -> Parsed:
    values = {"content_hash": "0" * 64, "file_type": cast(FileType, file_type), "text": text, **structure}
    return Parsed.model_validate(values)


@given(text=TEXTS, file_type=TYPES, overlap=st.integers(0, SIZE - 1))
@settings(max_examples=80, deadline=None)
def test_chunks_are_slices_and_nothing_but_blanks_is_left_out(text: str, file_type: str, overlap: int) -> None:
    document = parsed(text, file_type)
    chunks = chunks_of(document, SIZE, overlap)
    covered = 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert not text[covered : chunk.start].strip()
        assert chunk.end > covered
        covered = chunk.end
    assert not text[covered:].strip()
    assert chunks == chunks_of(document, SIZE, overlap)
    assert len({chunk.id for chunk in chunks}) == len(chunks)


@given(text=TEXTS, file_type=TYPES, overlap=st.integers(0, SIZE - 1))
@settings(max_examples=40, deadline=None)
def test_no_chunk_is_larger_than_allowed(text: str, file_type: str, overlap: int) -> None:
    fits = TextSplitter.from_tiktoken_model(TOKENS_OF, SIZE, trim=False)
    for chunk in chunks_of(parsed(text, file_type), SIZE, overlap):
        assert fits.chunks(chunk.text) == [chunk.text]


def test_encoded_data_between_words_is_cut_like_them() -> None:
    encoded = b64encode(bytes(range(256)) * 40).decode()
    text = f"Words before. {encoded}, and words after."
    chunks = chunks_of(parsed(text, "txt"), SIZE, 5)
    fits = TextSplitter.from_tiktoken_model(TOKENS_OF, SIZE, trim=False)
    assert "".join(chunk.text.replace(" ", "") for chunk in chunks).startswith("Wordsbefore." + encoded)
    assert all(text[chunk.start : chunk.end] == chunk.text and len(fits.chunks(chunk.text)) == 1 for chunk in chunks)
    assert chunks[-1].text.endswith("words after.")
    assert len({chunk.id for chunk in chunks}) == len(chunks)


def test_without_overlap_no_two_chunks_share_a_character() -> None:
    chunks = chunks_of(parsed("A sentence of some words. " * 100), SIZE, 0)
    assert len(chunks) > 10
    assert all(one.end <= other.start for one, other in pairwise(chunks))


def test_ids_tell_documents_and_settings_apart() -> None:
    text = "A sentence of some words. " * 20
    one = parsed(text)
    other = one.model_copy(update={"content_hash": "1" * 64})
    seen = [{chunk.id for chunk in each} for each in
            (chunks_of(one, 40, 0), chunks_of(other, 40, 0), chunks_of(one, 40, 5), chunks_of(one, 41, 0))]  # fmt: skip
    assert len(set[str]().union(*seen)) == sum(map(len, seen))


def test_the_same_words_in_the_same_place_have_the_same_digest_under_other_settings() -> None:
    document = parsed("# One\n\nShort.\n\n# Two\n\n" + "A sentence of some words. " * 30)
    digests = [{chunk.text: chunk.digest for chunk in chunks_of(document, size, 0)} for size in (40, 48)]
    shared = digests[0].keys() & digests[1].keys()
    assert shared
    assert all(digests[0][text] == digests[1][text] for text in shared)


@pytest.mark.parametrize("overlap", [-1, 40, 41])
def test_an_overlap_as_large_as_the_chunk_is_refused(overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        chunks_of(parsed("some text"), 40, overlap)


@dataclass
class Sheet:
    document: Parsed
    header: str


@pytest.fixture
def sheet() -> Sheet:
    header = "| Name | Distance |\n| --- | --- |"
    rows = "\n".join(f"| Runner number {number} | {number * 37} metres |" for number in range(60))
    before = "The results.\n\n"
    table = Table(start=len(before), end=len(before) + len(header) + 1 + len(rows), header=header)
    return Sheet(parsed(f"{before}{header}\n{rows}\n\n{'That was all. ' * 40}", tables=(table,)), header)


def test_a_table_is_cut_between_rows_and_each_piece_knows_its_header(sheet: Sheet) -> None:
    inside = [chunk for chunk in chunks_of(sheet.document, 120, 0) if "Runner" in chunk.text]
    assert len(inside) > 3
    for chunk in inside:
        assert all(line.startswith("|") == line.endswith("|") for line in chunk.text.splitlines())
        assert (chunk.table_header == sheet.header) == (sheet.header not in chunk.text)
        assert sheet.header in chunk.indexed_text


def test_what_follows_a_table_has_no_header_of_it(sheet: Sheet) -> None:
    after = [chunk for chunk in chunks_of(sheet.document, 40, 0) if chunk.start > sheet.document.tables[0].end]
    assert after
    assert {chunk.table_header for chunk in after} == {None}


def of(chunks: list[Chunk], words: str) -> Chunk:
    return next(chunk for chunk in chunks if words in chunk.text)


def test_a_chunk_knows_the_headings_over_it_and_its_page() -> None:
    more = " and so on" * 5
    text = f"# Book\n\n## One\n\nfirst words{more}\n\n### Deep\n\ndeep words{more}\n\n## Two\n\nsecond words{more}"
    titles = [("Book", 1), ("One", 2), ("Deep", 3), ("Two", 2)]
    headings = tuple(Heading(offset=text.index(title), level=level, title=title) for title, level in titles)
    document = parsed(text, headings=headings, pages=(0, text.index("## Two")))
    chunks = chunks_of(document, 24, 0)
    assert of(chunks, "first words").heading_path == ("Book", "One")
    assert of(chunks, "deep words").heading_path == ("Book", "One", "Deep")
    assert of(chunks, "second words").heading_path == ("Book", "Two")
    assert (of(chunks, "first words").page, of(chunks, "second words").page) == (1, 2)
    assert of(chunks, "deep words").indexed_text.startswith("Book > One > Deep\n")


def test_a_document_without_pages_has_none() -> None:
    assert [chunk.page for chunk in chunks_of(parsed("some text"), 40, 0)] == [None]
