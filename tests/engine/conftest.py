"""Parts of the job layer with nothing running but what a test starts; one database and namespace a module."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from ledger.database import Database
from tests.conftest import cloned, own_namespace
from tests.support.stack_parts import Parts, stack
from tests.support.toys import Toys


@pytest_asyncio.fixture(loop_scope="module")
async def parts(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[Parts]:
    async with cloned(postgres_url, template) as url:
        database = Database(url)
        async with stack(database, await own_namespace(temporal_address), [Toys().work]) as parts:
            yield parts
        await database.close()
