"""A few random sequences on real processes; `make chaos` plays hundreds."""

from pathlib import Path

from tests.chaos.ground import ground
from tests.chaos.run import run

SEED, SEQUENCES = 19, 6


def test_ledger_and_engine_agree_whatever_happens(tmp_path: Path) -> None:
    with ground(tmp_path) as (house, world):
        verdict = run(house, world, SEED, range(SEQUENCES))
    assert verdict.wrong == []
    assert verdict.jobs["completed"]
    assert {"worker", "engine"} <= set(verdict.crashes)
