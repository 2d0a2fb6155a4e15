"""`workflow-execution`: a plan's steps, in order or as a graph, each done by a model, a tool, a job or a person."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError, is_cancelled_exception

from workflows import policies
from workflows.policies import Policy
from workflows.steps import Step, Steps
from workflows.surely import surely
from workflows.tools import use_tools

with workflow.unsafe.imports_passed_through():
    from activities.plan_waits import PlanWaits
    from activities.plans import PlanSteps
    from activities.tools import SPECS
    from domain.job import Failure, Job
    from domain.plan import KIND, Concluding, PlanRequest, PlanResult, PlanStep, Receipt, StepRef, dependencies

RESEARCH = "company-research"
MODEL = replace(policies.MODEL, attempts=3)
# what an attempt takes beside the tool itself: reading what it is given, writing what it brought
AROUND = timedelta(seconds=60)


def steps_of(plan: PlanRequest) -> tuple[Step, ...]:
    """The plan's steps and how each is run."""
    return tuple(Step(step.name, _policy(step)) for step in plan.steps)


def _policy(step: PlanStep) -> Policy:
    spec = SPECS.get(step.does or "")
    if spec is None:
        return MODEL if step.does is None else policies.FETCH
    return replace(policies.FETCH, start_to_close=spec.timeout + AROUND, attempts=spec.attempts)


@workflow.defn(name=KIND)
class RunPlan:
    """A plan's own steps. What they are given and bring stays in the ledger."""

    steps: Sequence[Step] = ()

    @workflow.init
    def __init__(self, job: Job[PlanRequest]) -> None:
        self.progress = Steps(job, steps_of(job.payload))

    @workflow.run
    async def run(self, job: Job[PlanRequest]) -> PlanResult:
        return await self.progress.to_the_end(self.carry_out(job))

    async def carry_out(self, job: Job[PlanRequest]) -> PlanResult:
        """Every step once those are over that it waits for; the first failure that is not spared ends them all."""
        steps, waits = job.payload.steps, dependencies(job.payload.steps)
        over = [asyncio.Event() for _ in steps]

        async def one(at: int) -> None:
            for before in waits[at]:
                await over[before].wait()
            await self._step(steps[at])
            over[at].set()

        running = [asyncio.ensure_future(one(at)) for at in range(len(steps))]
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
        return await surely(PlanSteps.conclude, Concluding(job_id=job.id))

    async def _step(self, step: PlanStep) -> None:
        run, rounds, ref = self.progress.run, self.progress.rounds, StepRef(step=step.name)
        spared = None if step.required else _spared
        if step.does is None:
            await rounds(step.name, PlanSteps.answer, ref, partial(self._tools, ref), otherwise=spared)
            return
        spec = SPECS.get(step.does)
        match spec.way if spec else "call":
            case "wait":
                await run(step.name, PlanWaits.ask, ref, otherwise=spared)
            case "research":
                await rounds(step.name, PlanSteps.research, ref, partial(self._research, ref), otherwise=spared)
            case "call":
                await run(step.name, PlanSteps.run_tool, ref, otherwise=spared)

    async def _tools(self, ref: StepRef, asked: Receipt) -> StepRef:
        """Call the tools that the step's model asked for, at once; then it is its turn again."""
        calls = (ref.model_copy(update={"call": call}) for call in asked.calls)
        await use_tools(self.progress, ref.step, PlanSteps.call_tool, calls)
        return ref.model_copy(update={"turn": 1 + int(asked.calls[0].split(".")[0])})

    async def _research(self, ref: StepRef, asked: Receipt) -> StepRef:
        """Run it as a job of its own; how that ended stands in the ledger."""
        child_id = workflow.uuid4()
        if asked.research is not None:
            try:
                await self.progress.child(RESEARCH, asked.research, child_id)
            except ChildWorkflowError as error:
                if is_cancelled_exception(error) and workflow.cancellation_reason() is not None:
                    raise
        return ref.model_copy(update={"child": child_id})


def _spared(_: Failure) -> Receipt:
    """Nothing: the steps that follow read in the ledger what went wrong."""
    return Receipt()
