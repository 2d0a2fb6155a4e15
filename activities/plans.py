"""The steps of plans: a model's turn, a tool's call, a job inside the plan's, and what comes of it all.

What a step brings stays in the ledger; a receipt travels.
"""

import asyncio
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from temporalio import activity

from activities.plan_here import Here, here
from activities.plan_result import concluded
from activities.tools import SPECS
from activities.tools.calls import ToolCalls
from activities.tools.tool import Tool, shaped
from domain.errors import JobError
from domain.job import Status
from domain.modes import mode_named
from domain.plan import (
    Concluding,
    PlanRequest,
    PlanResult,
    Receipt,
    StepAnswer,
    StepRef,
)
from domain.plan_prompt import prompt, unfounded
from domain.plan_twin import digest
from domain.storable import storable
from domain.usage import Call as Turn
from ledger.plans import Call

if TYPE_CHECKING:
    from domain.protocols import ToolModel
    from ledger.jobs import Jobs
    from ledger.plans import Plans

PROMPT = "prompts/plan_step.md"
# The answer's room includes what a model thinks.
MOST_TOKENS = 8_000
# After that many turns a model has to answer with what it has; each may ask for so many tools.
MOST_TURNS, MOST_CALLS = 8, 10


class PlanSteps:
    """`tools` are those of the way `call`, by name. `patience`: seconds for which a ledger is waited for that is to
    be told what a call brought."""

    def __init__(
        self, plans: "Plans", jobs: "Jobs", model: "ToolModel", tools: Mapping[str, Tool], *, patience: float = 60.0
    ) -> None:
        self._plans, self._jobs, self._model = plans, jobs, model
        self._calls = ToolCalls(plans, tools, patience=patience)
        self._instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    @activity.defn(name="answer_plan_step")
    async def answer(self, ref: StepRef) -> Receipt:
        """A turn of the step's model: its answer, or the tools that it asks for first. Without a key the twin."""
        at = await here(self._plans, ref.step)
        if self._model.missing_for(at.plan.model_id):
            twin = await asyncio.to_thread(digest, at.plan, at.step, at.earlier)
            return await self._answered(at, twin, "offline")
        exchanges = await self._calls.exchanges(at.job_id, ref.step, ref.turn)
        shown, mode = prompt(at.plan, at.step, at.earlier), mode_named(at.plan.mode)
        choice = await self._model.choose(
            Turn(job_id=at.job_id, step=ref.step, turn=ref.turn, attempt=activity.info().attempt),
            model=at.plan.model_id,
            instructions=self._told(at.plan),
            prompt=shown,
            exchanges=exchanges,
            offers=self._calls.offers(mode.allows) if mode and ref.turn < MOST_TURNS else (),
            output=StepAnswer,
            max_tokens=MOST_TOKENS,
        )
        if choice.uses:
            return Receipt(calls=await self._calls.ask(at.job_id, ref.step, ref.turn, choice.uses[:MOST_CALLS]))
        known = "\n".join([shown, *(text for exchange in exchanges for text in exchange.said)])
        return await self._answered(at, choice.output, choice.vendor, unfounded(choice.output.answer, known))

    @activity.defn(name="run_plan_tool")
    async def run_tool(self, ref: StepRef) -> Receipt:
        """The tool that the step names, called once an attempt if it changes the world."""
        at = await here(self._plans, ref.step)
        tool = self._calls.tool(at.step.does or "")
        given = at.given()
        await self._calls.made(at.call, at.owner, tool, shaped(tool.spec, given), given)
        return Receipt()

    @activity.defn(name="call_plan_tool")
    async def call_tool(self, ref: StepRef) -> None:
        """A tool that the step's model asked for. Its failure is told to the model once it will not be tried again."""
        at = await here(self._plans, ref.step)
        call = Call(at.job_id, ref.step, ref.call)
        await self._calls.by_model(call, at.owner, prompt(at.plan, at.step, at.earlier))

    @activity.defn(name="research_for_plan")
    async def research(self, ref: StepRef) -> Receipt:
        """What to research; and once that job has ended, what it brought. Raises JobError with its failure."""
        at = await here(self._plans, ref.step)
        given = at.given()
        if ref.child is None:
            return Receipt(research=shaped(SPECS[at.step.does or ""], given))
        child = await self._jobs.get(ref.child)
        if child is None or child.status != Status.COMPLETED:
            failure = child.error if child else None
            message = failure.message if failure else "the research was canceled or is gone"
            raise JobError(message, code=failure.code if failure else "canceled")
        begun = await self._plans.begin(at.call, tool=at.step.does, given=given, once=False)
        await self._calls.ended(at.call, begun, output=child.result, answered_by=child.answered_by)
        return Receipt()

    @activity.defn(name="conclude_plan")
    async def conclude(self, concluding: Concluding) -> PlanResult:
        """Write the plan's result; of it who answered travels."""
        job_id = concluding.job_id
        asked = await self._plans.asked(job_id)
        plan = PlanRequest.model_validate(asked.payload)
        found = await self._plans.outcomes(job_id, [step.name for step in plan.steps])
        result = concluded(plan, found)
        await self._plans.conclude(job_id, result)
        return PlanResult(workflow_name=plan.workflow_name, answered_by=result.answered_by)

    async def _answered(self, at: Here, answer: StepAnswer, by: str, doubtful: Sequence[str] = ()) -> Receipt:
        output = storable(answer.model_dump(mode="json", by_alias=True))
        if doubtful:
            output["unfoundedNumbers"] = list(doubtful)
        begun = await self._plans.begin(at.call, tool=None, given=at.step.input, once=False)
        if not begun.done:
            await self._calls.ended(at.call, begun, output=output, answered_by=by)
        return Receipt()

    def _told(self, plan: PlanRequest) -> str:
        mode = mode_named(plan.mode)
        return f"{self._instructions}\n{mode.instructions if mode else ''}".strip()
