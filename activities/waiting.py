"""Waits of a workflow: a waitpoint is opened, and the step ends with what stands at it. Idempotent."""

from typing import TYPE_CHECKING
from uuid import UUID

from temporalio import activity

from domain.errors import JobError
from domain.waiting import OVERDUE, Asked, Look, Resolution, Waiting, WaitRequest, waitpoint_of
from ledger.waitpoints import StepWait, Waitpoint

if TYPE_CHECKING:
    from datetime import timedelta

    from domain.keyring import Keyring
    from ledger.waitpoints import Waitpoints


class Waits:
    """The activities of a step that waits for somebody outside."""

    def __init__(self, waitpoints: "Waitpoints", keyring: "Keyring") -> None:
        self._waitpoints, self._keyring = waitpoints, keyring

    @activity.defn(name="open_wait")
    async def open_wait(self, asked: WaitRequest) -> Asked:
        """Begin to wait; answers at once where the answer is there already. Raises JobError when it was a refusal."""
        point = await self.opened(asked.about, asked.within)
        return answer_at(point) or await self.waiting(point)

    @activity.defn(name="settle_wait")
    async def settle_wait(self, look: Look) -> Resolution:
        return await self._waitpoints.settle(look)

    async def opened(self, about: str, within: "timedelta") -> Waitpoint:
        """The waitpoint of the step that runs in this activity; all its attempts share one."""
        if not self._keyring:
            raise JobError("the service has no secret key to make a token with", code="not_configured")
        info = activity.info()
        wait = StepWait(UUID(info.workflow_id), info.activity_id, info.scheduled_time)
        waitpoint_id = waitpoint_of(wait.job_id, wait.activity_id)
        token = self._keyring.wait_token(waitpoint_id)
        return await self._waitpoints.open(waitpoint_id, token=token, about=about, within=within, wait=wait)

    async def waiting(self, point: Waitpoint) -> Asked:
        """What the activity brings back for its workflow to wait; the audit is told."""
        await self._waitpoints.announce(point.id)
        return Asked(waiting=Waiting(waitpoint=point.id, until=point.expires_at, about=point.about))


def answer_at(point: Waitpoint) -> Asked | None:
    """The answer that stands at a waitpoint, None while it is awaited. Raises JobError when it is no good one."""
    if point.status == "waiting":
        return None
    if point.status == "completed":
        return Asked(output=point.output)
    failure = point.error or OVERDUE
    raise JobError(failure.message, code=failure.code)
