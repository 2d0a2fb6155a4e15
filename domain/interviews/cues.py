"""Words by which the offline judge knows what an answer shows (cues.toml)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")


class Stems:
    """A list of beginnings of words; `=` behind one asks for the whole word."""

    def __init__(self, text: str) -> None:
        listed = text.split()
        self._whole = frozenset(stem[:-1] for stem in listed if stem.endswith("="))
        self._stems = frozenset(stem for stem in listed if not stem.endswith("="))
        self._lengths = sorted({len(stem) for stem in self._stems})

    def find(self, text: str) -> frozenset[str]:
        """The distinct ones that words of a text in lower case begin with: targets are what a target is."""
        found = (self._of(word) for word in WORD.findall(text))
        return frozenset(one for one in found if one)

    def _of(self, word: str) -> str | None:
        if word in self._whole:
            return word.removesuffix("s")
        return next((word[:length] for length in self._lengths if word[:length] in self._stems), None)


@cache
def stems(name: str) -> Stems:
    return Stems(_told()[name])


@cache
def phrases(name: str) -> Sequence[re.Pattern[str]]:
    """One pattern for each line of a list, its phrases parted by bars, for texts in lower case."""
    return tuple(_pattern(line.split("|")) for line in _told()[name].strip().splitlines())


@cache
def _told() -> Mapping[str, Any]:
    return MappingProxyType(tomllib.loads(files("domain.interviews").joinpath("cues.toml").read_text(encoding="utf-8")))


def _pattern(listed: Sequence[str]) -> re.Pattern[str]:
    """A match is a phrase up to the end of its last word; `=` asks that the phrase end there."""
    one_of = "|".join(re.escape(one.rstrip("=")) + (r"(?!\w)" if one.endswith("=") else r"\w*") for one in listed)
    return re.compile(rf"(?<![\w-])(?:{one_of})")
