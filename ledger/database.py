"""The one way to PostgreSQL: a pool whose failures are LedgerUnavailable and whose jsonb is Python."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic_core import from_json, to_json

from domain.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator

    from asyncpg.pool import PoolConnectionProxy

UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
)
ACQUIRE_SECONDS = 5.0
STATEMENT_SECONDS = 15.0
STATEMENTS = 200
NAMED = {"application_name": "longrun"}


@contextmanager
def reaching_postgres(*, in_doubt: bool = False) -> "Generator[None]":
    """Turn every way of not reaching PostgreSQL into LedgerUnavailable; SQL errors pass."""
    try:
        yield
    except UNREACHABLE as error:
        raise LedgerUnavailable(in_doubt=in_doubt) from error


@cache
def sql(name: str) -> str:
    """A statement kept in a file of its own beside its module."""
    return files("ledger").joinpath("sql", f"{name}.sql").read_text()


@cache
def named(name: str) -> tuple[str, list[str]]:
    """A statement that calls its arguments `:field`, as PostgreSQL takes it; and the fields in their order."""
    return numbered(sql(name))


def numbered(text: str) -> tuple[str, list[str]]:
    """The text with `:field` as `$1` and so on, and the fields in their order."""
    fields: dict[str, str] = {}
    text = re.sub(r"(?<!:):([a-z_]+)", lambda found: fields.setdefault(found[1], f"${len(fields) + 1}"), text)
    return text, list(fields)


def quoted(name: str) -> str:
    """An identifier as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_json, decoder=from_json, schema="pg_catalog")


def _json(value: Any) -> str:
    """As JSON; models under the names that they have on the wire."""
    return to_json(value).decode()


async def _keep(_connection: Any) -> None:
    # Nothing here changes a session, so the statement that makes a released connection as new is spared; asyncpg has
    # rolled back what was left open before it comes here.
    pass


class Database:
    """A pool that connects lazily and survives restarts of the server. One method call is one transaction."""

    def __init__(self, dsn: str, *, schema: str = "longrun", size: int = 10, pooled: bool = False) -> None:
        """`pooled`: a transaction pooler stands between, which forgets the session between two transactions.

        Then nothing is kept prepared, and every use of a connection is one transaction that first says its schema.
        """
        self.dsn, self.schema, self.pooled = dsn, schema, pooled
        self._size = size
        self._place = f"SET LOCAL search_path TO {quoted(schema)}" if pooled else None
        self._pool: asyncpg.Pool | None = None

    async def _connected(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self.dsn,
                min_size=0,
                max_size=self._size,
                init=_prepare,
                reset=_keep,
                command_timeout=STATEMENT_SECONDS,
                statement_cache_size=0 if self.pooled else STATEMENTS,
                timeout=ACQUIRE_SECONDS,
                # poolers refuse to begin a session with a schema, or forget it
                server_settings=NAMED if self.pooled else NAMED | {"search_path": self.schema},
            )
        return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), ACQUIRE_SECONDS)
            except UNREACHABLE:
                pool.terminate()

    @asynccontextmanager
    async def acquire(self) -> "AsyncGenerator[PoolConnectionProxy]":
        """A connection; LedgerUnavailable when none can be had in 5 s, or in doubt when it breaks in use."""
        with reaching_postgres():
            pool = await self._connected()
            connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
        try:
            with reaching_postgres(in_doubt=True):
                async with connection.transaction() if self._place else nullcontext():
                    if self._place:
                        await connection.execute(self._place)
                    yield connection
        finally:
            with suppress(*UNREACHABLE):
                await pool.release(connection)

    async def fetch(self, query: str, *args: Any) -> Sequence[asyncpg.Record]:
        async with self.acquire() as connection:
            return await connection.fetch(query, *args)

    async def row(self, query: str, *args: Any) -> asyncpg.Record | None:
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *args)

    async def execute(self, query: str, *args: Any) -> None:
        async with self.acquire() as connection:
            await connection.execute(query, *args)
