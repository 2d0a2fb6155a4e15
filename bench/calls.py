"""The two calls of a run in a bare loop over the real SDK: `python -m bench.calls --url … --runs 500 --at-once 10`.

Prints the seconds that a run took.
"""

import asyncio
import time
from typing import Annotated, Any

import typer

from providers.model_turn import Vendor

SCHEMA: dict[str, Any] = {"properties": {"text": {"type": "string"}}, "required": ["text"], "type": "object"}
INSTRUCTIONS, FIGURE = (
    "Write about the run, from its figures alone. " * 40,
    "- pace of the fastest kilometre: 5:12/km\n",
)
WARM = 50


async def _loop(url: str, runs: int, at_once: int) -> float:
    vendor = Vendor("anthropic", "claude-haiku-5-5", key="k", base_url=url, timeout=60.0)

    async def one() -> None:
        letter, insight = FIGURE * 20, FIGURE * 45
        await asyncio.gather(*(vendor.turn(INSTRUCTIONS, prompt, SCHEMA, 2000) for prompt in (letter, insight)))

    async def several(count: int) -> None:
        for at in range(0, count, at_once):
            await asyncio.gather(*(one() for _ in range(min(at_once, count - at))))

    await several(WARM)
    began = time.perf_counter()
    await several(runs)
    seconds = (time.perf_counter() - began) / runs
    await vendor.close()
    return seconds


def main(
    url: Annotated[str, typer.Option()],
    runs: Annotated[int, typer.Option()] = 500,
    at_once: Annotated[int, typer.Option()] = 10,
) -> None:
    """Ask, batch by batch."""
    print(asyncio.run(_loop(url, runs, at_once)))


if __name__ == "__main__":
    typer.run(main)
