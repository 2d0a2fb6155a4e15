"""What the ledger wants told goes to the engine: one execution a delivery, started or reminded."""

import asyncio
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog
from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from domain.errors import LedgerUnavailable
from engine.beside import beside
from engine.start import QUEUE, RPC
from ledger.deliveries import TOPIC
from ledger.events import wait

if TYPE_CHECKING:
    from ledger.deliveries import Claim, Deliveries
    from ledger.events import Notices

log = structlog.get_logger()
TICK = 1.0
BURST = 50
AT_ONCE = 8
ENGINE_PAUSE = 1.0


class Outbox:
    """Runs in every worker process: claims are skipped by the others. A delivery that two of them take is one still,
    for its execution's id is made of its own."""

    def __init__(self, client: Client, deliveries: "Deliveries", notices: "Notices") -> None:
        self._client, self._deliveries, self._notices = client, deliveries, notices
        self._slots = asyncio.Semaphore(AT_ONCE)

    def running(self) -> AbstractAsyncContextManager[None]:
        return beside(self._run())

    async def _run(self) -> None:
        async with self._notices.of(TOPIC) as work:
            while True:
                busy = False
                try:
                    busy = await self.turn()
                except LedgerUnavailable:
                    await asyncio.sleep(ENGINE_PAUSE)
                except Exception:
                    # a claim runs out, and the delivery is tried again
                    log.exception("a turn of the outbox failed")
                if not busy:
                    await wait(work, TICK)

    async def turn(self) -> bool:
        """Claim and hand over once; True if there may be more."""
        claims = await self._deliveries.claim(BURST)
        if not claims:
            return False
        outcomes = await asyncio.gather(*(self._hand(claim) for claim in claims))
        handed = [claim for claim, ok in zip(claims, outcomes, strict=True) if ok]
        refused = [claim for claim, ok in zip(claims, outcomes, strict=True) if not ok]
        if handed:
            await self._deliveries.handed(handed)
        if refused:
            await self._deliveries.handed(refused, again=ENGINE_PAUSE)
            log.warning("the engine does not take deliveries", waiting=len(refused))
        return len(claims) == BURST and not refused

    async def _hand(self, claim: "Claim") -> bool:
        """Start the execution, or wake it where it sleeps: a resend is not to wait for the back-off."""
        async with self._slots:
            try:
                await self._client.start_workflow(
                    f"deliver-{claim.channel}",
                    claim.id,
                    id=f"{claim.channel}-{claim.id}",
                    task_queue=QUEUE,
                    start_signal="look",
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    static_summary=f"Tell {claim.event}",
                    priority=Priority(fairness_key=sha256(claim.receiver.bytes).hexdigest()[:16]),
                    rpc_timeout=RPC,
                )
            except (RPCError, RuntimeError):  # RuntimeError: the lazy connection could not be made
                return False
            return True
