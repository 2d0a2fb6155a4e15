"""Every format read: real files against their expected text, and what the bytes, not the name, say a file is."""

import json
import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chunking import chunks_of
from domain.documents import DocumentRefused, Parsed
from providers.documents.limits import Limits
from providers.documents.reading import read
from tests.support.hostile_documents import archive, docx_tracked, message, pdf, pptx, xlsx

DATA = Path(__file__).parents[1] / "data" / "documents"
RUSSIAN = "Привет, мир! Это довольно длинный текст на русском языке."
POLISH = "Zażółć gęślą jaźń, a potem łódź i żółty ślad"
HEADERS = "docling-unit_test_headers_numbered.docx"


def file(name: str, called: str | None = None) -> Parsed:
    return read((DATA / name).read_bytes(), called or name, Limits())


def text(content: str | bytes, name: str = "") -> Parsed:
    return read(content if isinstance(content, bytes) else content.encode(), name, Limits())


def words(markdown: str) -> list[str]:
    """What is said, without Markdown's marks."""
    return re.findall(
        r"[\w$@.,:%()/'&+]+", re.sub(r"^[\s>|-]+|[*|]|-{3,}|={3,}|^#+", " ", markdown, flags=re.MULTILINE)
    )


def likeness(said: str, expected: str) -> float:
    return SequenceMatcher(None, words(said), words(expected), autojunk=False).ratio()


@pytest.mark.parametrize(
    ("name", "expected", "least"),
    [
        ("docling-docx_lists.docx", "docling-docx_lists.groundtruth.md", 0.98),
        ("docling-word_tables.docx", "docling-word_tables.groundtruth.md", 1.0),
        ("RECEIPT-2024-TXN-98765_retail_purchase.pdf", "RECEIPT-2024-TXN-98765_retail_purchase.expected.md", 0.99),
    ],
)
def test_the_words_come_in_their_order(name: str, expected: str, least: float) -> None:
    assert likeness(file(name).text, (DATA / expected).read_text("utf-8")) >= least


def test_no_word_of_a_laid_out_page_is_lost() -> None:
    said = words(file("REPAIR-2022-INV-001_multipage.pdf").text)
    expected = words((DATA / "REPAIR-2022-INV-001_multipage.expected.md").read_text("utf-8"))
    lost = set(expected) - set(said)
    assert len(lost) <= 0.02 * len(set(expected)), lost


def test_a_laid_out_table_is_known_by_its_columns() -> None:
    document = file("REPAIR-2022-INV-001_multipage.pdf")
    shown = [document.text[table.start : table.end].splitlines() for table in document.tables]
    assert [(lines[0], lines[-1]) for lines in shown] == [
        ("Hours Rate Cost", "GRAND TOTAL 5,738"),
        ("Hours Rate Cost", "GRAND TOTAL 211,522"),
    ]
    # names and what they stand for, left and right, are none; neither is running text
    assert file("gsa-18f-principal-software-engineer.pdf").tables == ()
    chunks = [chunk for chunk in chunks_of(document, 40, 0) if "Sales Tax" in chunk.text]
    assert [chunk.table_header for chunk in chunks] == ["Hours Rate Cost"] * 2


def test_word_tables_are_whole_with_merged_cells_said_in_each_place() -> None:
    def rows(markdown: str) -> list[list[str]]:
        lines = [line for line in markdown.splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return [row for row in cells if any(cell.strip("-") for cell in row)]

    document = file("docling-word_tables.docx")
    assert rows(document.text) == rows((DATA / "docling-word_tables.groundtruth.md").read_text("utf-8"))
    assert len(document.tables) == 7
    for table in document.tables:
        assert document.text[table.start : table.end].startswith(table.header + "\n")


def test_word_lists_keep_their_depth_and_numbers() -> None:
    said, expected = file("docling-docx_lists.docx").text, (DATA / "docling-docx_lists.groundtruth.md").read_text()
    for title in ("Test 1:", "Test 2:", "Test 3:", "Test 4:", "Test 5:", "Test 6:"):
        assert after(title, said) == after(title, expected)
    assert "1. ORCHARD MAP AND GARDEN NOTES\n    1.1 Morning Walk" in said


def after(title: str, markdown: str) -> str:
    return markdown.partition(title)[2].partition("#")[0].strip()


def test_word_headings_have_the_numbers_that_word_shows() -> None:
    document = file(HEADERS)
    titles = [(heading.level, heading.title) for heading in document.headings]
    assert titles[:5] == [
        (1, "Test Document"),
        (1, "1. Section 1"),
        (2, "1.1. Section 1.1"),
        (2, "1.2. Section 1.2"),
        (3, "1.2.1. Section 1.2.3"),
    ]
    assert document.title == "Test Document"


def test_word_text_is_read_as_it_is_after_all_changes() -> None:
    document = text(docx_tracked())
    assert document.text == "Pay within sixty\n\nIn a control"


@pytest.mark.parametrize(
    "name", sorted(path.name for path in DATA.iterdir() if path.suffix in (".docx", ".html", ".md"))
)
def test_headings_stand_where_they_are_said_to(name: str) -> None:
    document = file(name)
    for heading in document.headings:
        assert " ".join(document.text[heading.offset :][:400].split()).startswith(heading.title[:40])


def test_pdf_headings_are_the_lines_in_larger_letters() -> None:
    document = file("gsa-18f-principal-software-engineer.pdf")
    assert [(heading.level, heading.title) for heading in document.headings] == [
        (1, "18F Principal Consulting Software Engineer Performance Profile"),
        (2, "Position summary"),
        (2, "Key objectives"),
    ]
    assert document.title == "18F Principal Software Engineer Performance Profile"
    assert len(document.pages) == 4
    assert document.text[document.pages[1] :].startswith("18F’s core languages are Ruby, Python, and JavaScript.")


def test_pages_begin_where_they_say() -> None:
    document = text(pdf(30))
    assert [document.text[page:].split(" says")[0] for page in document.pages] == [f"page {n}" for n in range(1, 31)]


def test_slides_have_titles_tables_notes_and_what_groups_hide() -> None:
    document = text(pptx())
    assert document.text == (
        "## Quarterly figures\n\n| Region | Revenue |\n| --- | --- |\n| North | 1,200 |\n\nNotes: Mention the harvest"
        "\n\nDeep inside\na line below"
    )
    assert document.pages == (0, document.text.index("Deep inside"))


def test_sheets_are_tables_parted_by_empty_rows() -> None:
    document = text(xlsx())
    assert document.text == (
        "## Plan\n\nBudget of the year\n\n| Item | Cost |\n| --- | --- |\n| Paint | 12.5 |\n\n"
        "| Day | Hours |\n| --- | --- |\n| Monday | 8 |\n\nfar away"
    )
    assert [table.header.splitlines()[0] for table in document.tables] == ["| Item | Cost |", "| Day | Hours |"]
    real = file("markitdown-test.xlsx")
    assert len(real.pages) == 2
    assert "| 58 | 6ff4173b-42a5-4784-9b19-f49caff4d93d | 22 | 9 |" in real.text


def test_pages_of_the_web_keep_tables_and_lists_and_lose_what_is_not_theirs() -> None:
    rich = file("docling-html_rich_table_cells.html")
    assert "Basic duck facts\n\n| Name | Habitat | Comment |\n| --- | --- | --- |\n" in rich.text
    assert "| Teal | Pond Marsh Riverbank | Fly south in winter Build nest on ground |" in rich.text
    assert rich.title == "Rich Table Cells in HTML"
    page = text(
        "<!-- old --><html><title>T</title><nav>Menu</nav><script>alert(1)</script><h2>List</h2><ol start=3><li>three"
        "<ul><li>inner</ul><li>four</ol><p hidden>unseen</p><pre>a\n  b</pre>one<br>two</html>"
    )
    assert page.text == "## List\n\n3. three\n    - inner\n4. four\n\n```\na\n  b\n```\n\none\ntwo"


def test_a_table_that_only_lays_out_a_page_is_no_table() -> None:
    page = text("<html><table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td><p>c</td></tr></table>")
    assert page.text == "| a | b |\n| --- | --- |\n\nc"


def test_messages_have_headers_the_better_body_and_the_names_of_what_is_attached() -> None:
    long = "The whole offer in plain words. " * 10
    plain = text(message(long, "<p>In HTML</p>"), "offer.eml")
    assert plain.title == "Grüße aus Köln"
    assert plain.text.startswith(
        "# Grüße aus Köln\n\nFrom: Ann <ann@example.com>\nTo: bob@example.com\nDate: Mon, 05 Jan"
    )
    assert long.strip() in plain.text
    assert "In HTML" not in plain.text
    assert plain.text.endswith("Attachments:\n- offer.pdf")
    stub = text(message("See the HTML version.", "<h2>Offer</h2><p>In HTML</p>"))
    assert "## Offer\n\nIn HTML" in stub.text
    assert "See the" not in stub.text


def test_json_has_a_value_a_line_and_each_as_it_was_written() -> None:
    written = '{"price":1.10,"id":12345678901234567890,"tags":["a, b","c\\"d"],"none":{}}'
    document = text(written)
    assert document.file_type == "json"
    assert json.loads(document.text) == json.loads(written)
    assert '"price": 1.10,\n' in document.text
    assert "12345678901234567890" in document.text


@pytest.mark.parametrize(
    ("name", "header", "said"),
    [
        ("docling-csv-pipe.csv", "| Index | Customer Id |", "| Dominguez\\|Mcmillan and Donovan |"),
        ("docling-csv-inconsistent-header.csv", "| 1 | 2 | 3 |  |", "| a | b | c | d |"),
        ("unstructured-stanley-cups-utf-16.csv", "| Team | Location | Stanley Cups |", "| Maple Leafs | TOR | 13 |"),
    ],
)
def test_csv_is_a_table_whatever_its_dialect(name: str, header: str, said: str) -> None:
    document = file(name)
    assert [table.header.startswith(header) for table in document.tables] == [True]
    assert said in document.text


def test_markdown_stays_as_it_is_and_its_structure_is_known() -> None:
    table = "| a | b |\n|--|--|\n| 1 | 2 |"
    start = "---\ntitle: 'Front'\n---\n\nIntro\n=====\n\n```\n# no heading\n```\n\n> ## Quoted ##"
    source = f"{start}\n\n{table}\n\nend"
    document = text(source, "a.md")
    assert document.text == source
    assert document.title == "Front"
    assert [(h.level, h.title, source[h.offset :][: len(h.title)]) for h in document.headings] == [
        (1, "Intro", "Intro"),
        (2, "Quoted", "Quoted"),
    ]
    assert [(source[t.start : t.end], t.header) for t in document.tables] == [(table, "| a | b |\n|--|--|")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Grüße, 東京 €".encode(), "Grüße, 東京 €"),
        (b"\xef\xbb\xbfwith a mark", "with a mark"),
        ("Grüße €".encode("cp1252"), "Grüße €"),
        (RUSSIAN.encode("cp1251"), RUSSIAN),
        (POLISH.encode("cp1250"), POLISH),
        ("wide text".encode("utf-16-le"), "wide text"),
        ("wide text".encode("utf-16-be"), "wide text"),
        ("wide \U0001f600".encode("utf-16"), "wide \U0001f600"),
        ("wider".encode("utf-32"), "wider"),
        (b"one\r\ntwo\rthree\x0cfour\x0b\x1bfive", "one\ntwo\nthree\nfour\nfive"),
    ],
)  # fmt: skip
def test_encodings_and_line_ends(content: bytes, expected: str) -> None:
    assert text(content, "a.txt").text == expected


def test_old_encodings_of_real_files() -> None:
    assert "äöüß" in file("unstructured-umlauts-non-utf8.md").text
    page = file("unstructured-fake-html-cp1252.html").text
    for said in (
        "L'été était très chaud",
        "El niño comió paella con ñoquis",
        "Kvinnan åt köttbullar",
        "¡Qué rico!",
        "€",
    ):
        assert said in page


def test_bytes_that_are_no_characters_are_replaced_and_said_so() -> None:
    document = text(b"\xef\xbb\xbfbroken \xff here")
    assert document.text == "broken \ufffd here"
    assert [note.code for note in document.notes] == ["text_repaired"]


@pytest.mark.parametrize(
    ("content", "name", "file_type"),
    [
        (b"# Title\n\nwords", "a", "md"),
        (b"# not a title", "a.txt", "txt"),
        (b"just words", "", "txt"),
        (b"just words", "a.unknown", "txt"),
        (b"a,b,c\n1,2,3\n4,5,6\n", "x", "csv"),
        (b"one thing, and another\nnothing\n", "x", "txt"),
        (b"only\none\ncolumn", "a.csv", "csv"),
        (b'  [1, {"a": 2}]\n', "a.txt", "json"),
        (b"[a link](to) somewhere", "x", "md"),
        (b"<!DOCTYPE html><p>x", "a.txt", "html"),
        (b"<div align=center>logo</div>\n\n# Project", "README.md", "md"),
        (b"<div>logo</div>", "a.html", "html"),
        (b"From: a@b.c\nTo: d@e.f\nSubject: x\n\nbody", "a", "eml"),
        (b"From: here\nto: there\n\nA travel guide", "a", "txt"),
    ],
)
def test_the_content_says_what_it_is(content: bytes, name: str, file_type: str) -> None:
    assert text(content, name).file_type == file_type


def test_a_wrong_name_is_noted_and_the_content_read() -> None:
    document = file("markitdown-test.xlsx", "report.pdf")
    assert document.file_type == "xlsx"
    assert [note.code for note in document.notes] == ["wrong_extension"]
    assert file("markitdown-test.xlsx").notes == ()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n\t \r\n", "empty"),
        (b"<html><script>only()</script></html>", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "unsupported_type"),
        (b"MZ" + bytes(range(256)), "unsupported_type"),
        (rb"{\rtf1 words}", "unsupported_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"W\0o\0r\0d\0" * 20, "unsupported_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (archive({"a.txt": b"x"}), "unsupported_type"),
        (archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"x"}), "unsupported_type"),
        (archive({"word/document.xml": b"<no"}), "corrupt"),
        (b"PK\x03\x04 and no more", "corrupt"),
        (b"%PDF-1.7 and no more", "corrupt"),
        (pdf(3)[:300], "corrupt"),
    ],
)
def test_each_reason_not_to_read_has_its_code(content: bytes, code: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        text(content, "a.docx")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("derived-encrypted-aes256.pdf", "encrypted"),
        ("MEDRPT-2024-PAT-3847_medical_report_scan.pdf", "no_text_layer"),
        ("unstructured-empty.txt", "empty"),
    ],
)
def test_real_files_that_cannot_be_read(name: str, code: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        file(name)
    assert refused.value.code == code


def test_limits_of_size_pages_and_text() -> None:
    for limits, code in (
        (Limits(max_bytes=100), "too_large"),
        (Limits(max_pages=4), "too_many_pages"),
        (Limits(max_characters=50), "too_large"),
    ):
        with pytest.raises(DocumentRefused) as refused:
            read(pdf(5), "a.pdf", limits)
        assert refused.value.code == code


def test_no_refusal_quotes_the_document() -> None:
    with pytest.raises(DocumentRefused) as refused:
        text(archive({"word/document.xml": b"<secret", "[Content_Types].xml": b"<secret"}))
    assert "secret" not in refused.value.message


PIECES = st.sampled_from(
    [b"word", b"\n", b"\r\n", b"# A\n", b"| a | b |\n", b"|--|--|\n", b"- ", b"<html>", b"<p>", b"<table><tr><td>",
     b"<ul><li>", b"<h2>t</h2>", b"From: a\nTo: b\nDate: c\n\n", b"{", b"}", b'"a": 1,', b"[", b"]", b"a,b,c\n",
     b"\xff", b"\0", b"\xe2\x82", b"\x1b", b"===\n", b"---\n", b"PK\x03\x04", b"%PDF-", b"\xfe\xff"]
)  # fmt: skip
NAMES = st.sampled_from(["", "a.md", "a.csv", "a.html", "a.json", "a.eml", "a.txt", "a.pdf"])


@given(content=st.lists(PIECES, max_size=30).map(b"".join) | st.binary(max_size=200), name=NAMES)
@settings(max_examples=150, deadline=None)
def test_whatever_the_bytes_are_they_are_refused_or_become_a_sound_document(content: bytes, name: str) -> None:
    try:
        document = read(content, name, Limits())
    except DocumentRefused:
        return
    assert document.text.strip()
    assert "\0" not in document.text
    assert document.text.encode("utf-8")
    offsets = [heading.offset for heading in document.headings]
    assert offsets == sorted(offsets)
    assert all(document.text[heading.offset] == heading.title[0] for heading in document.headings)
    for table in document.tables:
        assert document.text[table.start : table.end].startswith(table.header)
