"""Outbox and admission in one small loop: what the ledger admits is started, what it wants canceled is told."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from pydantic import ValidationError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import LedgerUnavailable
from domain.job import Outcome, Status
from engine.beside import beside
from engine.start import RPC, start
from ledger.events import wait

if TYPE_CHECKING:
    from ledger.dispatch import Dispatch
    from ledger.events import Notices
    from ledger.jobs import Jobs
    from ledger.rows import Claimed

log = structlog.get_logger()
TICK = 0.25
REST = 0.05
BURST = 20
AT_ONCE = 8
ENGINE_PAUSE = 1.0


class Dispatcher:
    """Runs in API and worker processes; the ledger's advisory lock lets one at a time admit."""

    def __init__(
        self, client: Client, dispatch: "Dispatch", jobs: "Jobs", notices: "Notices", *, standby: bool = False
    ) -> None:
        """On `standby` notices are left to the others: it looks only now and then (the API has callers to answer)."""
        self._client, self._dispatch, self._jobs, self._notices = client, dispatch, jobs, notices
        self._standby = standby
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._found = False

    def running(self) -> AbstractAsyncContextManager[None]:
        return beside(self._run())

    async def _run(self) -> None:
        async with self._notices.of() as work:
            while True:
                try:
                    busy = await self.turn()
                except LedgerUnavailable:
                    busy = False
                    await asyncio.sleep(ENGINE_PAUSE)
                except Exception:
                    # one bad row must not stop everybody's jobs; its claim runs out and it is tried again
                    log.exception("a dispatcher turn failed")
                    busy = False
                if self._standby:
                    await asyncio.sleep(TICK)
                elif not busy:
                    # a notice after a quiet time is followed at once, those of a burst together
                    rested = asyncio.get_running_loop().time() + REST
                    # who commits while others wait sends no notice: what came during a turn is found by the next one
                    await wait(work, REST if self._found else TICK)
                    await asyncio.sleep(rested - asyncio.get_running_loop().time())

    async def turn(self) -> bool:
        """Claim and carry out once; True if there may be more to do at once."""
        todo = await self._dispatch.claim(BURST)
        self._found = bool(todo.starts)
        fresh = [row for row in todo.starts if not row.cancel_requested]
        unsure = [row.id for row in todo.starts if row.cancel_requested]
        await self._start(fresh)
        await self._cancel_all([*unsure, *todo.cancels])
        return todo.more

    async def _start(self, rows: "Sequence[Claimed]") -> None:
        if not rows:
            return
        outcomes = await asyncio.gather(*(self._start_one(row) for row in rows))
        if started := [row.id for row, ok in zip(rows, outcomes, strict=True) if ok]:
            await self._cancel_all(await self._dispatch.started(started))
        if failed := [row.id for row, ok in zip(rows, outcomes, strict=True) if not ok]:
            await self._dispatch.later(failed, ENGINE_PAUSE)
            log.warning("the engine does not take jobs", waiting=len(failed))

    async def _start_one(self, row: "Claimed") -> bool:
        async with self._slots:
            try:
                await start(self._client, row)
            except (RPCError, RuntimeError):  # RuntimeError: the lazy connection could not be made
                return False
            except ValidationError:
                # a row that no workflow can be handed must not keep the others of its turn from being marked
                log.exception("a job cannot be started", jobId=str(row.id))
                return False
            return True

    async def _cancel_all(self, job_ids: Sequence[UUID]) -> None:
        async def one(job_id: UUID) -> None:
            async with self._slots:
                await self._cancel(job_id)

        await asyncio.gather(*(one(job_id) for job_id in job_ids))

    async def _cancel(self, job_id: UUID) -> None:
        """Carry a cancel to the engine. What never was there is ended here, what is gone by the reconciler."""
        try:
            await self._client.get_workflow_handle(str(job_id)).cancel(rpc_timeout=RPC)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                await self._dispatch.later([job_id], ENGINE_PAUSE)
                return
            row = await self._jobs.get(job_id)
            if row is None or row.status.terminal:
                return
            if row.engine_started_at is None:
                await self._jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED))
            else:  # its parent may be about to start it; if it is lost, the reconciler ends it
                await self._dispatch.later([job_id], ENGINE_PAUSE)
            return
        except RuntimeError:
            await self._dispatch.later([job_id], ENGINE_PAUSE)
            return
        await self._dispatch.cancel_sent(job_id)
