"""What both programs of `bench.jobs` carry and do: one small value, four times over, and nothing with it."""

from temporalio import activity

from domain.model import Request


class Parcel(Request):
    """A payload and a step's output of everyday size."""

    note: str = "to whom it may concern"
    number: int = 0


@activity.defn(name="empty")
async def empty(parcel: Parcel) -> Parcel:
    return parcel
