"""Words by which the offline judge knows what an answer shows (cues.toml)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@cache
def cues() -> Mapping[str, Sequence[re.Pattern[str]]]:
    """By name, one pattern for each line of its list; a line without bars is a list of beginnings of words."""
    told = tomllib.loads(files("domain.interviews").joinpath("cues.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: tuple(_patterns(text)) for name, text in told.items()})


def _patterns(text: str) -> Sequence[re.Pattern[str]]:
    lines = text.strip().splitlines()
    if not any("|" in line for line in lines):
        return [_pattern(text.split())]
    return [_pattern(line.split("|")) for line in lines]


def _pattern(stems: Sequence[str]) -> re.Pattern[str]:
    """Each match is the whole word in which a stem begins; `=` asks for no more than the stem."""
    one_of = "|".join(re.escape(stem.rstrip("=")) + (r"(?!\w)" if stem.endswith("=") else r"\w*") for stem in stems)
    return re.compile(rf"(?<![\w-])(?:{one_of})", re.IGNORECASE)
