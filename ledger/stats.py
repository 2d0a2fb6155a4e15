"""Figures of jobs that have ended, by day, kind and owner: added up in portions, read in milliseconds."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Self

from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database

LOCK = 0x10_4E_67_74
GROWTH = 1.1
PORTION = 20_000
TAIL = 2_000
# Of an owner, $1, in one transaction: nothing says any more what they had done, what all did together stays. The lock
# comes first: who adds up meanwhile might write the owner's figures anew.
FORGET = (
    f"SELECT pg_advisory_xact_lock({LOCK}, hashtext(current_schema())) WHERE $1::text IS NOT NULL",
    "UPDATE job_ends SET owner = '' WHERE owner = $1",
    "DELETE FROM stats_counts WHERE owner = $1 AND NOT everyone",
    "DELETE FROM stats_durations WHERE owner = $1 AND NOT everyone",
    "DELETE FROM stats_owners WHERE owner = $1",
)
COUNTS = ("completed", "failed", "canceled", "expired", "timed_out", "tokens")


@dataclass(frozen=True)
class Figures:
    """Jobs that ended, what they cost, and how long completed ones ran: `durations` are (bucket, jobs), ascending."""

    completed: int = 0
    failed: int = 0
    canceled: int = 0
    expired: int = 0
    timed_out: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)
    durations: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, row: "Record", durations: "Record | None") -> Self:
        """`durations`: its `buckets` and `jobs_in` each of them; both null where no job completed."""
        counts = {name: row[name] or 0 for name in COUNTS}
        held = zip(durations["buckets"] or (), durations["jobs_in"] or (), strict=True) if durations else ()
        return cls(**counts, usd=row["usd"] or Decimal(0), durations=tuple(sorted(held)))

    @property
    def jobs(self) -> int:
        return self.completed + self.failed + self.canceled + self.expired + self.timed_out

    @property
    def success_rate(self) -> float | None:
        """Completed of those that were let to their end (all but the canceled); None when there were none."""
        ended = self.jobs - self.canceled
        return self.completed / ended if ended else None

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share of the completed jobs ran, to 5 % at worst; None when there were none."""
        left = share * sum(jobs for _, jobs in self.durations)
        for bucket, jobs in self.durations:
            if left <= jobs:
                return GROWTH ** (bucket - 1 + left / jobs) / 1000 if bucket else 0.001
            left -= jobs
        return None


@dataclass(frozen=True)
class Asked:
    """Which figures: of everyone or of one owner, of all kinds or of one, days inclusive (UTC, by the job's end)."""

    first: date
    last: date
    kind: str | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Summary:
    """`by_owner` holds the owners who had most done, most first; empty when one owner was asked for."""

    total: Figures = Figures()
    by_kind: dict[str, Figures] = field(default_factory=dict[str, Figures])
    by_day: dict[date, Figures] = field(default_factory=dict[date, Figures])
    by_owner: dict[str, Figures] = field(default_factory=dict[str, Figures])


@dataclass(frozen=True)
class Waiting:
    """Open jobs of a kind and status. `oldest_seconds`: how long the first that nobody has begun is due; None: none."""

    kind: str
    status: str
    jobs: int
    oldest_seconds: float | None


class Stats:
    """Whoever ends a job appends to `job_ends`; `roll` adds those up, and a read counts what is left of them."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def roll(self, *, portion: int = PORTION) -> int:
        """Add up to `portion` ends to the figures; how many there were (0 also while another process does it)."""
        async with self._database.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))", LOCK):
                return 0
            return await connection.fetchval(sql("roll_stats"), portion)

    async def catch_up(self, *, tail: int = 0) -> int:
        """Roll until at most `tail` ends are left, or somebody else rolls; how many were added up."""
        done = 0
        while await self._behind(tail):
            rolled = await self.roll()
            done += rolled
            if not rolled:
                break
        return done

    async def read(self, asked: Asked, *, top: int = 10) -> Summary:
        """The figures asked for, with the `top` owners when all owners are meant."""
        await self.catch_up(tail=TAIL)
        args = (asked.owner is None, asked.owner or "", asked.kind, asked.first, asked.last)
        counts, durations, by_owner = await asyncio.gather(
            self._database.fetch(sql("stats_counts"), *args),
            self._database.fetch(sql("stats_durations"), *args),
            self._owners(asked, top if asked.owner is None else 0),
        )
        ran = {(row["day"], row["kind"]): row for row in durations}
        figures = {(row["day"], row["kind"]): Figures.of(row, ran.get((row["day"], row["kind"]))) for row in counts}
        by_kind = {kind: found for (_, kind), found in figures.items() if kind is not None}
        by_day = {day: found for (day, _), found in figures.items() if day is not None}
        return Summary(
            total=figures.get((None, None), Figures()),
            by_kind=dict(sorted(by_kind.items(), key=itemgetter(0))),
            by_day=dict(sorted(by_day.items(), key=itemgetter(0))),
            by_owner=by_owner,
        )

    async def ever(self) -> dict[str, Figures]:
        """The figures of each kind since the ledger began: they only grow."""
        return (await self.read(Asked(date.min, date.max), top=0)).by_kind

    async def open(self) -> list[Waiting]:
        """What is open now."""
        return [Waiting(**row) for row in await self._database.fetch(sql("open_figures"))]

    async def _owners(self, asked: Asked, top: int) -> dict[str, Figures]:
        if not top:
            return {}
        rows = await self._database.fetch(sql("stats_owners"), asked.kind, asked.first, asked.last, top)
        return {row["owner"]: Figures.of(row, row) for row in rows}

    async def _behind(self, tail: int) -> bool:
        row = await self._database.row(
            "SELECT count(*) > $1 AS behind FROM (SELECT FROM job_ends LIMIT $1 + 1) e", tail
        )
        return bool(row and row["behind"])
