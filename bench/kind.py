"""The catalogue row of the toy kind, found by its entry point (group `longrun.kinds`) like any installed one."""

from bench.empty import Parcel, empty
from bench.toy import FourEmptySteps
from workflows.kind import Kind

KIND = Kind(
    name="four-empty-steps",
    workflow=FourEmptySteps,
    payload=Parcel,
    result=Parcel,
    title=lambda parcel: f"Carry parcel {parcel.number}",
    activities=(empty,),
)
