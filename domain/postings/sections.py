"""A posting's Markdown by its headings and labels: what stands where, and what of it are duties, demands, benefits."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Part = Literal["responsibilities", "requirements", "preferred", "benefits", "skills"]
# The first that fits a heading says what stands below it; headings below that one inherit it.
HEADINGS: tuple[tuple[Part, str], ...] = (
    ("preferred", r"\b(?:nice[- ]to[- ]have|preferred|bonus points|desired|desirable|a plus|pluses)\b"),
    ("benefits", r"\b(?:benefits|perks|what we offer|we offer|in it for you|wir bieten)\b"),
    ("skills", r"\b(?:skills|tech(?:nology)? stack|technologies|tools)\b"),
    (
        "requirements",
        r"\b(?:requirements?|qualifications?|what you(?:'|’)?(?:ll)? (?:bring|need|have)|who you are|must[- ]haves?|"
        r"your profile|about you|specialized experience|dein profil|ihr profil|we(?:'|’)re looking for)\b",
    ),
    (
        "responsibilities",
        r"\b(?:responsibilit\w+|duties|key objectives?|what you(?:'|’)?(?:ll| will) (?:do|work on|own)|your (?:role|"
        r"tasks|mission)|day[- ]to[- ]day|deine aufgaben|ihre aufgaben|aufgaben)\b",
    ),
)
# Headings that end what was said before them.
OTHERS = (
    r"\b(?:how to apply|about (?:us|the company)|company|application|equal opportunity|evaluation|who may apply|"
    r"basic information|job summary|role summary|salary|location|hiring process)\b"
)
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$|^\*\*([^*\n]{3,80}?):?\*\*:?$")
LABEL = re.compile(r"^(?:[-*]\s+)?(?:\*\*|__)?([A-Za-z][A-Za-z /()-]{1,38}?)(?:\*\*|__)?\s*:\s*(?:\*\*|__)?\s*(.*)$")
BULLET = re.compile(r"^\s*(?:[-*+•–]|\d{1,2}[.)])\s+(.*)$")
LONGEST_ITEM, MOST_ITEMS = 600, 60


@dataclass(frozen=True)
class Label:
    """`Name: value`; the value may stand on the lines below its label."""

    name: str
    value: str
    quote: str


@dataclass
class Section:
    """A heading with the lines up to the next one; `level` 7 is a bold line."""

    heading: str
    level: int
    lines: list[str] = field(default_factory=list[str])

    @property
    def items(self) -> list[str]:
        """Its bullets, each with the lines that go on under it; without bullets nothing."""
        found: list[str] = []
        for line in self.lines:
            if bullet := BULLET.match(line):
                found.append(bullet[1])
            elif found and line.startswith((" ", "\t")) and line.strip():
                found[-1] += f" {line.strip()}"
        return [" ".join(one.split()).rstrip(";") for one in found if 2 < len(one) <= LONGEST_ITEM]


def sections_of(markdown: str) -> list[Section]:
    """In their order; what stands before the first heading has none."""
    found = [Section("", 0)]
    for line in markdown.splitlines():
        if heading := HEADING.match(line.strip()):
            level = len(heading[1]) if heading[1] else 7
            found.append(Section(plain(heading[2] or heading[3] or ""), level))
        else:
            found[-1].lines.append(line)
    return found


def parts_of(sections: Sequence[Section]) -> dict[Part, tuple[str, ...]]:
    """The bullets of duties, demands, benefits and skills, each in its order and once."""
    found: dict[Part, list[str]] = {}
    above: list[tuple[int, Part | None]] = []
    for section in sections:
        above = [one for one in above if one[0] < section.level]
        said = _said(section.heading)
        part = said if said or re.search(OTHERS, section.heading, re.IGNORECASE) else (above[-1][1] if above else None)
        above.append((section.level, part))
        if part:
            found.setdefault(part, []).extend(section.items)
    return {part: tuple(dict.fromkeys(items))[:MOST_ITEMS] for part, items in found.items()}


def labels_in(markdown: str) -> Iterator[Label]:
    """Every `Name: value` on a line of its own, and every `Name:` with its value on the next line."""
    lines = [line.strip() for line in markdown.splitlines()]
    for at, line in enumerate(lines):
        found = LABEL.match(line)
        if not found:
            continue
        value = plain(found[2])
        if not value:
            value = next((plain(below) for below in lines[at + 1 : at + 3] if below), "")
            if LABEL.match(value) or HEADING.match(value):
                continue
        if value:
            yield Label(plain(found[1]).lower(), value, value)


def plain(line: str) -> str:
    """A line without the marks of Markdown."""
    bare = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return " ".join(re.sub(r"\*\*|__|`", "", bare).split()).strip(" #")


def _said(heading: str) -> Part | None:
    return next((part for part, pattern in HEADINGS if re.search(pattern, heading, re.IGNORECASE)), None)
