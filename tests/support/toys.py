"""Toy kinds: real workflows made of real Steps, whose activities do what a test tells them to."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

from workflows.policies import Policy
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from domain.job import Failure, Job
    from domain.model import Model, Request

QUICK = Policy(
    queue="io",
    start_to_close=timedelta(minutes=2),
    attempts=3,
    first_wait=timedelta(milliseconds=20),
    factor=1.0,
    longest_wait=timedelta(milliseconds=20),
)
HASTY = Policy(
    queue="io", start_to_close=timedelta(milliseconds=300), attempts=3, schedule_to_close=timedelta(milliseconds=600)
)
Behaviour = BaseException | Callable[[], Awaitable[str]] | str


class Toys:
    """The activities. `script[id]` holds what the next calls of an activity id do: raise, await or answer."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.script: defaultdict[str, list[Behaviour]] = defaultdict(list)
        self.calls: list[str] = []
        self.deliveries: dict[str, int] = {}
        self.canceled: list[str] = []

    def on(self, activity_id: str, *behaviours: Behaviour) -> None:
        self.script[activity_id].extend(behaviours)

    @activity.defn(name="toy")
    async def work(self, said: str) -> str:
        """Do what the script says for this id; without one, answer `said`."""
        # a call that hears of its cancel after its test has ended tells that test
        info, canceled = activity.info(), self.canceled
        self.calls.append(info.activity_id)
        self.deliveries[info.activity_id] = info.attempt
        todo = self.script[info.activity_id]
        behaviour = todo.pop(0) if todo else said
        if isinstance(behaviour, BaseException):
            raise behaviour
        if isinstance(behaviour, str):
            return behaviour
        try:
            return await behaviour()
        except asyncio.CancelledError:
            canceled.append(info.activity_id)
            raise


class ToyRequest(Request):
    """`isolate`: steps that a plain value may stand in for; `stand_in`: steps with an activity for that."""

    isolate: tuple[str, ...] = ()
    stand_in: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()


class ToyResult(Model):
    said: tuple[str, ...] = ()
    answered_by: str | None = None


@workflow.defn(name="toy")
class Toy:
    """Three steps, one after the other."""

    steps = (Step("one", QUICK), Step("two", QUICK), Step("three", QUICK))

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play(job.payload))

    async def play(self, asked: ToyRequest) -> ToyResult:
        said: list[str] = []
        for step in type(self).steps:
            if step.name in asked.skip:
                await self.progress.skip(step.name)
                continue
            said.append(await self._step(step.name, asked))
            if step.name in asked.twice:
                said.append(await self._step(step.name, asked))
        return ToyResult(said=tuple(said))

    async def _step(self, name: str, asked: ToyRequest) -> str:
        def instead(failure: Failure) -> Any:
            if name in asked.stand_in:
                return self.progress.stand_in(name, Toys.work, f"stand-in of {name}")
            return f"without {name}: {failure.code}"

        isolated = name in asked.isolate or name in asked.stand_in
        return await self.progress.run(name, Toys.work, f"said {name}", otherwise=instead if isolated else None)


@workflow.defn(name="toy-remembered")
class Remembered(Toy):
    """The same as a kind whose answers are kept."""

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        super().__init__(job)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await super().run(job)


@workflow.defn(name="toy-hasty")
class Hasty:
    """A step that Temporal itself times out."""

    steps = (Step("hasty", HASTY),)

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play())

    async def play(self) -> ToyResult:
        instead = await self.progress.run("hasty", Toys.work, "done", otherwise=lambda failure: failure.code)
        return ToyResult(said=(instead,))


class RoundsRequest(Request):
    """`left` rounds to go, `per_run` of them before each continue-as-new; so many `seconds` for all of them, where the
    workflow is to say how many."""

    left: int = 4
    per_run: int = 2
    seconds: float | None = None


@workflow.defn(name="toy-rounds")
class Rounds:
    """The same step again and again, over several runs."""

    steps = (Step("begin", QUICK), Step("round", QUICK))

    @workflow.init
    def __init__(self, job: Job[RoundsRequest]) -> None:
        self.progress = Steps(job, type(self).steps)
        self.first = job.carried is None

    @workflow.run
    async def run(self, job: Job[RoundsRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play(job.payload))

    async def play(self, asked: RoundsRequest) -> ToyResult:
        if self.first:
            await self.progress.run("begin", Toys.work, "begun")
            if asked.seconds:
                self.progress.within(timedelta(seconds=asked.seconds))
        for _ in range(min(asked.left, asked.per_run)):
            await self.progress.run("round", Toys.work, "went round")
        if asked.left > asked.per_run:
            self.progress.next_run(asked.model_copy(update={"left": asked.left - asked.per_run}))
        return ToyResult(said=("went round",))


class ParentRequest(Request):
    kind: str = "toy"
    child: ToyRequest = ToyRequest()


@workflow.defn(name="toy-parent")
class Parent:
    """A step of its own, then another job inside this one."""

    steps = (Step("prepare", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ParentRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ParentRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play(job.payload))

    async def play(self, asked: ParentRequest) -> ToyResult:
        await self.progress.run("prepare", Toys.work, "prepared")
        return ToyResult.model_validate(await self.progress.child(asked.kind, asked.child))


@workflow.defn(name="toy-wrong")
class Wrong:
    """A workflow whose author forgot something."""

    steps = (Step("one", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play())

    async def play(self) -> ToyResult:
        said = await self.progress.run("one", Toys.work, "said one")
        return ToyResult(said=(said, self._forgotten()["key"]))

    def _forgotten(self) -> dict[str, str]:
        return {}


@workflow.defn(name="toy-wrong")
class Mended(Wrong):
    """The same after a fixed deploy."""

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        super().__init__(job)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await super().run(job)

    def _forgotten(self) -> dict[str, str]:
        return {"key": "remembered"}


@workflow.defn(name="toy-late")
class Late:
    """A workflow that lets a time-out of its own pass."""

    steps = (Step("one", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play())

    async def play(self) -> ToyResult:
        await self.progress.run("one", Toys.work, "said one")
        await workflow.wait_condition(lambda: False, timeout=0.05)
        return ToyResult()
