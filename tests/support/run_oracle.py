"""Judges texts about runs by other means than the product does: every digit must be a figure's, and no mark be left."""

import re
from collections.abc import Iterator, Mapping

from markdown_it import MarkdownIt

from domain.running.figures import Fact

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak"}
NUMBER = re.compile(r"\d+(?::\d{2})+|\d+(?:,\d{3})*(?:\.\d+)?")
HEART = re.compile(r"heart|\bbpm\b|pulse|\bHR\b|beats|cardi|aerobic|\bzones?\b|TRIMP", re.IGNORECASE)
# metres, seconds and seconds a kilometre as they may be printed
SCALES = (1, 1000, 60, 3600, 1609.344, 1 / 1.609344, 1 / 3.6)


def untraced(text: str, facts: Mapping[str, Fact]) -> list[str]:
    """The numbers of the text that are no figure's, whatever their unit."""
    values = [abs(fact.value) for fact in facts.values()]
    return [number for number in NUMBER.findall(text) if not any(number in _printed(value, number) for value in values)]


def _printed(value: float, number: str) -> Iterator[str]:
    """How the value may be printed with as many places as the number has."""
    if ":" in number:
        whole = round(value)
        hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
        yield f"{hours}:{minutes:02}:{seconds:02}"
        yield f"{whole // 60}:{seconds:02}"
        return
    places = len(number.partition(".")[2])
    for scale in SCALES:
        yield f"{value / scale:.{places}f}"
        yield f"{value / scale:,.{places}f}"


def marks(text: str) -> list[str]:
    """What a Markdown parser takes for more than paragraphs, and marks that it takes for text."""
    kinds = {token.type for block in PARSER.parse(text) for token in (block, *(block.children or ()))}
    return sorted(kinds - PLAIN) + re.findall(r"[*_`#~|<>\[\]]|^\s*[-•] ", text, re.MULTILINE)
