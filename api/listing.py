"""Lists of jobs: the filters as they come in a query, and the cursor that goes on where a page ended."""

import base64
import heapq
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints

from api.grants import as_id
from domain.errors import CallerError, UnknownKind
from domain.job import Status
from domain.model import Model, Request
from ledger.jobs import JobFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api.dependencies import Services
    from api.grants import Caller
    from ledger.rows import JobRow

R = TypeVar("R")

USUAL, MOST = 50, 100
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Filter(Request):
    """Which jobs: all that fit every word that is given. Without any: all that are still open."""

    type: Name | None = Field(default=None, description="A kind or an alias of one.")
    status: Status | None = None
    owner: Name | None = None
    tag: Name | None = None
    batch_id: str | None = None
    parent_id: str | None = None
    schedule_id: Name | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    stuck: bool = Field(
        default=False, description="Silent for longer than its step allows: the job's `stuck` says more."
    )
    retrying: bool = Field(default=False, description="A step is being tried again.")

    def of(self, given: "Services", at: str, *, only_open: bool) -> JobFilter:
        """As the ledger reads it; `at` is what pointers to its words begin with. Raises CallerError."""
        return JobFilter(
            kind=_kind(self.type, given, at),
            status=self.status,
            owner=self.owner,
            tag=self.tag,
            batch_id=_id(self.batch_id, f"{at}batchId"),
            parent_id=_id(self.parent_id, f"{at}parentId"),
            schedule_id=self.schedule_id,
            created_after=self.created_after,
            created_before=self.created_before,
            only_open=only_open,
            retrying=self.retrying,
            stuck=self.stuck,
        )


class Wanted(Filter):
    """Which jobs. Without any parameter: all that are still open."""

    job_id: str | None = Field(default=None, description="One job, answered as it is and not as a page.")
    limit: int = Field(default=USUAL, ge=1, le=MOST)
    cursor: str | None = Field(default=None, description="`nextCursor` of the page before.")


class Cursor(Model):
    """Where a page ended; `only_open` remembers that nothing was filtered."""

    at: datetime
    id: UUID
    only_open: bool = False

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            raise CallerError("this cursor is none of ours", pointer="?cursor") from None


class Listed(Protocol):
    """A row of a page."""

    @property
    def id(self) -> UUID: ...
    @property
    def created_at(self) -> datetime: ...


def before(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Where the page before ended; raises CallerError."""
    place = Cursor.read(cursor) if cursor else None
    return (place.at, place.id) if place else None


def more(rows: "Sequence[Listed]", limit: int) -> str | None:
    """The next cursor, if more rows were found than the page has; newest first."""
    return str(Cursor(at=rows[limit - 1].created_at, id=rows[limit - 1].id)) if len(rows) > limit else None


@dataclass(frozen=True)
class OfUser:
    """A page of a user's rows, newest first; asked for by dependency."""

    user_id: Annotated[str | None, Query(alias="userId", max_length=256)] = None
    limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL
    cursor: Annotated[str | None, Query(description="`nextCursor` of the page before.")] = None

    def of(self, caller: "Caller") -> str:
        """Whose rows; raises CallerError where a server does not say, JobNotFound where they are not the caller's."""
        if self.user_id is None and caller.grants is None:
            raise CallerError("say whose they are", pointer="?userId")
        return caller.reads_of(self.user_id)

    @property
    def before(self) -> tuple[datetime, UUID] | None:
        """Where the page before ended."""
        return before(self.cursor)

    def more(self, found: "Sequence[R]", place: "Callable[[R], tuple[datetime, UUID]]") -> str | None:
        """The next cursor, if more rows were found than the page has."""
        if len(found) <= self.limit:
            return None
        at, row_id = place(found[self.limit - 1])
        return str(Cursor(at=at, id=row_id))


async def page(wanted: Wanted, given: "Services", caller: "Caller") -> "tuple[Sequence[JobRow], str | None]":
    """The rows of one page and the next cursor."""
    cursor = Cursor.read(wanted.cursor) if wanted.cursor else None
    # `limit` and `cursor` choose nothing
    only_open = cursor.only_open if cursor else not wanted.model_fields_set - {"limit"}
    chosen = wanted.of(given, "?", only_open=only_open)
    ended = (cursor.at, cursor.id) if cursor else None
    found = [await given.jobs.list(each, limit=wanted.limit + 1, before=ended) for each in caller.narrow(chosen)]
    rows = found[0] if len(found) == 1 else _merged(found, wanted.limit + 1)
    if len(rows) <= wanted.limit:
        return rows, None
    last = rows[wanted.limit - 1]
    return rows[: wanted.limit], str(Cursor(at=last.created_at, id=last.id, only_open=only_open))


def _merged(found: "list[Sequence[JobRow]]", limit: int) -> "list[JobRow]":
    """Newest first, each job once."""
    ordered = heapq.merge(*found, key=lambda row: (row.created_at, row.id), reverse=True)
    return list(islice({row.id: row for row in ordered}.values(), limit))


def _kind(name: str | None, given: "Services", at: str) -> str | None:
    try:
        return given.catalog[name].name if name else None
    except UnknownKind as error:
        raise UnknownKind(error.message, pointer=f"{at}type") from None


def _id(text: str | None, pointer: str) -> UUID | None:
    if text is None:
        return None
    if (found := as_id(text)) is None:
        raise CallerError("this is no id", pointer=pointer)
    return found
