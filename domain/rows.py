"""Rows that the product keeps in tables of its own: read when a job begins, written back as it goes on and ends."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import Field

from domain.model import Model

RowKind = Literal["posting", "interview"]


class TheirRow(Model):
    """What a job needs of a row. Of a posting `url` or `given` (its text); of an interview `source` (from where its
    recording is fetched) and `posting_id`. Each may be None."""

    user_id: str = Field(min_length=1, max_length=256)
    url: str | None = None
    given: str | None = None
    source: str | None = Field(default=None, max_length=2000)
    posting_id: UUID | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to work on."""
        return not any((said or "").strip() for said in (self.url, self.given, self.source))


class Rows(Protocol):
    """The product's tables. Raises VendorError, RateLimited."""

    async def read(self, kind: RowKind, row_id: UUID, *, timeout: float | None = None) -> TheirRow | None:
        """None where there is no such row. Raises JobError `row_unreadable` for one that names no user."""
        ...

    async def write(self, kind: RowKind, row_id: UUID, document: Mapping[str, Any]) -> bool:
        """Write back what a document of the wire's words has to say; what it leaves out stays as it is, and so does
        what was not found. May be repeated. False where there is no such row."""
        ...
