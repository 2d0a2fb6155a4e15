"""Markdown made plain: what a reader would see, without a mark of how."""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# Text without any of these means nothing else to a parser.
MARKS = re.compile(r"[*_`#~|<>\[\]\\&!=+]|^[ \t]*(?:-|\d{1,9}[.)]|\t| {4})", re.MULTILINE)
# What a parser took for plain, and no sentence needs: alone it would still look like a mark.
LEFT = re.compile(r"[*_`#~|<>\[\]{}\\^]+")
BULLET = re.compile(r"^(?:(?:[•‣▪◦+=-]+|\d{1,9}[.)])(?:\s+|$))+")
PARAGRAPHS = re.compile(r"\n\s*\n")
# Each takes off one layer of escapes.
ROUNDS = 4


def unmarked(text: str) -> str:
    """The paragraphs of a Markdown text, a blank line between two, each one line. Plain text stays as it is."""
    for _ in range(ROUNDS):
        if not MARKS.search(text):
            break
        text = "\n\n".join(_blocks(PARSER.parse(text)))
    parts = (" ".join(LEFT.sub(" ", part).split()) for part in PARAGRAPHS.split(text))
    return "\n\n".join(filter(None, (BULLET.sub("", part) for part in parts)))


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """What stands in each block; the cells of a row are one."""
    row: list[str] | None = None
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield " ".join(row or ())
            row = None
        elif token.type == "inline":
            text = " ".join(_inline(token.children or ()).split())
            if row is None:
                yield text
            else:
                row.append(text)
        elif token.type in ("fence", "code_block"):
            yield " ".join(token.content.split())
        elif token.type == "html_block":
            yield " ".join(_Text.of(token.content).split())


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak", "html_inline"):
            parts.append(" ")
        elif token.type == "image":
            parts.append(_inline(token.children or ()))
        else:
            parts.append(token.content)
    return "".join(parts)


class _Text(HTMLParser):
    """The text between tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    @classmethod
    def of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        parser.close()
        return " ".join(parser.found)
