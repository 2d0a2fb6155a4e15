"""Toy kinds that wait, and such as do not obey."""

import asyncio

from temporalio import activity, workflow

from tests.support.toys import QUICK, Toys
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from domain.job import Job
    from tests.support.toys import ParentRequest, ToyRequest, ToyResult


@workflow.defn(name="toy-waiting")
class Waiting:
    """A step, then a wait for a word from outside."""

    steps = (Step("one", QUICK), Step("two", QUICK))

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)
        self.word = ""

    @workflow.signal
    def say(self, word: str) -> None:
        self.word = word

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play())

    async def play(self) -> ToyResult:
        await self.progress.run("one", Toys.work, "said one")
        await workflow.wait_condition(lambda: bool(self.word))
        return ToyResult(said=(self.word, await self.progress.run("two", Toys.work, "said two")))


@workflow.defn(name="toy-pausing")
class Pausing:
    """Rounds of a batch with a long pause in between."""

    steps = (Step("round", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play())

    async def play(self) -> ToyResult:
        while True:
            await self.progress.run("round", Toys.work, "went round")
            await asyncio.sleep(3600)


@workflow.defn(name="toy-deaf")
class Deaf:
    """A workflow that passes over every cancel."""

    steps = (Step("one", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        await self.progress.run("one", Toys.work, "said one")
        while True:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                workflow.logger.debug("not now")


@workflow.defn(name="toy-deaf-parent")
class DeafParent:
    """Waits for the job inside it, which does not obey."""

    steps = (Step("prepare", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ParentRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ParentRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play(job.payload))

    async def play(self, asked: ParentRequest) -> ToyResult:
        return ToyResult.model_validate(await self.progress.child("toy-deaf", asked.child))


class Hardened:
    """An activity that passes over its cancel, until `end` is set."""

    def __init__(self) -> None:
        self.asked, self.begun, self.end = 0, asyncio.Event(), asyncio.Event()

    @activity.defn(name="toy-hardened-work")
    async def work(self, said: str) -> str:
        self.begun.set()
        while not self.end.is_set():
            try:
                await self.end.wait()
            except asyncio.CancelledError:
                self.asked += 1
        return said


@workflow.defn(name="toy-hardened")
class HardenedToy:
    """One step, whose activity does not obey."""

    steps = (Step("one", QUICK),)

    @workflow.init
    def __init__(self, job: Job[ToyRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ToyRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play())

    async def play(self) -> ToyResult:
        return ToyResult(said=(await self.progress.run("one", Hardened.work, "said one"),))
