"""`.env.example` names every variable there is, with its default."""

import re
from dataclasses import replace
from pathlib import Path

from settings import VARIABLES, Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
SHOWN = dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
OURS = {name: value for name, value in SHOWN.items() if not name.startswith("TEMPORAL_")}


def test_every_variable_is_shown_and_no_other() -> None:
    assert set(OURS) == set(VARIABLES.values())


def test_what_is_shown_is_the_default() -> None:
    default = Settings()
    assert Settings.from_env(OURS) == replace(default, cache=default.cache.expanduser())


def test_nothing_is_set_by_copying_it() -> None:
    assert [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")] == []
