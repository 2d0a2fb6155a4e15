"""Migrations are applied in order, each once, whoever asks at the same time."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import asyncpg
import pytest

from domain.errors import LedgerUnavailable
from ledger.migrate import migrate, pending
from local import ports
from tests.support.databases import sibling


@pytest.fixture
async def empty(postgres_url: str) -> AsyncGenerator[str]:
    """The URL of a database without a schema of ours."""
    name = f"empty_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    yield sibling(postgres_url, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_callers_at_the_same_time_apply_each_migration_once(empty: str) -> None:
    wanted = await pending(empty, "longrun")
    assert wanted[:2] == ["0001_jobs.sql", "0002_research.sql"]
    for _ in range(2):
        applied = await asyncio.gather(*(migrate(empty, "longrun") for _ in range(4)))
        assert sorted(name for names in applied for name in names) == wanted
        wanted = await pending(empty, "longrun")
        assert wanted == []


async def test_two_schemas_in_one_database_know_nothing_of_each_other(empty: str) -> None:
    first = await migrate(empty, "longrun")
    assert await pending(empty, "other") == first
    assert await migrate(empty, "other") == first


async def test_a_migration_that_fails_leaves_nothing_and_is_tried_again(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [("1.sql", "CREATE TABLE a ()"), ("2.sql", "CREATE TABLE b (); SELECT 1 / 0")]
    monkeypatch.setattr("ledger.migrate._migrations", lambda: files)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, "longrun")
    assert await pending(empty, "longrun") == ["2.sql"]
    files[1] = ("2.sql", "CREATE TABLE b ()")
    assert await migrate(empty, "longrun") == ["2.sql"]


async def test_a_server_that_is_away_is_said_so() -> None:
    with pytest.raises(LedgerUnavailable):
        await migrate(f"postgresql://nobody@127.0.0.1:{ports.free()}/nothing", "longrun")
