"""Writes that come while one is under way go together in the next, and each is answered for itself."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.errors import LedgerUnavailable
from ledger import together as module
from ledger.together import Together


class Writer:
    """Doubles numbers, refuses 13, and notes what came together."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.wrote: list[list[int]] = []

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.wrote.append(list(numbers))
        await asyncio.sleep(0.001)
        if self.down:
            raise LedgerUnavailable(in_doubt=True)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


class ByHand:
    """asyncio with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> "ByHand":
        return self

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            await asyncio.sleep(0)


async def test_statements_that_are_kept_apart_take_what_comes_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, clock = Writer(), ByHand()
    monkeypatch.setattr(module, "asyncio", clock)
    together = Together(writer, apart=1.0)
    assert await together(1) == 2, "the first waits for nothing"
    rest: list[asyncio.Task[int]] = []
    for number in (2, 3, 4):
        rest.append(asyncio.create_task(together(number)))
        await asyncio.sleep(0.01)
    clock.now = 0.9
    await asyncio.sleep(0.01)
    assert writer.wrote == [[1]]
    clock.now = 1.0
    assert await asyncio.gather(*rest) == [4, 6, 8]
    assert writer.wrote == [[1], [2, 3, 4]]


async def test_those_that_come_meanwhile_go_together() -> None:
    writer = Writer()
    together = Together(writer, most=4)
    first = asyncio.create_task(together(1))
    while not writer.wrote:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(together(number)) for number in range(2, 8)]
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8, 10, 12, 14]
    assert writer.wrote == [[1], [2, 3, 4, 5], [6, 7]]
    assert await together(8) == 16


async def test_who_is_to_blame_hears_of_it_alone() -> None:
    together = Together(Writer())
    answers = await asyncio.gather(*[together(number) for number in (1, 13, 3)], return_exceptions=True)
    assert answers[::2] == [2, 6]
    assert isinstance(answers[1], ValueError)


async def test_a_ledger_that_is_down_is_everybodys() -> None:
    writer = Writer(down=True)
    answers = await asyncio.gather(*[Together(writer)(number) for number in (1, 2)], return_exceptions=True)
    assert all(isinstance(answer, LedgerUnavailable) and answer.in_doubt for answer in answers)


async def test_a_cancelled_callers_write_is_written() -> None:
    writer = Writer()
    together = Together(writer)
    task = asyncio.create_task(together(1))
    while not writer.wrote:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await together(2) == 4
    assert writer.wrote == [[1], [2]]
