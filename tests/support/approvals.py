"""A toy kind that waits for people: two of them at once, one of whom may be spared."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from tests.support.toys import QUICK
from workflows import policies
from workflows.kind import Kind
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from domain.job import Job
    from domain.model import Request
    from tests.support.toys import ToyResult, Toys


class ApprovalRequest(Request):
    """`within`: milliseconds that each may take. `spared`: whether the reviewer's failure is isolated."""

    within: int = 60_000
    spared: bool = False


@workflow.defn(name="toy-approval")
class Approval:
    steps = (Step("approve", policies.WRITE), Step("review", policies.WRITE), Step("tell", QUICK))

    @workflow.init
    def __init__(self, job: Job[ApprovalRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ApprovalRequest]) -> ToyResult:
        return await self.progress.to_the_end(self.play(job.payload))

    async def play(self, asked: ApprovalRequest) -> ToyResult:
        within = timedelta(milliseconds=asked.within)
        approved, reviewed = await asyncio.gather(
            self.progress.wait_for("approve", "the boss", within=within),
            self.progress.wait_for(
                "review",
                "a reviewer",
                within=within,
                otherwise=(lambda failure: f"without: {failure.code}") if asked.spared else None,
            ),
        )
        told = await self.progress.run("tell", Toys.work, "told")
        return ToyResult(said=(str(approved), str(reviewed), told))


APPROVAL = Kind("toy-approval", Approval, ApprovalRequest, ToyResult, title=lambda _: "Ask people")
