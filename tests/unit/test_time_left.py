"""The time left of a job of items, told from its own pace: within a quarter of the truth on a steady load.

A clock that is set by hand takes the place of hours; the ledger's own `now()` cannot be set, so its row is kept here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities import portions
from activities.portions import Do, Pace, Portions
from domain.job import Items, Progress
from domain.portions import Again, Portion
from ledger.items import Item, Settled

TOTAL, AT_ONCE = 400, 10
BEGAN = datetime(2026, 6, 14, tzinfo=UTC)


class Row:
    """What `JobItems` keeps, by a clock of its own."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.items = Items(total=TOTAL)
        self.looks: list[tuple[float, float]] = []

    def monotonic(self) -> float:
        return self.seconds

    def pass_to(self, seconds: float) -> None:
        """Let time pass, and look on the way at how much is told to be left."""
        self.seconds = max(self.seconds, seconds)
        now = BEGAN + timedelta(seconds=self.seconds)
        eta = Progress.of(["running"], self.items).by(now).eta_seconds
        if eta is not None and self.items.done >= TOTAL / 10 and self.items.left > TOTAL / 5:
            self.looks.append((self.seconds, eta))

    async def pending(self, _: UUID, limit: int) -> list[Item]:
        return [Item(position, None) for position in range(self.items.done + 1, TOTAL + 1)][:limit]

    async def settle(self, _: UUID, ended: Sequence[Settled], *, pace: float | None = None) -> None:
        at = BEGAN + timedelta(seconds=self.seconds)
        self.items = self.items.model_copy(update={"done": self.items.done + len(ended), "pace": pace, "at": at})

    async def portion(self, _: UUID) -> Portion:
        return Portion(items=self.items, left=self.items.left > 0)


@pytest.mark.parametrize("pause", [0.0, 2.0])
async def test_the_time_left_is_told_within_a_quarter(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    """Calls of five to seven seconds, a first batch that takes four times as long, and a pause or none. Of the last
    fifth a single batch is too large a part."""
    row, drawn = Row(), Random(7)
    monkeypatch.setattr(portions, "time", SimpleNamespace(monotonic=row.monotonic))
    # by the real clock, in which hours pass here
    monkeypatch.setattr(portions, "APART", 0.0)

    async def prepare(batch: Sequence[Item]) -> Do:
        first = batch[0].position

        async def do(one: Item) -> Settled:
            for _ in range(5 * (one.position - first + 1)):
                await asyncio.sleep(0)
            if one.position == first:
                began.append(row.seconds)
            slow = 4 if first == 1 else 1
            row.pass_to(began[-1] + slow * drawn.uniform(5, 7))
            return Settled(one.position, "done")

        return do

    began: list[float] = []
    work: Any = Portions(row)  # pyright: ignore[reportArgumentType]
    engine = ActivityEnvironment()
    engine.info = replace(engine.info, workflow_id=str(uuid4()))
    again = Again(attempts=1, first_wait=0, factor=1, longest_wait=0)
    while row.items.left:
        await engine.run(work.do, Pace(AT_ONCE, pause), again, prepare)
        row.pass_to(row.seconds + pause)
    wrong = [abs(eta - (row.seconds - at)) / (row.seconds - at) for at, eta in row.looks]
    assert len(wrong) > 100
    assert max(wrong) < 0.25
