"""A stack of toys a module: dispatcher and workers running, the ledger and the engine real.

Tests of a module share it, for a database, a namespace and three workers cost a second; each has its own jobs.
"""

from collections.abc import AsyncGenerator, Generator
from datetime import timedelta

import pytest
import pytest_asyncio

from engine import query
from ledger.database import Database
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.stack_parts import Parts, stack
from tests.support.toys import Toys

RATE_LIMIT_PATIENCE = 0.3


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What workflows answer is looked at here, not how soon."""
    monkeypatch.setattr(query, "LIMIT", timedelta(seconds=30))


@pytest.fixture(scope="module")
def played() -> Toys:
    return Toys()


@pytest.fixture
def toys(played: Toys) -> Generator[Toys]:
    """The toys, with an empty script."""
    played.forget()
    yield played
    played.forget()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(postgres_url: str, template: str, temporal_address: str, played: Toys) -> AsyncGenerator[Parts]:
    """Everything runs."""
    async with cloned(postgres_url, template) as url:
        database, engine = Database(url), await own_namespace(temporal_address)
        opened = stack(database, engine, [played.work], rate_limit_patience=RATE_LIMIT_PATIENCE)
        async with opened as parts, parts.working(), parts.dispatching():
            yield parts
        await database.close()
