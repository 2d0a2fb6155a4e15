"""Debounced jobs: as long as one waits, the same call pushes its start away and opens nothing."""

from typing import TYPE_CHECKING
from uuid import UUID

from domain.job import Status
from ledger.database import sql
from ledger.rows import Opened

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.rows import NewJob


async def join_waiting(connection: "PoolConnectionProxy", new: "NewJob") -> dict[UUID, Opened]:
    """The waiting job that a debounced one joins; empty if there is none."""
    row = await connection.fetchrow(sql("debounce"), new.record())
    if row is None:
        return {}
    # after a commit whose answer was lost it meets itself
    return {new.id: Opened(row["id"], Status(row["status"]), "opened" if row["id"] == new.id else "waiting")}
