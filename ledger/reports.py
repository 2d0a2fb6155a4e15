"""Reconciliation as the ledger sees it: which rows the engine should know, and the last report."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from ledger.database import Database


class Reports:
    """Rows to compare with the engine, and what came of it."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def in_engine(self, *, settled_seconds: float = 2.0) -> Sequence[UUID]:
        """Open jobs that somebody took to the engine, left alone for a moment so that no start is in flight."""
        rows = await self._database.fetch(
            """SELECT id FROM jobs WHERE status IN ('queued', 'delayed', 'running')
                AND coalesce(engine_started_at, claimed_until) < now() - make_interval(secs => $1)
            ORDER BY created_at""",
            settled_seconds,
        )
        return [row["id"] for row in rows]

    async def open_among(self, job_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the ids that are open jobs here."""
        rows = await self._database.fetch(
            "SELECT id FROM jobs WHERE id = ANY($1) AND status IN ('queued', 'delayed', 'running')", job_ids
        )
        return {row["id"] for row in rows}

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
