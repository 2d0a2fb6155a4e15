"""Answers from outside go to the workflows that wait for them: from the ledger, until the engine has taken them."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import LedgerUnavailable
from domain.waiting import RESOLVED
from engine.beside import beside
from engine.start import RPC
from ledger.events import wait

if TYPE_CHECKING:
    from ledger.waitpoints import Waitpoints

log = structlog.get_logger()
TICK = 1.0
BURST = 20
ENGINE_PAUSE = 1.0
# an execution that is not there while its job is open: the reconciler will say what became of it
LOST_PAUSE = 30.0


class Courier:
    """Runs in API and worker processes. Signals carry no answer, so one that comes twice changes nothing."""

    def __init__(self, client: Client, waitpoints: "Waitpoints") -> None:
        self._client, self._waitpoints = client, waitpoints
        self._woken = asyncio.Event()

    def soon(self) -> None:
        """Something was answered in this process."""
        self._woken.set()

    def running(self) -> AbstractAsyncContextManager[None]:
        return beside(self._run())

    async def _run(self) -> None:
        while True:
            try:
                more = await self.turn()
            except LedgerUnavailable:
                more = False
            except Exception:
                # one bad row must not keep everybody's answers back; its claim runs out and it is tried again
                log.exception("answers could not be carried")
                more = False
            if not more:
                await wait(self._woken, TICK)

    async def turn(self) -> bool:
        """Carry what is due once; True if there may be more to do at once."""
        due = await self._waitpoints.to_tell(BURST)
        outcomes = await asyncio.gather(*(self._tell(job_id, waitpoint) for waitpoint, job_id in due))
        found = list(zip([waitpoint for waitpoint, _ in due], outcomes, strict=True))
        if told := [waitpoint for waitpoint, pause in found if pause is None]:
            await self._waitpoints.told(told)
        for pause in {pause for _, pause in found if pause is not None}:
            await self._waitpoints.tell_later([waitpoint for waitpoint, after in found if after == pause], pause)
            log.warning("answers wait for the engine", again_in_seconds=pause)
        return len(due) == BURST and bool(told)

    async def _tell(self, job_id: UUID, waitpoint: UUID) -> float | None:
        """None when the engine has it, else after how many seconds to try again."""
        handle = self._client.get_workflow_handle(str(job_id))
        try:
            await handle.signal(RESOLVED, waitpoint, rpc_timeout=RPC)
        except RPCError as error:
            return LOST_PAUSE if error.status == RPCStatusCode.NOT_FOUND else ENGINE_PAUSE
        except RuntimeError:  # the lazy connection could not be made
            return ENGINE_PAUSE
        return None
