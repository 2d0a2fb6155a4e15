"""The `lanes` table: a row for each (kind, owner, concurrency key) that waits. Written under the dispatcher's LOCK."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.admission import Lane, Stop, Waiting
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

LOCK = 0x10_4E_67_73


class Lanes:
    """Lanes that met a limit are parked, so that those behind them are found at once, however many they are."""

    def __init__(self, connection: "PoolConnectionProxy") -> None:
        self._connection = connection

    async def first(self, kinds: Sequence[str], at_most: int) -> Sequence[Any]:
        """The first waiting jobs of each kind, lane by lane; a row without `id` is a lane out of date."""
        return await self._connection.fetch(sql("waiting"), kinds, at_most) if kinds else []

    async def take_in(self, jobs: Iterable[Waiting]) -> None:
        """Have lanes for jobs that wait from now on."""
        heads: dict[Lane, tuple[int, float]] = {}
        lasts: dict[Lane, float] = {}
        for job in jobs:
            place = (job.priority, job.rank)
            heads[job.lane] = min(heads.get(job.lane, place), place)
            lasts[job.lane] = max(lasts.get(job.lane, job.rank), job.rank)
        if not heads:
            return
        await self._connection.execute(
            """INSERT INTO lanes AS l (kind, owner, key, head_priority, head_rank, last_rank)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::float8[], $6::float8[])
            ON CONFLICT (kind, owner, key) DO UPDATE SET (head_priority, head_rank) = (
                SELECT * FROM (VALUES (l.head_priority, l.head_rank), (excluded.head_priority, excluded.head_rank)) h
                ORDER BY 1, 2 LIMIT 1), last_rank = greatest(l.last_rank, excluded.last_rank)""",
            *_columns(heads),
            [priority for priority, _ in heads.values()],
            [rank for _, rank in heads.values()],
            list(lasts.values()),
        )

    async def refresh(self, lanes: Iterable[Lane]) -> None:
        """Look up the heads of lanes from which jobs were taken; empty ones go."""
        if lanes:
            await self._connection.execute(sql("refresh_lanes"), *_columns(lanes))

    async def park(self, stopped: Mapping[Lane, Stop]) -> None:
        """Put lanes away until their owner or their key has a free slot. Other limits stop a whole kind."""
        for what in ("owner", "key"):
            lanes = [lane for lane, stop in stopped.items() if stop == what]
            if lanes:
                await self._connection.execute(
                    """UPDATE lanes SET parked = $4
                    WHERE (kind, owner, key) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))""",
                    *_columns(lanes),
                    what,
                )
                await self._connection.execute(
                    """INSERT INTO stops (kind, what, name)
                    SELECT DISTINCT kind, $3, name FROM unnest($1::text[], $2::text[]) s (kind, name)
                    ON CONFLICT DO NOTHING""",
                    [kind for kind, _, _ in lanes],
                    [owner if what == "owner" else key for _, owner, key in lanes],
                    what,
                )

    async def come_back(self, kind: str, what: str, name: str, free: int) -> None:
        """Let the first `free` lanes that the owner's or the key's limit had parked be looked at again."""
        back = await self._connection.fetch(sql("come_back"), kind, what, name, free)
        if len(back) < free:
            await self._connection.execute(
                "DELETE FROM stops WHERE kind = $1 AND what = $2 AND name = $3", kind, what, name
            )


def _columns(lanes: Iterable[Lane]) -> tuple[list[str], list[str], list[str]]:
    kinds, owners, keys = zip(*lanes, strict=True)
    return list(kinds), list(owners), list(keys)
