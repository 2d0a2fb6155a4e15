"""PDF text page by page, with the headings of its outline, else those that its letters' sizes tell."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from pypdfium2 import PdfiumError

from domain.documents import DocumentRefused, Note
from providers.documents.columns import spans, tables_of
from providers.documents.draft import Draft, cleaned, one_line
from providers.documents.limits import Limits
from providers.documents.ocr import Reading
from providers.documents.sizes import Line, headings_of

# How pdfium marks a hyphen at which a word goes on in the next line.
SOFT_HYPHENS = "\ufffe\x02"
# Characters that have to be looked at one by one; most pages have none.
SUSPECT = re.compile(r"[^\r\n\t -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe]")
MAX_OUTLINE = 10_000
# A page of fewer letters than this is an image with a stamp on it.
TELLING = 8
PAGES_NAMED = 20
# Tables are looked for in so many lines, none of them longer: where each part of a line stands takes its time.
MAX_PLACED = 20_000
LONGEST_PLACED = 200
NO_TITLES = ("", "(anonymous)", "untitled")


def read_pdf(data: bytes, draft: Draft, limits: Limits) -> str | None:
    """Answers the title of the document's properties. Pages without letters are read by OCR where it is installed."""
    document = _opened(data)
    if len(document) > limits.max_pages:
        raise DocumentRefused("too_many_pages", f"{len(document):,} pages, {limits.max_pages:,} are read at most")
    pages = _Pages(draft, Reading.of(limits))
    for index in range(len(document)):
        pages.read(document, index)
    pages.say_what_is_missing(len(document))
    marks = list(_outlined(document, pages.lines)) or headings_of([line for page in pages.lines for line in page])
    for offset, level, title in sorted(marks):
        draft.mark_heading(offset, level, title)
    title = document.get_metadata_value("Title")
    return None if title.strip().casefold() in NO_TITLES else title


def _opened(data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except PdfiumError as refused:
        if refused.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentRefused("encrypted", "the document is protected by a password") from None
        raise DocumentRefused("corrupt", "the PDF is damaged") from None


class _Pages:
    """Writes the pages and remembers the lines of each."""

    def __init__(self, draft: Draft, ocr: Reading) -> None:
        self._draft = draft
        self._ocr = ocr
        self._silent: list[int] = []
        self._recognised: list[int] = []
        self.lines: list[list[Line]] = []
        self._placed = 0

    def read(self, document: Any, index: int) -> None:
        self._draft.page()
        try:
            page = document[index]
            textpage = page.get_textpage()
        except PdfiumError:
            self._silent.append(index + 1)
            self.lines.append([])
            return
        lines = list(_lines(textpage, placed=self._placed < MAX_PLACED))
        self._placed += len(lines)
        if not _telling(lines):
            lines = self._recognise(page, index) or lines
        textpage.close()
        page.close()
        self.lines.append(self._write(lines))
        for start, end, header in tables_of(self.lines[-1]):
            self._draft.mark_table(start, end, header)

    def say_what_is_missing(self, pages: int) -> None:
        """Raises DocumentRefused `no_text_layer` where no page has said anything."""
        if pages and not self._draft.length:
            raise DocumentRefused("no_text_layer", f"the pages are images, and {self._ocr.why_not}")
        if self._recognised:
            named = _named(self._recognised)
            self._draft.note(Note(code="ocr", message=f"images read by character recognition: {named}"))
        if self._silent:
            said = f"without text: {_named(self._silent)} ({self._ocr.why_not})"
            self._draft.note(Note(code="pages_without_text", message=said))

    def _recognise(self, page: Any, index: int) -> list[Line]:
        text = self._ocr.text_of(page)
        (self._recognised if text else self._silent).append(index + 1)
        return [Line(line, 0, 0.0) for line in text.split("\n")]

    def _write(self, lines: list[Line]) -> list[Line]:
        """The lines of the page as they stand in the text."""
        while lines and not lines[0].text.strip():
            lines.pop(0)
        start = self._draft.block("\n".join(line.text for line in lines))
        placed: list[Line] = []
        for line in lines:
            placed.append(line._replace(offset=start))
            start += len(line.text) + 1
        return placed


def _telling(lines: list[Line]) -> bool:
    letters = (letter for line in lines for letter in line.text if letter.isalnum())
    return len(list(islice(letters, TELLING))) == TELLING


def _lines(textpage: Any, *, placed: bool) -> Iterator[Line]:
    """The lines of a page, each as its beginning stands there; a word parted by a soft hyphen is one again."""
    text = textpage.get_text_range()
    clean = cleaned if SUSPECT.search(text) else str
    position = 0
    begun, start = "", 0
    for raw in text.split("\r\n"):
        if raw and not begun:
            start = position
        position += len(raw) + 2
        begun += clean(raw.rstrip(SOFT_HYPHENS))
        if not raw.endswith(tuple(SOFT_HYPHENS)):
            yield _line(textpage, begun.rstrip(), start, placed=placed and start + len(raw) + 2 == position)
            begun = ""
    if begun:
        yield _line(textpage, begun.rstrip(), start, placed=False)


def _line(textpage: Any, text: str, start: int, *, placed: bool) -> Line:
    """A line whose first letter is the page's `start`th."""
    if not text:
        return Line("", 0, 0.0)
    try:
        _, bottom, _, top = textpage.get_charbox(start, loose=True)
        cells = ()
        if placed and len(text) <= LONGEST_PLACED:
            boxes = (textpage.get_rect(index) for index in range(textpage.count_rects(start, len(text))))
            cells = spans(((left, right) for left, _, right, _ in boxes), top - bottom)
    except (PdfiumError, IndexError):
        return Line(text, 0, 0.0)
    return Line(text, 0, top - bottom, bottom, cells)


def _outlined(document: Any, pages: list[list[Line]]) -> Iterator[tuple[int, int, str]]:
    """The outline's entries where their page says them, else where their page begins."""
    for entries, bookmark in enumerate(document.get_toc()):
        if entries >= MAX_OUTLINE:
            return
        title, target = one_line(bookmark.get_title()), bookmark.get_dest()
        index = target.get_index() if target else None
        if not title or index is None or not 0 <= index < len(pages) or not pages[index]:
            continue
        lines = pages[index]
        said = next((line for line in lines if one_line(line.text).casefold() == title.casefold()), lines[0])
        yield said.offset, min(bookmark.level + 1, 6), title


def _named(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:PAGES_NAMED]))
    more = len(pages) - PAGES_NAMED
    return f"page {shown}" if len(pages) == 1 else f"pages {shown}" + (f" and {more} more" if more > 0 else "")
