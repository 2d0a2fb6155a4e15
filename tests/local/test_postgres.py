"""The embedded PostgreSQL is a child of ours: it answers, is killed, comes back on its port with its data."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from local.postgres import Postgres, serve
from local.postgres_home import place
from local.process import StartError, wait_until
from tests.support.house import alive


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("postgres")
    yield folder
    Postgres(folder).remove_moved()


async def test_a_killed_server_comes_back_on_its_port_with_its_data(folder: Path, tmp_path: Path) -> None:
    server = Postgres(folder, fsync=False)
    server.prepare()
    process = server.launch(tmp_path / "log")
    wait_until(server.answers, [process], 60)
    server.create_database("longrun")
    server.create_database("longrun")
    url = server.url("longrun")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    serving = psutil.Process(process.pid).children()
    process.kill()
    # what was left of it would keep another one from its memory
    wait_until(lambda: not process.running and not any(map(alive, serving)), [], 30)
    assert not server.answers()
    connection.terminate()

    process = server.launch(tmp_path / "log")
    wait_until(server.answers, [process], 60)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT answer FROM kept") == 42
    # queries that other programs keep name no schema
    await connection.execute("CREATE SCHEMA longrun CREATE VIEW worker_jobs AS SELECT 7 AS n")
    assert await connection.fetchval("SELECT n FROM worker_jobs") == 7
    assert await connection.fetchval("SELECT version()") >= "PostgreSQL 18"
    await connection.close()
    process.stop()
    assert process.exit_code == 0


async def test_it_listens_on_loopback_alone_and_asks_for_its_password(tmp_path: Path) -> None:
    with serve(tmp_path / "pg", fsync=False, database="mine") as url:
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("SELECT current_database()") == "mine"
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        assert await connection.fetchval("SHOW fsync") == "off"
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url, password="wrong")
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncpg.connect(url)


def test_a_server_that_cannot_start_shows_its_log(folder: Path, tmp_path: Path) -> None:
    server = Postgres(folder, port=1, fsync=False) if os.geteuid() else Postgres(folder, fsync=False)
    server.prepare()
    settings = server.data / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text("max_wrong = 1\n")
    process = server.launch(tmp_path / "log")
    with pytest.raises(StartError, match="max_wrong"):
        wait_until(server.answers, [process], 60)
    settings.write_text(before)


def test_files_of_another_version_are_not_touched(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "pg")
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartError, match=r"PostgreSQL 16.*make clean"):
        server.prepare()
    server.remove_moved()


def test_a_folder_that_the_unprivileged_user_cannot_enter_is_replaced(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    kept = place(closed / "postgres", nobody)
    assert kept.parent in (Path("/var/tmp"), Path("/tmp"))
    assert kept == place(closed / "postgres", nobody) != place(closed / "other", nobody)
    assert place(closed / "postgres", None) == closed / "postgres"
    assert place(Path("/postgres"), nobody) == Path("/postgres")
