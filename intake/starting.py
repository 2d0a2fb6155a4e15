"""Jobs for rows that come in at a door: a row stands whether or not its job could be started, and is not forgotten."""

from datetime import timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from uuid import UUID

import structlog

from domain.errors import LongrunError
from domain.options import Options
from engine.submit import Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.submit import Submitter

log = structlog.get_logger()
# Younger rows are at the door still.
LEFT_SECONDS = 60.0


class Given(Protocol):
    """A row that a job is to work on."""

    @property
    def id(self) -> UUID: ...
    @property
    def user_id(self) -> str: ...
    @property
    def job_id(self) -> UUID | None: ...
    @property
    def processing_status(self) -> str: ...


R = TypeVar("R", bound=Given)
R_co = TypeVar("R_co", bound=Given, covariant=True)


class GivenRows(Protocol[R_co]):
    """Where they are kept."""

    async def get(self, row_id: UUID, /) -> R_co | None: ...
    async def assign(self, row_id: UUID, job_id: UUID, /) -> None: ...
    async def without_job(self, *, seconds: float) -> "Sequence[R_co]": ...


class RowJobs(Generic[R]):
    """Starts jobs of a kind whose payload names a row by its `field`. A row whose job could not be started has none,
    and is started later: when it is given or looked at again, or by the worker's upkeep (`left`)."""

    def __init__(self, rows: GivenRows[R], submitter: "Submitter", kind: str, field: str) -> None:
        self._rows, self._submitter, self._kind, self._field = rows, submitter, kind, field

    async def started(self, row: R, *, again: bool = False, by: str | None = None, delay: timedelta | None = None) -> R:
        """The row with its job; `again`: also where the one before has failed; `delay`: until that begins. A failure is
        logged, not raised."""
        waits = row.job_id is None and row.processing_status == "pending"
        if not waits and not (again and row.processing_status == "failed"):
            return row
        try:
            asked = Submission(self._kind, {self._field: str(row.id)}, Options(owner=row.user_id, delay=delay), by=by)
            [opened] = await self._submitter.submit([asked])
            await self._rows.assign(row.id, opened.id)
            return await self._rows.get(row.id) or row
        except LongrunError as error:
            log.warning(
                "a row's job could not be started: left for later", code=error.code, kind=self._kind, row=str(row.id)
            )
            return row

    async def left(self) -> int:
        """Start what was left; how many were."""
        rows = await self._rows.without_job(seconds=LEFT_SECONDS)
        return sum([(await self.started(row)).job_id is not None for row in rows])
