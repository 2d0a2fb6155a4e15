"""Parts of the job layer with nothing running but what a test starts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from ledger.database import Database
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack
from tests.support.toys import Toys


@asynccontextmanager
async def idle(postgres_url: str, template: str, temporal_address: str, toys: Toys) -> AsyncGenerator[Parts]:
    async with cloned(postgres_url, template) as url:
        database = Database(url)
        async with stack(database, await own_namespace(temporal_address), [toys.work]) as parts:
            yield parts
        await database.close()


@pytest.fixture
def toys() -> Toys:
    """What the activities of `parts` do."""
    return Toys()


@pytest_asyncio.fixture(loop_scope="module")
async def parts(postgres_url: str, template: str, temporal_address: str, toys: Toys) -> AsyncGenerator[Parts]:
    """A test's own: a turn or a comparison meets no other test's jobs."""
    async with idle(postgres_url, template, temporal_address, toys) as parts:
        yield parts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[Parts]:
    """A module's, for tests that look at their own jobs alone."""
    async with idle(postgres_url, template, temporal_address, Toys()) as parts:
        yield parts
