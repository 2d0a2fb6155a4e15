"""Figures as a model is shown them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from domain.running.contents import RunSheet
from domain.running.figures import Fact
from domain.running.letters import words_of
from domain.running.shown import DIFFERENCE, shown, towards
from domain.text import plain

# How the halves compare is said in a word, that nobody has to work it out.
PACING = {
    "negative_split": "the second half was faster, a negative split",
    "even": "both halves were run at about the same pace",
    "positive_split": "the second half was slower",
}
# Facts that are there for who checks a text: the date is in the heading, lengths and windows are in names.
HIDDEN = re.compile(r"_(?:year|month|day)$|^(?:length|window)_(?!since)")
DAYS = re.compile(r"_(\d+)d\b")


def heading(sheet: RunSheet) -> str:
    """Which run it is, in words."""
    moment, words = sheet.started_at, words_of(sheet)
    when = f"{words['weekday']} {moment.day} {words['month']} {moment.year}, {words['part']}"
    name = f', called "{sheet.title}"' if sheet.title else ""
    pacing = f"\nPacing: {PACING[sheet.pacing]}" if sheet.pacing else ""
    return f"{words['noun'].capitalize()}{name}\nWhen: {when}{pacing}"


def brief(about: str, facts: Mapping[str, Fact], notes: Iterable[str] = ()) -> str:
    """The prompt: what it is about, then a line a figure. Nobody else's words can close the blocks they stand in."""
    lines = "\n".join(_lines(facts)) or "- none"
    # digits of a note are no figures
    said = "".join(f"\n- {inert(note)}" for note in notes if not any(sign.isdigit() for sign in note))
    return f"{inert_lines(about)}\n\n<figures>\n{lines}\n</figures>" + (f"\n\nTo be known:{said}" if said else "")


def inert(text: str) -> str:
    """On one line, and no tag."""
    return plain(text).replace("<", "‹").replace(">", "›")


def inert_lines(text: str) -> str:
    return "\n".join(map(inert, text.splitlines()))


def _lines(facts: Mapping[str, Fact]) -> Iterator[str]:
    for name, fact in facts.items():
        words, points = _words(name)
        if words:
            way = f" {towards(name, fact)}" if points else ""
            guessed = " (rests on an assumption)" if fact.quality == "poor" else ""
            yield f"- {words}: {shown(name, fact)}{way}{guessed}"


@lru_cache(1000)
def _words(name: str) -> tuple[str | None, bool]:
    """What a figure is called, None where it is not shown; and whether it points somewhere."""
    words = None if HIDDEN.search(name) else DAYS.sub(r" of the \1 days before", name).replace("_", " ")
    return words, bool(DIFFERENCE.search(name))
