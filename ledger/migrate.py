"""Plain SQL files, applied in order of their names, each once, under an advisory lock."""

from importlib.resources import files

import asyncpg

from ledger.database import reaching_postgres

LOCK = 0x10_4E_67_72


def _migrations() -> list[tuple[str, str]]:
    folder = files("ledger").joinpath("migrations")
    return sorted((entry.name, entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql"))


async def migrate(dsn: str, schema: str) -> list[str]:
    """Bring `schema` up to date; concurrent callers wait for each other. Returns the names applied now."""
    with reaching_postgres():
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            await connection.execute("SELECT pg_advisory_lock($1, hashtext($2))", LOCK & 0x7FFFFFFF, schema)
            quoted = '"' + schema.replace('"', '""') + '"'
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted}")
            await connection.execute("SELECT set_config('search_path', $1, false)", schema)
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
            )
            known = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
            applied: list[str] = []
            for name, statements in _migrations():
                if name not in known:
                    async with connection.transaction():
                        await connection.execute(statements)
                        await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)
                    applied.append(name)
            return applied
        finally:
            await connection.close()


async def pending(dsn: str, schema: str) -> list[str]:
    """The migrations that this code wants and the schema lacks (for /readyz and workers at start)."""
    with reaching_postgres():
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            exists = await connection.fetchval("SELECT to_regclass($1 || '.migrations') IS NOT NULL", schema)
            if not exists:
                return [name for name, _ in _migrations()]
            await connection.execute("SELECT set_config('search_path', $1, false)", schema)
            known = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
            return [name for name, _ in _migrations() if name not in known]
        finally:
            await connection.close()
