"""The `job_items` table: what a job does one after the other, and which jobs a bulk has chosen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from domain.bulk import KIND
from domain.job import Failure, Items
from domain.portions import Portion
from ledger.database import sql
from ledger.jobs import JobFilter, where

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.database import Database
    from ledger.jobs import After

TAKE_SECONDS = 120.0
COUNT = "SELECT count(*) FROM jobs j WHERE "
IDS = "SELECT j.id FROM jobs j WHERE "
TAKE = """INSERT INTO job_items (job_id, position, item)
    SELECT $1, row_number() OVER (ORDER BY j.created_at, j.id), to_jsonb(j.id) FROM jobs j WHERE """
TOTAL = """UPDATE jobs SET items = jsonb_build_object('done', 0, 'failed', 0, 'skipped', 0,
    'total', (SELECT count(*) FROM job_items WHERE job_id = $1)) WHERE id = $1"""


@dataclass(frozen=True)
class Selection:
    """Jobs that match the filter: all of them, or those of `ids`. A bulk is never chosen."""

    chosen: JobFilter
    ids: tuple[UUID, ...] | None = None

    def condition(self, args: list[Any]) -> str:
        found = f"{where(self.chosen, args)} AND j.kind <> '{KIND}'"
        if self.ids is None:
            return found
        args.append(list(self.ids))
        return f"{found} AND j.id = ANY(${len(args)})"


@dataclass(frozen=True)
class Item:
    """One of a job's items. While it is pending `outcome` is why it failed last, or None.

    `attempts` are the vendor's failures so far; `waited_seconds` what it was put off for without counting one.
    """

    position: int
    item: Any
    status: Literal["pending", "done", "failed", "skipped"] = "pending"
    outcome: dict[str, Any] | None = None
    attempts: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True)
class Settled:
    """How an item ended."""

    position: int
    status: Literal["done", "failed", "skipped"]
    outcome: dict[str, Any] | None = None


class JobItems:
    """Items of jobs, each settled once. The job's own row counts them."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def count(self, selection: Selection) -> int:
        args: list[Any] = []
        row = await self._database.row(COUNT + selection.condition(args), *args)
        return row["count"] if row else 0

    async def known(self, selection: Selection) -> set[UUID]:
        """The ids of those that are there."""
        args: list[Any] = []
        return {row["id"] for row in await self._database.fetch(IDS + selection.condition(args), *args)}

    def taking(self, selection: Selection) -> "After":
        """For `Jobs.also`: the job that is opened gets the ids of the chosen jobs as its items, the oldest first."""

        async def take(connection: "PoolConnectionProxy", opened: Sequence[UUID]) -> None:
            for job_id in opened:
                if await connection.fetchval("SELECT items IS NOT NULL FROM jobs WHERE id = $1", job_id):
                    continue  # a commit whose answer was lost: what matches by now is not what was asked for
                args: list[Any] = [job_id]
                # a million take half a minute, and nobody waits for this transaction but who asked
                await connection.execute(TAKE + selection.condition(args), *args, timeout=TAKE_SECONDS)
                await connection.execute(TOTAL, job_id)

        return take

    async def fill(self, job_id: UUID, items: Sequence[Any]) -> Items:
        """Give an open job its items, in that order; one that has them already keeps what it has."""
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", job_id)
            await connection.execute(sql("fill_items"), job_id, list(items))
        return await self.counts(job_id)

    async def reach(self, job_id: UUID, done: int, total: int, pace: float | None = None) -> None:
        """Say of a job that has no items yet how many seconds of a recording it has listened to; `pace`: in how many
        seconds each."""
        await self._database.execute(sql("reach_second"), job_id, done, total, pace)

    async def pending(self, job_id: UUID, limit: int) -> list[Item]:
        """The next items that may be done now."""
        rows = await self._database.fetch(
            """SELECT position, item, status, outcome, attempts, waited_seconds FROM job_items
            WHERE job_id = $1 AND status = 'pending' AND (due_at IS NULL OR due_at <= now())
            ORDER BY position LIMIT $2""",
            job_id,
            limit,
        )
        return [Item(**row) for row in rows]

    async def put_off(self, job_id: UUID, one: Item, failure: Failure, wait: float) -> None:
        """Offer a pending item again after `wait` seconds, with the counts that it has by now."""
        await self._database.execute(
            """UPDATE job_items SET attempts = $3, waited_seconds = $4, outcome = $5,
                due_at = now() + make_interval(secs => $6)
            WHERE job_id = $1 AND position = $2 AND status = 'pending'""",
            job_id,
            one.position,
            one.attempts,
            one.waited_seconds,
            failure.model_dump(by_alias=True),
            wait,
        )

    async def portion(self, job_id: UUID) -> Portion:
        """How far the job is; `wait_seconds` until the next item is due, 0 when one is."""
        row = await self._database.row(
            """SELECT items, EXISTS (SELECT FROM job_items WHERE job_id = $1 AND status = 'pending') AS some,
                CASE WHEN NOT EXISTS (SELECT FROM job_items WHERE job_id = $1 AND status = 'pending'
                        AND (due_at IS NULL OR due_at <= now()))
                    THEN (SELECT greatest(extract(epoch FROM min(due_at) - now()), 0)::double precision
                        FROM job_items WHERE job_id = $1 AND status = 'pending') END AS wait
            FROM jobs WHERE id = $1""",
            job_id,
        )
        if row is None or row["items"] is None:
            return Portion(items=Items(), left=False)
        items = Items.model_validate(row["items"])
        return Portion(items=items, left=row["some"], wait_seconds=row["wait"] or 0.0)

    async def page(self, job_id: UUID, after: int, limit: int) -> list[Item]:
        """Items with a position above `after`, in order."""
        rows = await self._database.fetch(
            """SELECT position, item, status, outcome FROM job_items
            WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3""",
            job_id,
            after,
            limit,
        )
        return [Item(**row) for row in rows]

    async def settle(self, job_id: UUID, ended: Sequence[Settled], *, pace: float | None = None) -> None:
        """Keep how items ended; those that have ended before stay as they are. `pace`: seconds that one takes."""
        settled, positions = [asdict(one) for one in ended], [one.position for one in ended]
        await self._database.execute(sql("settle_items"), job_id, settled, positions, pace)

    async def counts(self, job_id: UUID) -> Items:
        row = await self._database.row("SELECT items FROM jobs WHERE id = $1", job_id)
        return Items.model_validate(row["items"]) if row and row["items"] else Items()

    async def canceled_since(self, job_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Those of the jobs whose cancel was asked for after this job was."""
        rows = await self._database.fetch(
            """SELECT id FROM jobs WHERE id = ANY($2)
                AND cancel_requested_at >= (SELECT created_at FROM jobs WHERE id = $1)""",
            job_id,
            ids,
        )
        return {row["id"] for row in rows}
