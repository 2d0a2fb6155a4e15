"""A real PostgreSQL and a real Temporal server a run; a cloned database and a namespace of its own a test."""

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from engine.connect import connect
from engine.plugin import plugin
from ledger.database import Database
from ledger.migrate import migrate
from local import postgres, temporal
from tests.support.authorities import read_once
from tests.support.databases import cloned, sibling
from tests.support.pgbouncer import NoPoolerError, transaction_pooler
from tests.support.pools import close_whole

HERE = Path(__file__).parent
TEMPLATE = "longrun_template"
VENDORS = ("ANTHROPIC_", "OPENAI_", "GITHUB_", "SEARCH_", "WEB_", "CRAWLBASE_", "SMTP_")
OURS = ("LONGRUN_", "TEMPORAL_", "DATABASE_", *VENDORS)
# Folders whose files take long begin first: no worker is left with one at the end.
FIRST = ("acceptance", "chaos", "workflows", "packaging", "providers")
KEPT = ("LONGRUN_TEMPORAL_CLI", "LONGRUN_CACHE", "TEMPORAL_DEBUG")
# The workers in the tests' own process share it with all that the tests have imported: a thread of theirs that was not
# let run for 2 s is no deadlock. A workflow that blocks runs into its test's own time-out.
os.environ["TEMPORAL_DEBUG"] = "1"
# How long an example takes says how busy the machine is: it fails no property.
settings.register_profile("any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
read_once()
close_whole()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first; within a folder, files with parts of their own before those that share some, so that what
    is shared lives no longer than it is used."""
    ranks = {name: rank for rank, name in enumerate(FIRST)}
    sharing = {item.path for item in items if "running" in getattr(item, "fixturenames", ())}
    folders = {path: path.relative_to(HERE).parts[0] for path in {item.path for item in items}}
    items.sort(key=lambda item: (ranks.get(folders[item.path], len(FIRST)), item.path in sharing))


def pytest_collection_finish() -> None:
    """What is imported stays: no later collection of garbage, in whichever thread, goes through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine that runs the tests reaches the product."""
    for name in list(os.environ):
        if name.startswith(OURS) and name not in KEPT:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A server whose database of this URL nobody uses: tests clone their own."""
    with postgres.serve(tmp_path_factory.mktemp("postgres"), fsync=False) as url:
        yield url


@pytest.fixture(scope="session")
def pooler_url(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The same server by way of a transaction pooler; where none can be had, what asks for it is not run."""
    with ExitStack() as opened:
        try:
            url = opened.enter_context(transaction_pooler(tmp_path_factory.mktemp("pooler") / "home", postgres_url))
        except NoPoolerError as missing:
            pytest.skip(f"not run: {missing}")
        yield url


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    async def make() -> None:
        connection = await asyncpg.connect(postgres_url)
        try:
            await connection.execute(f"CREATE DATABASE {TEMPLATE}")
        finally:
            await connection.close()
        await migrate(sibling(postgres_url, TEMPLATE), "longrun")

    asyncio.run(make())
    return TEMPLATE


async def own_namespace(temporal_address: str) -> dict[str, str]:
    """TEMPORAL_* of a new namespace: fixed task queues meet nobody else's jobs."""
    namespace = f"test-{uuid4().hex[:12]}"
    client = await Client.connect(temporal_address)
    request = RegisterNamespaceRequest(namespace=namespace)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await client.workflow_service.register_namespace(request)
    return {"TEMPORAL_ADDRESS": temporal_address, "TEMPORAL_NAMESPACE": namespace}


@pytest.fixture
async def database_url(postgres_url: str, template: str) -> AsyncGenerator[str]:
    """A migrated database of this test's own."""
    async with cloned(postgres_url, template) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder: Path = tmp_path_factory.mktemp("temporal")
    with temporal.serve(folder, test_timers=True) as address:
        yield address


@pytest.fixture
async def engine_env(temporal_address: str) -> dict[str, str]:
    """TEMPORAL_* of a namespace of this test's own."""
    return await own_namespace(temporal_address)


@pytest.fixture
async def client(engine_env: dict[str, str]) -> Client:
    return await connect(engine_env, plugin(), lazy=False)
