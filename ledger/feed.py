"""An owner's events across jobs, in the order in which transactions may be read without losing one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import UUID

from ledger.database import sql
from ledger.rows import Event, JobRow

if TYPE_CHECKING:
    from ledger.database import Database

NIL = UUID(int=0)
# A reader that comes back after days goes through what it missed in portions.
WINDOW = 20_000


@dataclass(frozen=True, order=True)
class Position:
    """Everything up to here has been told: a transaction's number and, within it, a job and its event's number."""

    tx: int
    job_id: UUID = NIL
    seq: int = 0

    def __str__(self) -> str:
        return f"{self.tx:x}-{self.job_id.hex}-{self.seq:x}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The position that was written so; None for anything else."""
        try:
            tx, job_id, seq = text.split("-")
            return cls(int(tx, 16), UUID(job_id), int(seq, 16))
        except ValueError:
            return None


@dataclass(frozen=True)
class Portion:
    """Events, oldest first, with the position after each; `reached`: after all of them. `more` may be had at once."""

    events: Sequence[tuple[Position, Event]]
    reached: Position
    more: bool


class Feed:
    """Reads below the oldest open transaction. A position stays good as long as its database lives."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def now(self) -> Position:
        """After everything that can be told by now."""
        row = await self._database.row("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS tx")
        return Position(row["tx"] if row else 0)

    async def after(self, owner: str, since: Position, *, limit: int = 500) -> Portion:
        """What the owner's jobs did after `since`: each event once, none skipped, whoever commits when."""
        rows = await self._database.fetch(sql("feed"), owner, since.tx, since.job_id, since.seq, WINDOW, limit)
        events = [
            (Position(row["tx"], row["job_id"], row["seq"]), Event(**{name: row[name] for name in SHOWN}))
            for row in rows
            if row["job_id"]
        ]
        if len(events) == limit:
            return Portion(events, events[-1][0], more=True)
        reached, newest = rows[0]["upto"], rows[0]["newest"]
        return Portion(events, max(since, Position(reached)), more=reached < newest)

    async def jobs(self, job_ids: Sequence[UUID]) -> dict[UUID, JobRow]:
        """Those of the jobs that are there."""
        rows = await self._database.fetch(sql("get_job") + "WHERE j.id = ANY($1)", job_ids)
        return {row["id"]: JobRow.of(row) for row in rows}


SHOWN = tuple(Event.__dataclass_fields__)
