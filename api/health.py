"""Whether this process lives, and whether it can do its work."""

import asyncio
import time
from typing import Literal

from fastapi import APIRouter, Response
from temporalio.client import Client

from api.dependencies import Given
from api.wire import reply
from domain.errors import EngineUnavailable, LedgerUnavailable
from domain.model import Model
from engine.polling import pollers
from ledger.migrate import pending

router = APIRouter(tags=["health"])
ENGINE_LIMIT_SECONDS = 1.0
FRESH_SECONDS = 1.0


class Alive(Model):
    status: Literal["alive"] = "alive"


class Ready(Model):
    """`ledger` is `outdated` while migrations are missing. An engine that is down is no reason to refuse requests."""

    ledger: Literal["up", "down", "outdated"]
    engine: Literal["up", "down"]
    workers: int


class Readiness:
    """Asks ledger and engine at most once a second, whoever wants to know."""

    def __init__(self, dsn: str, schema: str, engine: Client) -> None:
        self._dsn, self._schema, self._engine = dsn, schema, engine
        self._lock = asyncio.Lock()
        self._known: tuple[float, Ready] | None = None

    async def check(self) -> Ready:
        async with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > FRESH_SECONDS:
                ledger, workers = await asyncio.gather(self._ledger(), self._workers())
                ready = Ready(ledger=ledger, engine="down" if workers is None else "up", workers=workers or 0)
                self._known = (time.monotonic(), ready)
            return self._known[1]

    async def _ledger(self) -> Literal["up", "down", "outdated"]:
        try:
            return "outdated" if await pending(self._dsn, self._schema) else "up"
        except LedgerUnavailable:
            return "down"

    async def _workers(self) -> int | None:
        """How many processes have lately asked for workflow tasks; None when the engine does not answer."""
        try:
            async with asyncio.timeout(ENGINE_LIMIT_SECONDS):
                return len(await pollers(self._engine))
        except (EngineUnavailable, TimeoutError):
            return None


@router.get("/livez", response_model=Alive)
async def livez() -> Response:
    """The process answers."""
    return reply(Alive())


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
async def readyz(given: Given) -> Response:
    """200 when the ledger answers and has the right schema. `workers` counts worker processes that ask for work."""
    ready = await given.readiness.check()
    return reply(ready) if ready.ledger == "up" else reply(ready, 503, Retry_After="1")
