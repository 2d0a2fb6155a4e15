"""The API as a process would serve it, each test with a ledger of its own behind it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.app import create_app
from domain.options import Options
from engine.submit import Submission, Submitter
from ledger.audit import AuditLog
from ledger.database import Database
from ledger.jobs import Jobs
from ledger.steps import Steps
from settings import Settings
from tests.support.served import served
from workflows.catalog import installed

KEY = "a-secret-key-of-the-tests-0123456789"
OTHER_KEY = "another-secret-key-of-the-tests-0123"
RESEARCH = {"companyName": "Stripe", "role": "Backend Engineer"}

# FastAPI works out what it has included with the first request to each application, for 70 ms; ours include alike.
_included: dict[int, Any] = {}


@contextmanager
def serving(settings: Settings) -> Generator[str]:
    """The URL of an API with these settings."""
    app = create_app(settings)
    for at, route in enumerate(app.router.routes):
        if router := getattr(route, "original_router", None):
            app.router.routes[at] = _included.setdefault(id(router), route)
    with served(app) as url:
        yield url


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An API whose engine is down: what it answers must not depend on one."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    return Settings(database_url=database_url, api_keys=(KEY, OTHER_KEY))


@dataclass
class Api:
    """A served API: clients by credential, and the ledger behind it."""

    url: str
    database: Database
    jobs: Jobs
    steps: Steps
    submitter: Submitter
    audit: AuditLog
    _opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def client(self, credential: str | None = KEY) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        return await self._opened.enter_async_context(httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60))

    async def token(self, *scopes: str, owner: str | None = None) -> str:
        server = await self.client()
        answer = await server.post("/api/tokens", json={"owner": owner, "scopes": scopes})
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    async def bearer(self, *scopes: str, owner: str | None = None) -> httpx.AsyncClient:
        """A client with a token of these scopes."""
        return await self.client(await self.token(*scopes, owner=owner))

    async def opened(self, payload: dict[str, Any] | None = None, **options: Any) -> UUID:
        """A job opened behind the API's back."""
        asked = Submission("company-research", payload or RESEARCH, Options.model_validate(options))
        [opened] = await self.submitter.submit([asked])
        return opened.id


@pytest.fixture
async def serve(database: Database) -> AsyncGenerator[Callable[[Settings], Any]]:
    """Serves the API with given settings until the test ends."""
    async with AsyncExitStack() as servers, AsyncExitStack() as clients:

        async def start(settings: Settings) -> Api:
            url = await asyncio.to_thread(servers.enter_context, serving(settings))
            jobs = Jobs(database)
            return Api(url, database, jobs, Steps(database), Submitter(jobs, installed()), AuditLog(database), clients)

        yield start


@pytest.fixture
async def api(serve: Callable[[Settings], Any], settings: Settings) -> Api:
    return await serve(settings)


@pytest.fixture
async def server(api: Api) -> httpx.AsyncClient:
    """A caller with a secret key."""
    return await api.client()
