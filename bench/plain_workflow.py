"""Four empty activities as anybody would write them on Temporal alone."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from bench.empty import Parcel, empty


@workflow.defn(name="plain")
class Plain:
    @workflow.run
    async def run(self, parcel: Parcel) -> Parcel:
        for _ in range(4):
            parcel = await workflow.execute_activity(empty, parcel, start_to_close_timeout=timedelta(minutes=2))
        return parcel
