"""The door of interviews for tests: an API whose engine is down, and recordings that are given to it."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from engine.submit import Submitter
from ledger.audit import AuditLog
from ledger.database import Database
from ledger.jobs import Jobs
from ledger.steps import Steps
from settings import Settings
from tests.api.conftest import KEY, Api, serving
from tests.support.databases import cloned
from workflows.catalog import installed

ITEMS = "/api/timeline-items"
MOST = 1_200_000


@asynccontextmanager
async def door(postgres_url: str, template: str, **changed: Any) -> AsyncGenerator[Api]:
    """An API that takes recordings of at most MOST bytes; `changed` are settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        async with cloned(postgres_url, template) as url:
            database = Database(url)
            jobs = Jobs(database)
            usual: dict[str, Any] = {"deepgram_api_key": "k", "audio_max_bytes": MOST}
            settings = Settings(database_url=url, api_keys=(KEY,), **usual | changed)
            with serving(settings) as address:
                # who is still connected keeps a server from ending
                async with AsyncExitStack() as clients:
                    submitter = Submitter(jobs, installed())
                    yield Api(address, database, jobs, Steps(database), submitter, AuditLog(database), clients)
            await database.close()


async def send(client: httpx.AsyncClient, content: bytes, user_id: str | None = None, **more: str) -> httpx.Response:
    data = {**({"userId": user_id} if user_id else {}), **more}
    return await client.post(ITEMS, files={"file": ("interview.bin", content)}, data=data, timeout=60)


async def give(client: httpx.AsyncClient, content: bytes, user_id: str, **more: str) -> dict[str, Any]:
    answer = await send(client, content, user_id, **more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{ITEMS}/{answer.json()['id']}"
    return answer.json()
