"""One statement of a manifest, and the text that shows it."""

import re
from collections.abc import Iterator
from typing import NamedTuple, Self

LONGEST_LINE = 200


class Stated(NamedTuple):
    """A dependency, base image or language version: its ecosystem is a section of technologies.toml."""

    ecosystem: str
    name: str
    version: str | None
    line: str

    @classmethod
    def at(cls, text: str, pattern: str, start: int, ecosystem: str, name: str, version: str | None) -> Iterator[Self]:
        """The statement whose text is the pattern's first match from `start` on; nothing where it cannot be shown."""
        if match := re.compile(pattern).search(text, start):
            yield cls(ecosystem, name, version, excerpt(text, *match.span()))


def excerpt(text: str, start: int, end: int) -> str:
    """The whole line around text[start:end], or that part alone when the line is too long to read (minified files)."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    line = text[first : len(text) if last < 0 else last].strip()
    return line if len(line) <= LONGEST_LINE else text[start:end].strip()
