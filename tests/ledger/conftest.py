"""One migrated database a module: jobs have ids of their own. Tests that count all rows take `database`."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from ledger.database import Database
from tests.ledger.book import Book
from tests.support.databases import cloned


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def book(postgres_url: str, template: str) -> AsyncGenerator[Book]:
    async with cloned(postgres_url, template) as url:
        database = Database(url, size=20)
        yield Book(database)
        await database.close()
