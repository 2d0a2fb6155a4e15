"""A text under construction: blocks of Markdown with the places of headings, tables and pages."""

import re
from collections.abc import Sequence
from hashlib import sha256
from itertools import takewhile

from domain.documents import DocumentRefused, FileType, Heading, Note, Parsed, Table
from providers.documents.limits import Limits

LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# What PostgreSQL and JSON cannot hold, or nobody can see.
UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
BLANKS = re.compile(r"\s+")
MAX_TITLE = 300
# Beyond these, headings and tables are text like any other.
MAX_MARKS = 20_000


def cleaned(text: str) -> str:
    """`text` with plain line ends, without control characters; halves of surrogate pairs become U+FFFD."""
    return UNWANTED.sub(
        lambda match: "\ufffd" if match.group() >= "\ud800" and match.group() < "\ue000" else "",
        LINE_END.sub("\n", text),
    )


def one_line(text: str) -> str:
    """`text` on one line, without blanks at its ends, seen or unseen."""
    return BLANKS.sub(" ", cleaned(text)).strip(" \u200b")


class Draft:
    """Collects blocks. Raises DocumentRefused `too_large` or `too_many_pages` as soon as there is more than allowed."""

    def __init__(self, limits: Limits) -> None:
        self.max_characters = limits.max_characters
        self._max_pages = limits.max_pages
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[int] = []
        self._pages_begun = 0
        self._headings: list[Heading] = []
        self._tables: list[Table] = []
        self.notes: list[Note] = []

    def block(self, text: str, gap: str = "\n\n") -> int:
        """Append `text` after `gap`; answers where it begins. Blank text is left out."""
        text = cleaned(text).strip("\n").rstrip()
        if not text.strip():
            return self._length
        if self._length:
            self._append(gap)
        start = self._length
        self._pages += [start] * (self._pages_begun - len(self._pages))
        self._append(text)
        return start

    def page(self) -> None:
        """The next block begins a page."""
        self._pages_begun += 1
        if self._pages_begun > self._max_pages:
            raise DocumentRefused("too_many_pages", f"more than {self._max_pages:,} pages")

    def heading(self, level: int, title: str) -> None:
        """A heading in Markdown."""
        level, title = min(max(level, 1), 6), one_line(title)
        if title:
            mark = "#" * level + " "
            self.mark_heading(self.block(mark + title) + len(mark), level, title)

    def mark_heading(self, offset: int, level: int, title: str) -> None:
        """What stands at `offset` of the text already is a heading."""
        if len(self._headings) < MAX_MARKS:
            self._headings.append(Heading(offset=offset, level=level, title=title[:MAX_TITLE]))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """A table in Markdown. Rows of one cell over it are its captions, the first after them is its header.

        Ragged rows are filled up, empty rows and columns at the end left out; a single column is no table but lines.
        """
        lines = [[one_line(cell).replace("|", "\\|") for cell in row] for row in rows]
        lines = [line for line in lines if any(line)]
        width = max((index + 1 for line in lines for index, cell in enumerate(line) if cell), default=0)
        captions = sum(1 for _ in takewhile(lambda line: sum(map(bool, line)) == 1, lines)) if width > 1 else len(lines)
        self.block("\n".join("".join(line) for line in lines[:captions]))
        if captions == len(lines):
            return
        written = [f"| {' | '.join((line + [''] * width)[:width])} |" for line in lines[captions:]]
        written.insert(1, f"|{' --- |' * width}")
        start = self.block("\n".join(written))
        self.mark_table(start, self._length, "\n".join(written[:2]))

    def mark_table(self, start: int, end: int, header: str) -> None:
        if len(self._tables) < MAX_MARKS:
            self._tables.append(Table(start=start, end=end, header=header))

    def note(self, note: Note) -> None:
        self.notes.append(note)

    @property
    def length(self) -> int:
        return self._length

    def parsed(self, data: bytes, file_type: FileType, title: str | None = None) -> Parsed:
        """The whole. Raises DocumentRefused `empty` where nothing was said."""
        text = "".join(self._parts)
        if not text.strip():
            raise DocumentRefused("empty", "the document has no text")
        pages = self._pages + [self._length] * (self._pages_begun - len(self._pages))
        highest = next((heading.title for heading in self._headings if heading.level == 1), None)
        return Parsed(
            content_hash=sha256(data).hexdigest(),
            file_type=file_type,
            text=text,
            title=(one_line(title or "")[:MAX_TITLE] or highest),
            pages=tuple(pages),
            headings=tuple(self._headings),
            tables=tuple(self._tables),
            notes=tuple(self.notes),
        )

    def _append(self, text: str) -> None:
        self._length += len(text)
        if self._length > self.max_characters:
            raise DocumentRefused(
                "too_large", f"the document holds more than {self.max_characters:,} characters of text"
            )
        self._parts.append(text)
