"""Many small writes as one statement: those that come while one is under way go together in the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from domain.errors import LedgerUnavailable

A = TypeVar("A")
R = TypeVar("R")
MOST = 200
# seconds, for what nobody waits for who could do something else
APART = 0.01


class Together(Generic[A, R]):
    """`write` takes several and answers for each, in their order. Nobody waits longer than for one statement more.

    When the ledger refuses what was written together, each is written alone, and only who is to blame hears of it.
    """

    def __init__(
        self, write: Callable[[Sequence[A]], Awaitable[Sequence[R]]], *, most: int = MOST, apart: float = 0.0
    ) -> None:
        """`apart`: seconds from the beginning of one statement to the next one's, at least; the first goes at once."""
        self._write, self._most = write, most
        self._apart, self._next = apart, 0.0
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, one: A) -> R:
        """What `write` answers for this one. It is written even when the caller is cancelled meanwhile."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            if self._apart:
                await asyncio.sleep(self._next - clock())
                self._next = clock() + self._apart
            some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._written(some)
        self._writing = None

    async def _written(self, some: Sequence[tuple[A, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._write([one for one, _ in some])
        except LedgerUnavailable as error:
            for _, done in some:
                if not done.done():
                    done.set_exception(LedgerUnavailable(in_doubt=error.in_doubt))
        except Exception as error:  # noqa: BLE001  who waits for it raises it
            if len(some) == 1:
                [(_, done)] = some
                if not done.done():
                    done.set_exception(error)
            else:
                for each in some:
                    await self._written([each])
        else:
            for (_, done), answer in zip(some, answers, strict=True):
                if not done.done():
                    done.set_result(answer)
