"""The steps of plans: a model's turn, a tool's call, a job inside the plan's, and what comes of it all.

What a step brings stays in the ledger; a receipt travels.
"""

import asyncio
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json
from temporalio import activity

from activities.plan_here import LOST, Here, here, shaped
from activities.plan_result import concluded
from activities.tools import SPECS
from activities.tools.tool import Spec, Tool, Use
from domain.errors import JobError, LongrunError, VendorError
from domain.job import Failure, Status
from domain.model import Request
from domain.modes import mode_named
from domain.plan import (
    Concluding,
    PlanRequest,
    PlanResult,
    Receipt,
    StepAnswer,
    StepRef,
)
from domain.plan_prompt import MOST_SAID, prompt, said, unfounded
from domain.plan_twin import digest
from domain.storable import storable
from domain.tool_use import Exchange, ToolOffer, in_turns
from domain.usage import Call as Turn
from ledger.patience import patiently
from ledger.plans import Begun, Call

if TYPE_CHECKING:
    from domain.protocols import ToolModel
    from ledger.jobs import Jobs
    from ledger.plans import Plans

PROMPT = "prompts/plan_step.md"
# The answer's room includes what a model thinks.
MOST_TOKENS = 8_000
# After that many turns a model has to answer with what it has; each may ask for so many tools.
MOST_TURNS, MOST_CALLS = 8, 10
OUTPUT_BYTES = 1_000_000


class PlanSteps:
    """`tools` are those of the way `call`, by name. `patience`: seconds for which a ledger is waited for that is to
    be told what a call brought."""

    def __init__(
        self, plans: "Plans", jobs: "Jobs", model: "ToolModel", tools: Mapping[str, Tool], *, patience: float = 60.0
    ) -> None:
        self._plans, self._jobs, self._model, self._tools = plans, jobs, model, tools
        self._patience = patience
        self._instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    @activity.defn(name="answer_plan_step")
    async def answer(self, ref: StepRef) -> Receipt:
        """A turn of the step's model: its answer, or the tools that it asks for first. Without a key the twin."""
        at = await here(self._plans, ref.step)
        if self._model.missing_for(at.plan.model_id):
            twin = await asyncio.to_thread(digest, at.plan, at.step, at.earlier)
            return await self._answered(at, twin, "offline")
        exchanges, shown = await self._exchanges(at, ref.turn), prompt(at.plan, at.step, at.earlier)
        choice = await self._model.choose(
            Turn(job_id=at.job_id, step=ref.step, turn=ref.turn, attempt=activity.info().attempt),
            model=at.plan.model_id,
            instructions=self._told(at.plan),
            prompt=shown,
            exchanges=exchanges,
            offers=self._offers(at.plan) if ref.turn < MOST_TURNS else (),
            output=StepAnswer,
            max_tokens=MOST_TOKENS,
        )
        if choice.uses:
            uses = [use.model_copy(update={"id": f"{ref.turn}.{use.id}"}) for use in choice.uses[:MOST_CALLS]]
            uses = [use.model_copy(update={"arguments": storable(use.arguments)}) for use in uses]
            await self._plans.ask(at.job_id, ref.step, uses)
            return Receipt(calls=tuple(use.id for use in uses))
        known = "\n".join([shown, *(text for exchange in exchanges for text in exchange.said)])
        return await self._answered(at, choice.output, choice.vendor, unfounded(choice.output.answer, known))

    @activity.defn(name="run_plan_tool")
    async def run_tool(self, ref: StepRef) -> Receipt:
        """The tool that the step names, called once an attempt if it changes the world."""
        at = await here(self._plans, ref.step)
        tool = self._tool(at.step.does or "")
        given = at.given()
        await self._made(at, at.call, tool, shaped(tool.spec, given), given)
        return Receipt()

    @activity.defn(name="call_plan_tool")
    async def call_tool(self, ref: StepRef) -> None:
        """A tool that the step's model asked for. Its failure is told to the model once it will not be tried again."""
        at = await here(self._plans, ref.step)
        wanted = next(used.use for used in await self._plans.used(at.job_id, ref.step) if used.use.id == ref.call)
        call, given = Call(at.job_id, ref.step, ref.call), wanted.arguments
        try:
            tool = self._tool(wanted.tool)
            asked = shaped(tool.spec, given)
            await self._check_known(at, ref, tool.spec, given)
        except JobError as error:
            begun = await self._plans.begin(call, tool=wanted.tool, given=given, once=False)
            await self._ended(call, begun, error=_failure(error, ref.step))
            return
        try:
            await self._made(at, call, tool, asked, given)
        except (VendorError, JobError) as error:
            if isinstance(error, VendorError) and error.again and activity.info().attempt < tool.spec.attempts:
                raise

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
        await self._ended(at.call, begun, output=child.result, answered_by=child.answered_by)
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

    async def _check_known(self, at: Here, ref: StepRef, spec: Spec, given: Mapping[str, Any]) -> None:
        """Raise JobError `not_given` where a model made up what it has to have been given."""
        if spec.known is None:
            return
        told = await self._exchanges(at, int(ref.call.split(".")[0]))
        seen = [prompt(at.plan, at.step, at.earlier), *(text for turn in told for text in turn.said)]
        if not any(str(given[spec.known]) in text for text in seen):
            raise JobError(f"only a {spec.known} that you were given can be used", code="not_given")

    async def _made(self, at: Here, call: Call, tool: Tool, asked: Request, given: Any) -> None:
        """Make a call, unless it was made before; a call that changes the world and was lost counts as failed."""
        spec = tool.spec
        begun = await self._plans.begin(call, tool=spec.name, given=given, once=spec.changes(asked))
        if begun.done:
            return
        if begun.lost:
            raise VendorError(LOST, code="outcome_unknown")
        key = f"{at.job_id}-{call.step}{f'-{call.call}' if call.call else ''}"
        use = Use(at.job_id, at.owner, at.step.name, _header(key), begun.attempt)
        try:
            async with asyncio.timeout(spec.timeout.total_seconds()):
                output = storable(await tool.use(asked, use))
            if len(to_json(output)) > OUTPUT_BYTES:
                raise JobError("what the tool brought is larger than 1 MB", code="output_too_large")
        except TimeoutError:
            late = VendorError("the tool did not answer in time", code="timeout")
            await self._ended(call, begun, error=_failure(late, call.step))
            raise late from None
        except LongrunError as error:
            await self._ended(call, begun, error=_failure(error, call.step))
            raise
        await self._ended(call, begun, output=output)

    async def _answered(self, at: Here, answer: StepAnswer, by: str, doubtful: Sequence[str] = ()) -> Receipt:
        output = storable(answer.model_dump(mode="json", by_alias=True))
        if doubtful:
            output["unfoundedNumbers"] = list(doubtful)
        begun = await self._plans.begin(at.call, tool=None, given=at.step.input, once=False)
        if not begun.done:
            await self._ended(at.call, begun, output=output, answered_by=by)
        return Receipt()

    async def _ended(self, call: Call, begun: Begun, **how: Any) -> None:
        await patiently(lambda: self._plans.end(call, begun.attempt, **how), self._patience)

    async def _exchanges(self, at: Here, turn: int) -> tuple[Exchange, ...]:
        """What the model asked for in the turns before this one, and what it was told."""
        used = await self._plans.used(at.job_id, at.step.name)
        open_ = Failure(code="step_timeout", message="the tool did not end in time")
        return in_turns(
            [
                (one.use, said(one.output, None if one.status == "done" else one.error or open_, MOST_SAID))
                for one in used
                if int(one.use.id.split(".")[0]) < turn
            ]
        )

    def _told(self, plan: PlanRequest) -> str:
        mode = mode_named(plan.mode)
        return f"{self._instructions}\n{mode.instructions if mode else ''}".strip()

    def _offers(self, plan: PlanRequest) -> list[ToolOffer]:
        """The tools that the mode allows, this service can use, and that change nothing."""
        mode = mode_named(plan.mode)
        return [
            ToolOffer(
                name=name,
                description=tool.spec.description,
                parameters=tool.spec.shape.model_json_schema(by_alias=True),
            )
            for name, tool in sorted(self._tools.items())
            if mode and mode.allows(name) and tool.spec.by_model and tool.ready
        ]

    def _tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise JobError("this service does not have that tool any more", code="unknown_tool")
        return self._tools[name]


def _failure(error: LongrunError, step: str) -> Failure:
    again = isinstance(error, VendorError) and error.again
    return Failure(code=error.code, message=error.message, step=step, retryable=again)


def _header(key: str) -> str:
    """The key as a header takes it: a step's name may be written in any letters."""
    return key if key.isascii() and key.isprintable() else key.encode().hex()
