"""What the offline twin makes its texts of: figures as people read them, and one of several ways to say a thing.

A phrase that needs a figure which is not there is no phrase. Which of several is chosen hangs on the run and on the
place in the text alone: the same run is told the same way each time.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping

from domain.running.figures import Fact
from domain.running.shown import shown, towards

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")


class Phrases:
    """`seed` is the run's id or whatever tells this text from others; `plain` are words by name, beside the facts."""

    def __init__(self, seed: str, facts: Mapping[str, Fact], plain: Mapping[str, str]) -> None:
        self._seed, self._facts, self._plain = seed, facts, plain

    def value(self, name: str) -> float | None:
        fact = self._facts.get(name)
        return fact.value if fact else None

    def word(self, name: str) -> str:
        return self._plain[name]

    def one_of(self, place: str, *templates: str) -> str:
        """One of the templates whose figures are all there, filled in; nothing if there is none.

        `{distance}` is a figure as people read it, `{pace_difference_28d:way}` faster or slower, `{Weekday}` a word
        with a capital.
        """
        fitting = [template for template in templates if all(map(self._there, PLACE.findall(template)))]
        if not fitting:
            return ""
        drawn = hashlib.sha256(f"{self._seed} {place}".encode()).digest()[0]
        return PLACE.sub(self._fill, fitting[drawn % len(fitting)])

    def _there(self, place: tuple[str, str]) -> bool:
        return place[0] in self._facts or place[0].lower() in self._plain

    def _fill(self, match: re.Match[str]) -> str:
        name, way = match.groups()
        if name in self._facts:
            fact = self._facts[name]
            return towards(name, fact) if way else shown(name, fact)
        word = self._plain[name.lower()]
        return word[:1].upper() + word[1:] if name[0].isupper() else word


def paragraphs(*parts: Iterable[str]) -> str:
    """Each part's sentences as a paragraph, a blank line between two; what says nothing is left out."""
    texts = (" ".join(filter(None, part)) for part in parts)
    return "\n\n".join(filter(None, texts))
