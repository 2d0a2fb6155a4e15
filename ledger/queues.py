"""The `queues` table: each kind's limits; and how many wait and run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain.admission import Lane, Limits, Slots, Stop, Waiting
from ledger.database import sql
from ledger.lanes import LOCK

if TYPE_CHECKING:
    from ledger.database import Database
    from ledger.rows import JobRow

LIMITS = tuple(field.name for field in fields(Limits))
UNLIMITED = Limits()
# a place is counted as far as this
FAR = 1000


@dataclass(frozen=True)
class Queue:
    """A kind's queue. `delayed` jobs are not due; `oldest` is since when the job waits that waits longest."""

    kind: str
    limits: Limits = UNLIMITED
    waiting: int = 0
    delayed: int = 0
    running: int = 0
    oldest: datetime | None = None


class Queues:
    """`in_flight`: how many jobs of all kinds may be in hand."""

    def __init__(self, database: "Database", *, in_flight: int) -> None:
        self._database, self._in_flight = database, in_flight

    async def all(self) -> Sequence[Queue]:
        """The queues that have limits or jobs."""
        rows = await self._database.fetch(sql("queues"))
        counted = ("kind", "waiting", "delayed", "running", "oldest")
        return [Queue(limits=_limits(dict(row)), **{name: row[name] for name in counted}) for row in rows]

    async def change(self, kind: str, limits: Limits) -> None:
        """Set what holds from now on, once a dispatcher's turn that is under way has ended; whoever waits is looked at
        anew."""
        values = asdict(limits)
        columns, places = ", ".join(LIMITS), ", ".join(f"${n}" for n in range(2, len(LIMITS) + 2))
        again = ", ".join(f"{name} = excluded.{name}" for name in LIMITS)
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))", LOCK)
            await connection.execute(
                f"INSERT INTO queues (kind, {columns}) VALUES ($1, {places}) ON CONFLICT (kind) DO UPDATE SET {again}",  # noqa: S608 - the columns are ours
                kind,
                *(values[name] for name in LIMITS),
            )
            await connection.execute("UPDATE lanes SET parked = NULL WHERE kind = $1 AND parked IS NOT NULL", kind)
            await connection.execute("DELETE FROM stops WHERE kind = $1", kind)
            await connection.execute("SELECT pg_notify(current_schema(), '')")

    async def place(self, row: "JobRow") -> tuple[int, Stop | None] | None:
        """How many of its kind go before a queued job (at most 1,000 are counted), and which limit is in its way.

        None: it waits for no slot.
        """
        if row.status != "queued" or row.fair_rank is None or row.claimed_until is not None:
            return None
        async with self._database.acquire() as connection:
            [facts] = await connection.fetch(sql("admission_facts"))
            ahead = await connection.fetchval(
                """SELECT count(*) FROM (
                    SELECT FROM jobs WHERE kind = $1 AND (priority, fair_rank) < ($2, $3)
                        AND fair_rank IS NOT NULL AND claimed_until IS NULL AND status = 'queued' LIMIT $4) ahead""",
                row.kind,
                row.priority,
                row.fair_rank,
                FAR,
            )
        slots = slots_of(facts)
        job = Waiting(row.id, row.kind, row.owner, row.concurrency_key, row.tier, row.priority)
        return ahead, slots.stop(job) or ("all" if slots.taken - facts["resting"] >= self._in_flight else None)


def slots_of(facts: Mapping[str, Any]) -> Slots:
    """What admission_facts.sql says, counted."""
    limits = {row["kind"]: _limits(row) for row in facts["queues"]}
    running: dict[Lane, int] = {(kind, owner, key): count for kind, owner, key, count in facts["running"]}
    return Slots(limits, running, facts["recent"])


def _limits(row: Mapping[str, Any]) -> Limits:
    return Limits(**{name: row[name] for name in LIMITS})
