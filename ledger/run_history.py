"""A runner's whole history as the items of one job: chosen, begun batch by batch, counted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.job import Items, Tier
from domain.running.batch import Batch, Other
from domain.running.contents import HALVES, Half
from domain.running.ingest import (
    AT_ONCE,
    MOST_FAILURES,
    Ended,
    HalfCounts,
    HistoryState,
    IngestRequest,
    ToDo,
    most_runs,
    tier_of,
)
from domain.running.sheet import NEAR, RECENT
from domain.usage import Usage
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run whose `halves` the job has still to write; who wrote those that it has `written`; and whether it has `paid`
    for a call about it."""

    id: UUID
    halves: tuple[Half, ...]
    written: dict[str, Any]
    paid: bool


class RunHistory:
    """Reads and writes for many runs at once: a statement each, however many they are."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def tier(self, asked: IngestRequest) -> Tier:
        """The user's own tier, or a lower one if the payload says so."""
        row = await self._database.row("SELECT tier FROM users WHERE id = $1", asked.user_id)
        return tier_of(row["tier"] if row else None, asked.tier)

    async def select(self, job_id: UUID, asked: IngestRequest) -> Items:
        """Make the user's most recent runs the job's items; done once, repeated calls answer what stands.

        Raises TierLimit.
        """
        most = most_runs(await self.tier(asked), asked)
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", job_id)
            items = await connection.fetchval("SELECT items FROM jobs WHERE id = $1", job_id)
            if items is None:
                await connection.execute(sql("fill_ingest"), job_id, asked.user_id, most, asked.regenerate)
                items = await connection.fetchval("SELECT items FROM jobs WHERE id = $1", job_id)
        return Items.model_validate(items or {})

    async def begin(
        self, job_id: UUID, asked: IngestRequest, runs: Sequence[UUID], step: str
    ) -> tuple[dict[UUID, BegunRun], Batch]:
        """The runs that are there; and those that miss halves, with the runs of the time before and some of about their
        length. It is noted that the missing halves are being written. The calls of `step` are named run:half."""
        rows = await self._database.fetch(sql("begin_ingest"), job_id, asked.user_id, runs, asked.regenerate, step)
        begun = {
            row["id"]: BegunRun(row["id"], tuple(row["halves"]), row["written"] or {}, row["paid"]) for row in rows
        }
        some = [row for row in rows if row["halves"]]
        read = [(str(row["id"]), row["name"], row["started_at"], row["facts"]) for row in some]
        timezone = rows[0]["timezone"] if rows else None
        return begun, Batch(asked.user_id, timezone, read, await self._others(asked.user_id, some))

    async def _others(self, user_id: str, begun: "Sequence[Record]") -> list[Other]:
        """The runs that these are set beside."""
        if not begun:
            return []
        starts, ids = [row["started_at"] for row in begun], [row["id"] for row in begun]
        rows = await self._database.fetch(sql("set_beside"), user_id, ids, NEAR, min(starts) - RECENT, max(starts))
        return [tuple(row) for row in rows]

    async def ended(self, job_id: UUID) -> Ended:
        """What came of a job so far."""
        row = await self._database.row(sql("ingest_end"), job_id, MOST_FAILURES)
        if row is None:
            return Ended(items=Items(), texts={}, writers=(), failures=(), usage=Usage(), cost_usd=None)
        return Ended(
            items=Items.model_validate(row["items"] or {}),
            texts=row["texts"],
            writers=tuple(row["writers"]),
            failures=row["failures"],
            usage=Usage(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"]),
            cost_usd=row["cost_usd"],
        )

    async def todo(self, asked: IngestRequest) -> ToDo:
        """What an ingest would find. Raises TierLimit."""
        tier = await self.tier(asked)
        row = await self._database.row(sql("ingest_todo"), asked.user_id, most_runs(tier, asked), asked.regenerate)
        runs = row["runs"] if row else 0
        return ToDo(
            tier=tier,
            runs=runs,
            batches=-(-runs // AT_ONCE[tier]),
            missing={half: (row[half] or 0) if row else 0 for half in HALVES},
            averages=(row["averages"] if row else None) or {},
            seconds_a_run=row["seconds_a_run"] if row else None,
        )

    async def state(self, user_id: str) -> HistoryState:
        """How many of the user's runs have what."""
        rows = await self._database.fetch(
            """SELECT letter_status, coaching_status, count(*) AS runs FROM generation_status
            WHERE user_id = $1 GROUP BY letter_status, coaching_status""",
            user_id,
        )
        letters: dict[str, int] = defaultdict(int)
        insights: dict[str, int] = defaultdict(int)
        for row in rows:
            letters[row["letter_status"]] += row["runs"]
            insights[row["coaching_status"]] += row["runs"]
        return HistoryState(
            activities=sum(letters.values()), letters=HalfCounts(**letters), insights=HalfCounts(**insights)
        )
