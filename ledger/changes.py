"""What may be changed of a job that was asked for: its start while it waits, its tags and metadata at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ledger.database import sql

if TYPE_CHECKING:
    from ledger.database import Database


@dataclass(frozen=True)
class Patch:
    """`tags` replace those that are there. Metadata by key, in this order: put a value, append to a list (made where
    there is none), count up from 0, remove."""

    tags: Sequence[str] | None = None
    put: Mapping[str, Any] = field(default_factory=dict[str, Any])
    append: Mapping[str, Any] = field(default_factory=dict[str, Any])
    increment: Mapping[str, float] = field(default_factory=dict[str, float])
    remove: Sequence[str] = ()


@dataclass(frozen=True)
class Refused:
    """Nothing was changed: `key` holds no number to count up, or metadata would grow too large (no key)."""

    key: str | None


class Changes:
    """Each change is one statement, so those that race are all kept; each is an event with who made it."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def patch(self, job_id: UUID, patch: Patch, *, by: str, most: int) -> Refused | None:
        """Change tags and metadata, the latter to at most `most` characters of JSON. None: done, or no such job."""
        row = await self._database.row(
            sql("patch_job"),
            job_id,
            patch.tags,
            patch.put,
            patch.append,
            patch.increment,
            patch.remove,
            by,
            most,
        )
        return Refused(row["wrong"]) if row and not row["changed"] else None

    async def reschedule(self, job_id: UUID, start: datetime, *, by: str) -> Literal["rescheduled", "not delayed"]:
        """Have a delayed job start at another time; a time in the past means now."""
        row = await self._database.row(sql("reschedule"), job_id, start, by)
        return "rescheduled" if row else "not delayed"
