"""What the dispatcher asks of the ledger: admission and outbox in one, under one advisory lock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.admission import Lane, Slots, Waiting, choose, ranked
from ledger.database import sql
from ledger.lanes import LOCK, Lanes
from ledger.queues import slots_of
from ledger.rows import Claimed

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.database import Database

CLAIM = timedelta(seconds=15)
# A process that is stopped, or cut off, in the middle of a turn must not keep the others from theirs.
FROZEN = timedelta(seconds=5)
# how many a turn gives a rank, how many it lets expire
ARRIVALS = 500
TAKE = """SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))
    AND set_config('idle_in_transaction_session_timeout', $2, true) IS NOT NULL"""


@dataclass(frozen=True)
class Turn:
    """What one turn may do: jobs to start, and started jobs whose cancel is to be sent. `more`: look again at once."""

    starts: Sequence[Claimed] = ()
    cancels: Sequence[UUID] = ()
    more: bool = False


class Dispatch:
    """Claims hold 15 s: a claimed row is in somebody's hands, so a cancel of it goes through the engine."""

    def __init__(self, database: "Database", *, in_flight: int = 500, frozen: timedelta = FROZEN) -> None:
        """`frozen`: a turn from which nothing is heard for so long is undone."""
        self._database = database
        self._in_flight = in_flight
        self._frozen = f"{frozen // timedelta(milliseconds=1)}ms"

    async def claim(self, at_most: int) -> Turn:
        """Admit up to `at_most` jobs; nothing when another process holds the lock."""
        async with self._database.acquire() as connection, connection.transaction():
            if not await connection.fetchval(TAKE, LOCK, self._frozen):
                return Turn()
            expired = await connection.fetch(sql("expire"), ARRIVALS)
            again = await connection.fetch(sql("reclaim"), at_most, CLAIM)
            starts, more = await self._admit(connection, at_most - len(again))
            cancels = await connection.fetch(sql("claim_cancels"), at_most, CLAIM)
        full = at_most in (len(again) + len(starts), len(cancels))
        more = more or full or len(expired) == ARRIVALS
        return Turn([Claimed(**row) for row in (*again, *starts)], [row["id"] for row in cancels], more)

    async def _admit(self, connection: "PoolConnectionProxy", at_most: int) -> tuple[Sequence[Any], bool]:
        """The rows to start, and whether there is more to look at."""
        arrivals = await connection.fetch(sql("arrivals"), ARRIVALS)
        if not arrivals and not await connection.fetchval("SELECT true FROM lanes ORDER BY kind, owner LIMIT 1"):
            return [], False
        [facts] = await connection.fetch(sql("admission_facts"))
        lanes, slots, clock = Lanes(connection), slots_of(facts), {row["kind"]: row["clock"] for row in facts["queues"]}
        # before all have their ranks nobody starts: the last to come may be the first in order
        settled = len(arrivals) < ARRIVALS
        room = max(0, min(at_most, self._in_flight - slots.taken + facts["resting"])) if settled else 0
        last: Mapping[UUID, float | None] = {row["id"]: row["last"] for row in arrivals}
        fresh = ranked([_waiting(row) for row in arrivals], clock, lambda job: last[job.id])
        # where others wait, who comes anew queues up behind them first
        behind = {row["kind"] for row in facts["queues"] if row["behind"]}
        direct = [job for job in fresh if job.kind not in behind]
        await _queue_up(connection, lanes, [job for job in fresh if job.kind in behind])
        for kind, what, name in facts["stops"]:
            if free := slots.free(kind, what, name, room):
                await lanes.come_back(kind, what, name, free)
        found = await lanes.first([kind for kind in behind if slots.open(kind)], room) if room else []
        waiting = [_waiting(row, row["rank"]) for row in found if row["id"]]
        admitted, stopped = choose([*direct, *waiting], slots, room, clock)
        starts = await _claim(connection, admitted)
        left = [job for job in direct if job not in admitted]
        await _queue_up(connection, lanes, left)
        looked: set[Lane] = {(row["kind"], row["owner"], row["key"]) for row in found}
        await lanes.refresh(looked)
        await lanes.park(stopped)
        await _note_starts(connection, admitted, slots, behind | {job.kind for job in left})
        return starts, not settled or len(waiting) < len(found)

    async def started(self, job_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Mark jobs as in the engine; returns those for which a cancel was asked meanwhile."""
        rows = await self._database.fetch(
            """UPDATE jobs SET engine_started_at = coalesce(engine_started_at, now()), claimed_until = now()
            WHERE id = ANY($1) RETURNING id, cancel_requested_at IS NOT NULL AND cancel_sent_at IS NULL AS cancel""",
            job_ids,
        )
        return [row["id"] for row in rows if row["cancel"]]

    async def cancel_sent(self, job_id: UUID) -> None:
        """The engine has taken the cancel, so it knows the job."""
        await self._database.execute(
            """UPDATE jobs SET engine_started_at = coalesce(engine_started_at, now()), cancel_sent_at = now(),
                claimed_until = now() WHERE id = $1""",
            job_id,
        )

    async def later(self, job_ids: Sequence[UUID], seconds: float) -> None:
        """The engine did not answer: keep the claim, so that nobody ends the row, and try again soon."""
        await self._database.execute(
            "UPDATE jobs SET claimed_until = now() + make_interval(secs => $2) WHERE id = ANY($1)", job_ids, seconds
        )


async def _queue_up(connection: "PoolConnectionProxy", lanes: Lanes, jobs: Sequence[Waiting]) -> None:
    """Write the ranks of jobs that wait from now on."""
    if jobs:
        nobody = [False] * len(jobs)
        await connection.fetch(sql("claim_starts"), [job.id for job in jobs], [job.rank for job in jobs], nobody, CLAIM)
        await lanes.take_in(jobs)


async def _claim(connection: "PoolConnectionProxy", jobs: Sequence[Waiting]) -> Sequence[Any]:
    if not jobs:
        return []
    everybody = [True] * len(jobs)
    return await connection.fetch(
        sql("claim_starts"), [job.id for job in jobs], [job.rank for job in jobs], everybody, CLAIM
    )


def _waiting(row: Mapping[str, Any], rank: float = 0.0) -> Waiting:
    return Waiting(row["id"], row["kind"], row["owner"], row["key"], row["tier"], row["priority"], rank)


async def _note_starts(
    connection: "PoolConnectionProxy", admitted: Sequence[Waiting], slots: Slots, behind: Iterable[str]
) -> None:
    """Set the clocks of kinds in which somebody waits, and remember the starts of kinds with a limit on them."""
    if clocks := {kind: max((job.rank for job in admitted if job.kind == kind), default=0.0) for kind in behind}:
        await connection.execute(
            """INSERT INTO queues AS q (kind, clock) SELECT * FROM unnest($1::text[], $2::float8[])
            ON CONFLICT (kind) DO UPDATE SET clock = greatest(q.clock, excluded.clock)""",
            list(clocks),
            list(clocks.values()),
        )
    if limited := [job.kind for job in admitted if slots.of(job.kind).starts_per_minute is not None]:
        await connection.execute("DELETE FROM recent_starts WHERE at < now() - interval '1 minute'")
        await connection.execute("INSERT INTO recent_starts (kind) SELECT unnest($1::text[])", limited)
