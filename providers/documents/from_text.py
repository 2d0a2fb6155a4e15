"""Plain text in its several dresses: txt, Markdown, CSV, JSON."""

import csv
import re
from collections.abc import Iterator
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.token import Token

from providers.documents.draft import Draft, cleaned, one_line
from providers.documents.sniff import delimiter_of

BLOCKS = MarkdownIt("commonmark").enable("table")
BLOCKS.core.ruler.enableOnly(["normalize", "block"])
FRONT_MATTER = re.compile(r"---\n(?:.*\n)*?---\n")
TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
BEFORE_TITLE = re.compile(r"[>\s]*(?:(?:[-*+]|\d+[.)])\s+)*")
ATX = re.compile(BEFORE_TITLE.pattern + r"#{1,6}[ \t]*")
UNDERLINES = "=-"
# A rule of dashes under a whole paragraph makes it a heading to the letter of CommonMark, but to nobody else.
MAX_TITLE_LINES = 3
CLOSING_MARKS = re.compile(r"\s+#+\s*$")
JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
OPENERS, CLOSERS, BREAKING = "[{", "]}", "[{,"
AFTER = {":": " "}
# the whole process has one limit; what is read is bounded before
LONGEST_FIELD = 2**31 - 1


def read_txt(text: str, draft: Draft) -> str | None:
    draft.block(text)
    return None


def read_markdown(text: str, draft: Draft) -> str | None:
    """The source as it stands; headings and tables are marked in it. Answers the title of its front matter."""
    text = cleaned(text).strip("\n")
    start = draft.block(text)
    front = FRONT_MATTER.match(text)
    skipped = front.end() if front else 0
    lines = text[skipped:].split("\n")
    ends = list(accumulate((len(line) + 1 for line in lines), initial=start + skipped))
    for token in _with_lines(BLOCKS.parse("\n".join(lines))):
        first, last = token.map or (0, 0)
        if token.type == "heading_open":
            underlined = token.markup in UNDERLINES
            opening = (BEFORE_TITLE if underlined else ATX).match(lines[first])
            lead = opening.end() if opening else 0
            title = one_line(CLOSING_MARKS.sub("", " ".join(lines[first : last - underlined])[lead:]))
            if title and last - first <= MAX_TITLE_LINES:
                draft.mark_heading(ends[first] + lead, int(token.tag[1]), title)
        else:
            draft.mark_table(ends[first], ends[last] - 1, "\n".join(lines[first : first + 2]))
    titled = TITLE.search(front[0]) if front else None
    return titled[1] if titled else None


def _with_lines(tokens: list[Token]) -> Iterator[Token]:
    return (token for token in tokens if token.type in ("heading_open", "table_open") and token.map)


def read_csv(text: str, draft: Draft) -> str | None:
    """One table; its first row is the header."""
    csv.field_size_limit(LONGEST_FIELD)
    draft.table(list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter_of(text))))
    return None


def read_json(text: str, draft: Draft) -> str | None:
    """As it stands where it has lines; else one value a line, every value written as it was."""
    text = cleaned(text).strip()
    draft.block(text if text.count("\n") > len(text) / 200 else "".join(_in_lines(text, draft.max_characters)))
    return None


def _in_lines(text: str, most: int) -> Iterator[str]:
    """One value a line, indented by depth; at most a little more than `most` characters."""
    depth = written = 0
    for match in JSON_TOKEN.finditer(text):
        mark = match[0]
        depth += (mark in OPENERS) - (mark in CLOSERS)
        line = "\n" + " " * depth
        before = line if mark in CLOSERS else ""
        after = line if mark in BREAKING else AFTER.get(mark, "")
        written += len(before) + len(mark) + len(after)
        yield before + mark + after
        if written > most:
            return
