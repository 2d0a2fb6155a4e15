"""Nothing stays canceling: what does not obey its cancel is terminated, what has nobody to obey is ended."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EngineUnavailable, LedgerUnavailable
from domain.job import Failure, Outcome, Status
from engine.beside import beside
from engine.history import ended
from engine.start import RPC

if TYPE_CHECKING:
    from ledger.cancels import Cancels, Overdue
    from ledger.jobs import Jobs

log = structlog.get_logger()
TICK = 1.0
AWAY = 5.0
ORPHANED = "the job that it was part of has ended"


class Grace:
    """Runs where the dispatcher runs, in as many processes as there are: every act may be repeated.

    A crash between an act on the engine and the ledger's word of it leaves the row due.
    """

    def __init__(self, client: Client, cancels: "Cancels", jobs: "Jobs", *, seconds: float = 30.0) -> None:
        """`seconds` from the cancel that the engine took until the job is terminated."""
        self._client, self._cancels, self._jobs = client, cancels, jobs
        self._grace = timedelta(seconds=seconds)

    def running(self) -> AbstractAsyncContextManager[None]:
        return beside(self._run())

    async def _run(self) -> None:
        while True:
            pause = TICK
            try:
                await self.turn()
            except (LedgerUnavailable, EngineUnavailable):
                pause = AWAY
            except Exception:
                log.exception("a turn of the grace failed")
                pause = AWAY
            await asyncio.sleep(pause)

    async def turn(self) -> None:
        """Look once. Raises EngineUnavailable, LedgerUnavailable."""
        if abandoned := await self._cancels.abandoned():
            await self._jobs.cancel_many(abandoned, reason=ORPHANED, by="longrun")
        for due in await self._cancels.overdue(self._grace):
            try:
                await (self._terminate(due) if due.over else self._look(due))
            except (LedgerUnavailable, EngineUnavailable):
                raise
            except Exception:
                # one job that cannot be ended must not keep the others from it
                log.exception("a cancel could not be carried out", jobId=str(due.id))

    async def _terminate(self, due: "Overdue") -> None:
        """The job and all that runs inside it: its cancel was theirs."""
        why = f"the job did not end within {self._grace.total_seconds():g} s of its cancel and was terminated"
        for job_id in [due.id, *await self._cancels.inside(due.id)]:
            await self._kill(job_id, why)
            outcome = await ended(self._client, job_id)
            if outcome is None:
                continue  # a run that began meanwhile: it stays due
            if _code(outcome) == "terminated":
                outcome = outcome.model_copy(update={"error": Failure(code="terminated", message=why)})
            elif _code(outcome) == "engine_lost":
                outcome = Outcome(job_id=job_id, status=Status.CANCELED)
            await self._jobs.finish(outcome, canceled_by=due.by)
            log.warning("a job did not obey its cancel", jobId=str(job_id), status=outcome.status)

    async def _kill(self, job_id: UUID, why: str) -> None:
        try:
            await self._client.get_workflow_handle(str(job_id)).terminate(reason=why, rpc_timeout=RPC)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # not found: it has ended already, or was never there
                raise EngineUnavailable("the engine does not answer") from error
        except RuntimeError as error:  # the lazy connection could not be made
            raise EngineUnavailable("the engine does not answer") from error

    async def _look(self, due: "Overdue") -> None:
        """What runs has its grace, or is yet to be told by the dispatcher; the rest has nobody to obey."""
        outcome = await ended(self._client, due.id)
        if outcome is None or (_code(outcome) == "engine_lost" and due.open_parent):
            return  # it runs, or its parent may be about to start it
        if _code(outcome) == "engine_lost":
            outcome = Outcome(job_id=due.id, status=Status.CANCELED)
        await self._jobs.finish(outcome, canceled_by=due.by)


def _code(outcome: Outcome) -> str | None:
    return outcome.error.code if outcome.error else None
