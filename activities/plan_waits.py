"""Steps of plans that somebody outside does: a person who is asked, or a system that calls back."""

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic_core import to_json
from temporalio import activity

from activities.plan_here import here
from activities.tools import SPECS
from activities.tools.calls import LOST
from activities.tools.send_email import letter
from activities.tools.tool import shaped
from activities.tools.waiting import Outside, Question
from activities.waiting import answer_at
from domain.errors import JobError, LongrunError, VendorError
from domain.job import Failure
from domain.plan import StepRef
from domain.waiting import Asked

if TYPE_CHECKING:
    from activities.plan_here import Here
    from activities.waiting import Waits
    from domain.keyring import Keyring
    from domain.outside import Requester
    from domain.telling import Postman
    from ledger.plans import Call, Plans
    from ledger.waitpoints import Waitpoint

STEP = "/api/workflow/update-step"


class PlanWaits:
    """`within`: how long they may take where the step does not say. `public_url` is where they reach this service."""

    def __init__(
        self,
        plans: "Plans",
        waits: "Waits",
        keyring: "Keyring",
        requester: "Requester",
        postman: "Postman | None",
        *,
        within: timedelta,
        public_url: str,
    ) -> None:
        self._plans, self._waits, self._keyring = plans, waits, keyring
        self._requester, self._postman = requester, postman
        self._within, self._url = within, public_url.rstrip("/")

    @activity.defn(name="ask_for_plan")
    async def ask(self, ref: StepRef) -> Asked:
        """Tell who is to answer, once, and begin to wait; answers at once where the answer is there already."""
        at = await here(self._plans, ref.step)
        given = at.given()
        asked: Question | Outside = shaped(SPECS[at.step.does or ""], given)
        about = "a person's answer" if isinstance(asked, Question) else "somebody outside"
        point = await self._waits.opened(f"{about} to {at.step.name}", asked.timeout or self._within)
        if (known := answer_at(point)) is not None:
            return known
        await self._once(at, given, asked, point)
        return await self._waits.waiting(point)

    async def _once(self, at: "Here", given: object, asked: Question | Outside, point: "Waitpoint") -> None:
        call: Call = at.call
        begun = await self._plans.begin(call, tool=at.step.does, given=given, once=True)
        if begun.done:
            return
        if begun.lost:
            raise VendorError(LOST, code="outcome_unknown")
        try:
            if isinstance(asked, Question):
                await self._write(at, asked, point)
            else:
                await self._begin(at, asked, point, begun.attempt)
        except LongrunError as error:
            failure = Failure(code=error.code, message=error.message, step=call.step)
            await self._plans.end(call, begun.attempt, error=failure)
            raise
        await self._plans.end(call, begun.attempt)

    async def _write(self, at: "Here", asked: Question, point: "Waitpoint") -> None:
        if asked.to is None:
            return
        if self._postman is None:
            raise JobError("this service has no mail server", code="not_configured")
        url = f"{self._url}/api/waitpoints/{point.id}/complete?token={self._keyring.wait_token(point.id)}"
        until = f"{point.expires_at:%Y-%m-%d %H:%M} UTC"
        text = f"{asked.question}\n\nAnswer until {until} at\n{url}\n"
        await self._postman.send(asked.to, letter(str(point.id), f"{at.plan.workflow_name}: {at.step.name}", text))

    async def _begin(self, at: "Here", asked: Outside, point: "Waitpoint", attempt: int) -> None:
        if asked.url is None:
            return
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(point.id),
            "longrun-attempt": str(attempt),
            "longrun-job-id": str(at.job_id),
            "longrun-callback-url": self._url + STEP,
            "longrun-callback-secret": self._keyring.execution_secret(at.job_id),
            "longrun-callback-until": point.expires_at.isoformat(),
        }
        body = {"executionId": str(at.job_id), "stepId": at.step.name, "input": asked.body}
        await self._requester.request("POST", str(asked.url), headers=headers, body=to_json(body))
