"""Longrun's worker, as it is, but that its model answers at once in the process itself: `python -m bench.instant`."""

import os
from decimal import Decimal
from typing import Any

import worker
from bench.vendor import WORDS
from domain.usage import Usage
from providers.models import Models
from settings import Settings

TURN_USAGE = Usage(input_tokens=400, output_tokens=60)


class _Turn:
    """What `providers.model_turn.Turn` is."""

    text = f'{{"text": "{WORDS}"}}'
    usage = TURN_USAGE
    cost_usd = Decimal("0.0007")
    problem = None
    uses = ()


class _Vendor:
    """What `providers.model_turn.Vendor` is, without a vendor behind it."""

    name, model = "anthropic", "claude-haiku-5-5"

    async def turn(self, *_: Any) -> _Turn:
        return _Turn()

    def price(self, _: Usage) -> Decimal:
        return _Turn.cost_usd

    async def close(self) -> None:
        return None


class Instant(Models):
    """The real one up to the call itself: till, budget and limits are asked as ever."""

    def _vendor(self, model: str | None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Vendor()


if __name__ == "__main__":
    worker.Models = Instant
    raise SystemExit(worker.main(Settings.from_env(os.environ)))
