"""What a replay is given of the job that it replays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from domain.errors import StepNotFinished
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.jobs import After

WHY = {
    None: "was not run",
    "running": "has not ended",
    "retrying": "has not ended",
    "failed": "failed",
    "completed": "left no output that could be kept",
}


def given(old_id: UUID, before: Sequence[str] = (), from_step: str | None = None) -> "After":
    """For `Jobs.also`: the job that is opened points at the old one and is given the outputs of the steps `before`.

    The output of a stand-in stands in for its step. Raises StepNotFinished, and nothing is opened.
    """

    async def give(connection: "PoolConnectionProxy", opened: Sequence[UUID]) -> None:
        for job_id in opened:
            missing = await connection.fetch(sql("copy_steps"), job_id, old_id, list(before), from_step)
            if missing:
                [name, status] = missing[0]
                raise StepNotFinished(f"the step {name} {WHY[status]}: begin with it, or earlier", pointer="/fromStep")

    return give
