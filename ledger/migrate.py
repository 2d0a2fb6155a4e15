"""Plain SQL files, applied in order of their names, each once, under an advisory lock.

Everything lives inside transactions, so that it works through a transaction pooler too.
"""

from importlib.resources import files

import asyncpg

from ledger.database import quoted, reaching_postgres

LOCK = 0x10_4E_67_72
TABLE = "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"


def _migrations() -> list[tuple[str, str]]:
    folder = files("ledger").joinpath("migrations")
    return sorted((entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql"))


async def migrate(dsn: str, schema: str) -> list[str]:
    """Bring `schema` up to date; concurrent callers wait for each other. Returns the names applied now."""
    with reaching_postgres():
        connection = await asyncpg.connect(dsn, timeout=10, statement_cache_size=0)
        try:
            applied: list[str] = []
            while name := await _apply_next(connection, schema):
                applied.append(name)
            return applied
        finally:
            await connection.close()


async def _apply_next(connection: asyncpg.Connection, schema: str) -> str | None:
    """Apply the first migration that is missing, in a transaction of its own; None when none is."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK & 0x7FFFFFFF, schema)
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        await connection.execute("SELECT set_config('search_path', $1, true)", schema)
        await connection.execute(TABLE)
        known = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
        for name, statements in _migrations():
            if name not in known:
                await connection.execute(statements)
                await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)
                return name
    return None


async def pending(dsn: str, schema: str) -> list[str]:
    """The migrations that this code wants and the schema lacks (for /readyz and workers at start)."""
    with reaching_postgres():
        connection = await asyncpg.connect(dsn, timeout=5, statement_cache_size=0)
        try:
            async with connection.transaction(readonly=True):
                await connection.execute("SELECT set_config('search_path', $1, true)", schema)
                known: set[str] = set()
                if await connection.fetchval("SELECT to_regclass('migrations') IS NOT NULL"):
                    known = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
                return [name for name, _ in _migrations() if name not in known]
        finally:
            await connection.close()
