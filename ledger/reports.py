"""Reconciliation as the ledger sees it: which rows the engine should know, and the last report."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.job import Status
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database

PAGE = 1000
OUTPUT_BYTES = 100_000
TIMES = ("scheduled_at", "started_at", "finished_at")
# each with an index of its own
SETTLED = (
    "j.finished_at IS NULL AND j.engine_started_at < now() - make_interval(secs => $1)",
    """j.status IN ('queued', 'delayed', 'running') AND j.engine_started_at IS NULL AND j.fair_rank IS NOT NULL
        AND j.claimed_until < now() - make_interval(secs => $1)""",
)


@dataclass(frozen=True)
class Known:
    """What stands in the ledger about an execution's job. `marked`: known to have been taken to the engine."""

    id: UUID
    kind: str
    status: Status
    marked: bool
    finished_at: datetime | None


@dataclass(frozen=True)
class InEngine:
    """An open job that somebody took to the engine (not `marked`: and did not live to say so).

    `ran`: a step of it has begun. `opener`: the id of the workflow that opened it and starts it as its child, if any.
    """

    id: UUID
    kind: str
    status: Status
    created_at: datetime
    marked: bool
    ran: bool
    canceled: bool
    opener: str | None


@dataclass(frozen=True)
class DoneStep:
    """A step that the engine knows to be done."""

    activity_id: str
    scheduled_at: datetime
    delivery: int
    started_at: datetime
    finished_at: datetime
    output: Any


class Reports:
    """Rows to compare with the engine, and what came of it."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def in_engine(self, *, settled_seconds: float = 2.0) -> AsyncGenerator[Sequence[InEngine]]:
        """Open jobs that somebody took to the engine, newest first, up to PAGE at a time.

        What was touched a moment ago is left out, so that no start is in flight.
        """
        for settled in SETTLED:
            query, at, job_id = sql("in_engine").format(settled=settled), None, None
            while rows := await self._database.fetch(query, settled_seconds, at, job_id, PAGE):
                yield [InEngine(**_typed(row)) for row in rows]
                at, job_id = rows[-1]["created_at"], rows[-1]["id"]

    async def known(self, job_ids: Sequence[UUID]) -> dict[UUID, Known]:
        """What stands about those of the ids that are jobs here."""
        rows = await self._database.fetch(
            """SELECT id, kind, status, engine_started_at IS NOT NULL AS marked, finished_at
            FROM jobs WHERE id = ANY($1)""",
            job_ids,
        )
        return {row["id"]: Known(**_typed(row)) for row in rows}

    async def take_over(self, job_id: UUID, steps: Sequence[DoneStep]) -> None:
        """Write the steps that an open job's execution did and that the ledger does not know to be done."""
        records = [
            {**vars(step), **{name: getattr(step, name).isoformat() for name in TIMES}, "output": _kept(step.output)}
            for step in steps
        ]
        if records:
            await self._database.execute(sql("take_over_steps"), job_id, records)

    async def close_steps(self, since: datetime) -> Sequence[UUID]:
        """Close steps that stayed open in jobs that have ended since then; answers with these jobs."""
        rows = await self._database.fetch(sql("close_steps"), since)
        return [row["id"] for row in rows]

    async def save(self, name: str, report: dict[str, Any]) -> None:
        await self._database.execute(
            """INSERT INTO reports (name, report) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET report = excluded.report, at = now()""",
            name,
            report,
        )

    async def last(self, name: str) -> tuple[datetime, dict[str, Any]] | None:
        row = await self._database.row("SELECT at, report FROM reports WHERE name = $1", name)
        return (row["at"], row["report"]) if row else None


def _typed(row: "Record") -> dict[str, Any]:
    return {**row, "status": Status(row["status"])}


def _kept(output: Any) -> Any:
    return output if len(json.dumps(output, default=str)) <= OUTPUT_BYTES else None
