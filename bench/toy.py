"""Four empty steps as a Longrun workflow."""

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from bench.empty import Parcel, empty
    from domain.job import Job

NAMES = ("first", "second", "third", "fourth")


@workflow.defn(name="four-empty-steps")
class FourEmptySteps:
    steps = tuple(Step(name, policies.WRITE) for name in NAMES)

    @workflow.init
    def __init__(self, job: Job[Parcel]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[Parcel]) -> Parcel:
        return await self.progress.to_the_end(self.carry(job.payload))

    async def carry(self, parcel: Parcel) -> Parcel:
        for name in NAMES:
            parcel = await self.progress.run(name, empty, parcel)
        return parcel
