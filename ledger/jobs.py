"""The `jobs` table: open, read, list, cancel, finish. One method, one transaction."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from domain.errors import IdempotencyConflict, LedgerUnavailable
from domain.job import Failure, Outcome, Standing, Status
from ledger.database import named, sql
from ledger.debounce import join_waiting
from ledger.rows import JobRow, NewJob, Opened

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.database import Database

    After = Callable[[PoolConnectionProxy, Sequence[UUID]], Awaitable[None]]

RACES = 5


@dataclass(frozen=True)
class JobFilter:
    """What `list` selects; every given field must match. `tag` and `owner` are exact."""

    kind: str | None = None
    status: str | None = None
    owner: str | None = None
    tag: str | None = None
    batch_id: UUID | None = None
    parent_id: UUID | None = None
    schedule_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    only_open: bool = False
    retrying: bool = False
    stuck: bool = False


class _Raced(Exception):
    """What stood in a job's way was gone again when it was looked up."""


class Jobs:
    """Jobs in the ledger. `cache_for`: how old a result may be to answer the same question again."""

    def __init__(
        self, database: "Database", *, cache_for: timedelta = timedelta(hours=24), after: "After | None" = None
    ) -> None:
        """`after` is done in the transaction of each `open`, with the ids that it opened."""
        self._database = database
        self._cache_for = cache_for
        self._after = after

    def also(self, after: "After") -> "Jobs":
        """The same ledger, whose `open` does more."""
        return Jobs(self._database, cache_for=self._cache_for, after=after)

    async def open(self, new: Sequence[NewJob]) -> list[Opened]:
        """Commit jobs with their keys and first events, all or nothing; answers in the order asked.

        A commit whose answer was lost is repeated once on a new connection: the ids are the caller's, so a row that
        stands already is the answer. Raises IdempotencyConflict; LedgerUnavailable with the job id when it may exist.
        """
        try:
            return await self._open(new)
        except LedgerUnavailable as error:
            if not error.in_doubt:
                raise
        try:
            return await self._open(new)
        except LedgerUnavailable as error:
            raise LedgerUnavailable(job_id=str(new[0].id)) from error

    async def _open(self, new: Sequence[NewJob]) -> list[Opened]:
        for _ in range(RACES):
            try:
                return await self._open_whole(new)
            except (_Raced, asyncpg.ForeignKeyViolationError):
                continue  # the latter: a key was taken for a job that lost the race for its active key
        raise LedgerUnavailable("the same job is being asked for too often at once")

    async def _open_whole(self, new: Sequence[NewJob]) -> list[Opened]:
        """All of them or an exception and none; a single job needs no transaction around its statement."""
        # debounced ones meet each other too, in the order asked
        statement, (_, *fields) = named("open_job")
        portions = [[job] for job in new] if any(job.debounce_key is not None for job in new) else [new]
        opened: dict[UUID, Opened] = {}
        async with (
            self._database.acquire() as connection,
            connection.transaction() if len(new) > 1 or self._after or new[0].items is not None else nullcontext(),
        ):
            for portion in portions:
                if portion[0].debounce_key and (joined := await join_waiting(connection, portion[0])):
                    opened |= joined
                    continue
                given = [[self._cache_for, *job.arguments(fields)] for job in portion]
                opening = (
                    connection.fetch(statement, *given[0])
                    if len(given) == 1
                    else connection.fetchmany(statement, given)
                )
                opened |= {row["id"]: Opened(row["id"], Status(row["status"])) for row in await opening}
                if missing := [job.record() for job in portion if job.id not in opened]:
                    opened |= _standing(await connection.fetch(sql("find_existing"), missing))
            if len(opened) < len(new):
                raise _Raced
            for job in new:
                if job.items is not None and opened[job.id].why == "opened":
                    await connection.execute(sql("fill_items"), job.id, list(job.items))
            if self._after:
                await self._after(connection, [one.id for one in opened.values() if one.why == "opened"])
        return [opened[job.id] for job in new]

    async def get(self, job_id: UUID) -> JobRow | None:
        row = await self._database.row(sql("get_job") + "WHERE j.id = $1", job_id)
        return JobRow.of(row) if row else None

    async def list(
        self, chosen: JobFilter, *, limit: int = 50, before: tuple[datetime, UUID] | None = None
    ) -> Sequence[JobRow]:
        """Newest first, at most `limit`, older than `before` (the last row's created_at and id)."""
        args: list[Any] = []
        query = where(chosen, args)
        if before is not None:
            args += before
            query += f" AND (j.created_at, j.id) < (${len(args) - 1}, ${len(args)})"
        args.append(limit)
        return [
            JobRow.of(row)
            for row in await self._database.fetch(
                f"{sql('get_job')} WHERE {query} ORDER BY j.created_at DESC, j.id DESC LIMIT ${len(args)}", *args
            )
        ]

    async def given_items(self, job_id: UUID) -> Sequence[Any]:
        """The items that the job was asked with, in that order."""
        rows = await self._database.fetch("SELECT item FROM job_items WHERE job_id = $1 ORDER BY position", job_id)
        return [row["item"] for row in rows]

    async def spent(self, job_id: UUID) -> tuple[int, Decimal]:
        """(tokens, USD) that a job and all jobs inside it have cost so far."""
        row = await self._database.row(
            """WITH RECURSIVE family AS (
                SELECT id, spent_tokens, spent_usd FROM jobs WHERE id = $1
                UNION ALL SELECT j.id, j.spent_tokens, j.spent_usd FROM jobs j JOIN family f ON j.parent_id = f.id
            )
            SELECT sum(spent_tokens)::bigint AS tokens, sum(spent_usd) AS usd FROM family""",
            job_id,
        )
        return (row["tokens"] or 0, row["usd"] or Decimal(0)) if row else (0, Decimal(0))

    async def cancel(self, job_id: UUID, *, reason: str | None, by: str | None) -> bool:
        """Ask for the end of an open job. False: it is not open (or not there). Without `by` its owner asks."""
        return bool(await self._database.fetch(sql("cancel"), [job_id], reason, by))

    async def cancel_many(self, job_ids: Sequence[UUID], *, reason: str | None, by: str | None) -> set[UUID]:
        """Ask for the end of open jobs in one statement; answers those that were open.

        Rows in somebody's hands are left out of it and follow one by one: who holds several of them may have locked
        them in another order.
        """
        async with self._database.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                "SELECT id FROM jobs WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED", job_ids
            )
            free = {row["id"] for row in rows}
            taken = {row["id"] for row in await connection.fetch(sql("cancel"), list(free), reason, by)}
        return taken | {job_id for job_id in set(job_ids) - free if await self.cancel(job_id, reason=reason, by=by)}

    async def finish(self, outcome: Outcome, *, canceled_by: str | None = None) -> Standing | None:
        """Write the end, unless one stands; answer with the end that stands (None: no such job)."""
        error = outcome.error.model_dump(by_alias=True) if outcome.error else None
        async with self._database.acquire() as connection, connection.transaction():
            # the lock comes first, so that the statement after it sees every step that was written before
            await connection.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", outcome.job_id)
            result = outcome.result
            if outcome.listed:
                result = {**result, outcome.listed: await connection.fetchval(sql("list_items"), outcome.job_id)}
            row = await connection.fetchrow(
                sql("finish"), outcome.job_id, outcome.status, result, error, outcome.answered_by, canceled_by
            )
            if row is None:
                other = outcome.status != Status.COMPLETED
                query = "SELECT status, error, CASE WHEN $2 THEN result END AS result FROM jobs WHERE id = $1"
                row = await connection.fetchrow(query, outcome.job_id, other)
        if row is None:
            return None
        error = Failure.model_validate(row["error"]) if row["error"] else None
        return Standing(status=row["status"], error=error, result=row.get("result"))


def _standing(rows: "Sequence[asyncpg.Record]") -> dict[UUID, Opened]:
    """What stands in each job's place, by the id that was asked; raises IdempotencyConflict."""
    standing: dict[UUID, Opened] = {}
    for row in rows:
        if row["asked"] not in standing:
            if not row["same"]:
                raise IdempotencyConflict("this idempotency key came with another payload before")
            standing[row["asked"]] = Opened(row["id"], Status(row["status"]), row["why"])
    return standing


CONDITIONS = {
    "kind": "j.kind = {}",
    "owner": "j.owner = {}",
    "tag": "{} = ANY(j.tags)",
    "batch_id": "j.batch_id = {}",
    "parent_id": "j.parent_id = {}",
    "schedule_id": "j.schedule_id = {}",
    "created_after": "j.created_at > {}",
    "created_before": "j.created_at < {}",
}
# few however many jobs there are; in the very words of the index jobs_in_engine
IN_ENGINE = "j.engine_started_at IS NOT NULL AND j.finished_at IS NULL"
# one look a job: as a join it could read every step there is
TRIES_AGAIN = "(SELECT true FROM job_steps r WHERE r.job_id = j.id AND r.status = 'retrying' LIMIT 1)"
SILENT = "j.updated_at < now() - interval '15 seconds' AND silent_step(j.id, j.plan, j.updated_at) IS NOT NULL"
# by the index on tags, where nothing narrower is asked: of a tag that many have it finds them all
TAG_ALONE = "j.tags @> ARRAY[{}::text] AND j.tags <> '{{}}'"
NARROWER = ("owner", "batch_id", "parent_id", "schedule_id")
FLAGS = {
    "only_open": "j.status IN ('queued', 'delayed', 'running')",
    "retrying": f"{IN_ENGINE} AND {TRIES_AGAIN}",
    "stuck": f"{IN_ENGINE} AND {SILENT}",
}


def where(chosen: JobFilter, args: list[Any]) -> str:
    """The filter as a condition on `jobs j`; what it compares with is appended to `args`."""
    conditions: list[str] = ["true"]
    for name, condition in CONDITIONS.items():
        if (value := getattr(chosen, name)) is not None:
            args.append(value)
            if name == "tag" and all(getattr(chosen, other) is None for other in NARROWER):
                condition = TAG_ALONE
            conditions.append(condition.format(f"${len(args)}"))
    if chosen.status is not None:
        # in the text, so that the planner sees which of the indexes for some statuses fits
        conditions.append(f"j.status = '{Status(chosen.status).value}'")
    conditions += [condition for name, condition in FLAGS.items() if getattr(chosen, name)]
    return " AND ".join(conditions)
