"""Headings of a text that only shows them: short lines in larger letters than the rest."""

from collections import Counter
from itertools import groupby
from typing import NamedTuple

LARGER = 1.12
LONGEST = 160
MAX_LINES = 3
# Where more lines than this stand out, none does.
RARE = 0.25
LEVELS = 6


class Line(NamedTuple):
    """A line of text, where it begins, and the height of its letters in points (0: not known).

    Where known: how far it stands from the page's lower edge, and (left, right) of its parts that are far apart.
    """

    text: str
    offset: int
    height: float
    bottom: float = 0.0
    cells: tuple[tuple[float, float], ...] = ()


def headings_of(lines: list[Line]) -> list[tuple[int, int, str]]:
    """(offset, level, title) of each heading in the order of `lines`; the largest letters are level 1.

    Neighbouring lines of one height are one title.
    """
    letters = Counter[float]()
    for line in lines:
        letters[_rounded(line.height)] += len(line.text)
    if not letters:
        return []
    body = letters.most_common(1)[0][0]
    groups = [
        (height, list(group))
        for height, group in groupby((line for line in lines if line.text.strip()), lambda line: _rounded(line.height))
    ]
    found = [(height, group) for height, group in groups if body and height >= body * LARGER and _is_title(group)]
    if not found or sum(len(group) for _, group in found) > RARE * sum(len(group) for _, group in groups):
        return []
    sizes = sorted({height for height, _ in found}, reverse=True)
    return [
        (group[0].offset, min(sizes.index(height) + 1, LEVELS), " ".join(line.text.strip() for line in group))
        for height, group in found
    ]


def _rounded(height: float) -> float:
    """To half a point: the letters of one font differ by rounding."""
    return round(height * 2) / 2


def _is_title(group: list[Line]) -> bool:
    text = " ".join(line.text for line in group)
    return len(group) <= MAX_LINES and len(text) <= LONGEST and any(map(str.isalpha, text))
