"""How a workflow waits for somebody outside: for a signal or the deadline, and then the ledger says what stands."""

from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.surely import surely

with workflow.unsafe.imports_passed_through():
    from activities.waiting import Waits
    from domain.waiting import OVERDUE, RESOLVED, Asked, Look, Resolution, Waiting


class Listener:
    """One a workflow. The signal only sends it to the ledger: an answer counts when it stands there."""

    def __init__(self) -> None:
        self._said: set[UUID] = set()

    async def answer_to(self, waiting: Waiting, step: str) -> Asked:
        """What was answered. Raises ApplicationError with the step, and the code of a refusal or `wait_timed_out`."""
        workflow.set_signal_handler(RESOLVED, self._hear)
        workflow.set_current_details(f"Waits for {waiting.about}")
        settled = Resolution(status="waiting")
        while settled.status == "waiting":
            overdue = not await self._heard(waiting)
            settled = await surely(Waits.settle_wait, Look(waitpoint=waiting.waitpoint, overdue=overdue))
        if settled.status == "completed":
            return Asked(output=settled.output)
        failure = settled.error or OVERDUE
        raise ApplicationError(failure.message, step, type=failure.code, non_retryable=True)

    async def _heard(self, waiting: Waiting) -> bool:
        """Whether something was said about the waitpoint before its time was over."""
        left = (waiting.until - workflow.now()).total_seconds()
        try:
            await workflow.wait_condition(
                lambda: waiting.waitpoint in self._said,
                timeout=max(left, 0.001),
                timeout_summary=f"Wait for {waiting.about}",
            )
        except TimeoutError:
            return False
        self._said.remove(waiting.waitpoint)
        return True

    async def _hear(self, waitpoint: UUID) -> None:
        self._said.add(waitpoint)
