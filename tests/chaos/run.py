"""One group of sequences from the first step to the verdict."""

import time
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos import checks
from tests.chaos.agreement import disagreements
from tests.chaos.outside import World
from tests.chaos.plan import Step, together
from tests.chaos.play import Player
from tests.support.house import House

QUIET_SECONDS = 90.0
# What the engine lists is a moment old.
LISTED_SECONDS = 30.0


@dataclass
class Verdict:
    """What came of a group; `wrong` is empty when everything held."""

    sequences: range
    steps: list[Step]
    seconds: float = 0.0
    jobs: Counter[str] = field(default_factory=Counter[str])
    crashes: Counter[str] = field(default_factory=Counter[str])
    mended: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list[str])


def run(house: House, world: World, seed: int, sequences: range) -> Verdict:
    """Play, settle, reconcile once, wait until nothing moves, look."""
    began, calls = time.monotonic(), sum(map(len, world.calls.values()))
    steps = together(seed, sequences)
    verdict = Verdict(sequences, steps)
    player = Player(house, world, f"chaos-{seed}-{sequences.start}")
    try:
        player.play(steps)
        player.settle(sequences)
        verdict.mended = player.reconcile()["mended"]
        verdict.wrong = _look(house, world, player)
    finally:
        player.close()
    verdict.jobs = Counter(row["status"] for row in checks.jobs_of(house, player.notes))
    verdict.crashes = Counter(crash.part for crash in player.notes.crashes)
    verdict.calls = sum(map(len, world.calls.values())) - calls
    verdict.seconds = time.monotonic() - began
    return verdict


def _look(house: House, world: World, player: Player) -> list[str]:
    notes, deadline = player.notes, time.monotonic() + QUIET_SECONDS
    while (moving := checks.moving(house, notes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    stuck = [f"{row['id']}: still {row['status']} after {QUIET_SECONDS:.0f} s: {row['events']}" for row in moving]
    deadline = time.monotonic() + LISTED_SECONDS
    while (differ := disagreements(house, checks.jobs_of(house, notes), notes.touched)) and time.monotonic() < deadline:
        time.sleep(0.2)
    again = player.reconcile()
    mended = [f"a second reconciliation mended: {again}"] if again["mended"] else []
    return [*notes.wrong, *stuck, *differ, *mended, *checks.broken(house, world, notes)]
