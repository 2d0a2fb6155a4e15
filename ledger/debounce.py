"""Debounced jobs: as long as one waits, the same call pushes its start away and opens nothing."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.job import Status
from ledger.database import sql
from ledger.rows import Opened

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


async def join_waiting(connection: "PoolConnectionProxy", portion: list[dict[str, Any]]) -> dict[UUID, Opened]:
    """The waiting job that a debounced one, alone in its portion, joins; empty if there is none."""
    [record, *_] = portion
    if "debounce_key" not in record:
        return {}
    asked, row = UUID(record["id"]), await connection.fetchrow(sql("debounce"), record)
    if row is None:
        return {}
    # after a commit whose answer was lost it meets itself
    return {asked: Opened(row["id"], Status(row["status"]), "opened" if row["id"] == asked else "waiting")}
