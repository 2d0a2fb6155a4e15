"""Telling in this process: a ledger, an engine, the outbox, and receivers that say what a test has them say."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from standardwebhooks import Webhook
from temporalio.client import Client
from temporalio.worker import Worker

from activities.telling import Telling
from domain.telling import new_secret, webhook_secret
from engine.connect import connect
from engine.outbox import Outbox
from engine.plugin import plugin
from engine.start import QUEUE
from ledger.database import Database
from ledger.deliveries import Deliveries, Delivery
from ledger.events import Notices
from ledger.webhooks import Webhooks
from providers.webhooks import WebhookPoster
from tests.conftest import own_namespace
from tests.ledger.book import Book
from tests.support.databases import cloned
from tests.support.site_server import Answer, Asked, SiteServer
from tests.support.stack_parts import until
from workflows import telling as flows

RETRY = (0.1, 0.2)
TIMEOUT = 3.0
OF_JOBS = webhook_secret("a-secret-key-of-the-service")
Says = Answer | Callable[[Asked], Answer]


@dataclass
class Endpoint:
    """A receiver at a path of its own; it says what its script says, then 200."""

    world: "World"
    id: UUID
    path: str
    secret: str
    script: list[Says] = field(default_factory=list[Says])

    def answer(self, asked: Asked) -> Answer:
        says = self.script.pop(0) if self.script else Answer(204)
        return says if isinstance(says, Answer) else says(asked)

    @property
    def asked(self) -> list[Asked]:
        return [asked for asked in self.world.site.asked if asked.path == self.path]

    def told(self, secret: str | None = None) -> list[dict[str, Any]]:
        """What arrived, verified by the spec's own library."""
        return [verified(asked, secret or self.secret) for asked in self.asked]

    async def tried(self, times: int) -> Delivery:
        """Its newest delivery, once it was attempted that often."""

        async def enough() -> bool:
            found = await self.world.deliveries.list(self.id, limit=1)
            return bool(found) and len(found[0].log) == times

        await until(enough)
        return (await self.world.deliveries.list(self.id, limit=1))[0]

    async def settled(self) -> list[Delivery]:
        """All its deliveries, the oldest first, once none is pending."""

        async def over() -> bool:
            return all(one.status != "pending" for one in await self.world.deliveries.list(self.id, limit=99))

        await until(over)
        return list(await self.world.deliveries.list(self.id, limit=99))[::-1]


@dataclass
class World:
    book: Book
    client: Client
    webhooks: Webhooks
    deliveries: Deliveries
    site: SiteServer
    outbox: Outbox

    async def endpoint(self, *script: Says, owner: str = "", events: tuple[str, ...] = ("job.completed",)) -> Endpoint:
        path, secret = f"/{uuid4().hex}", new_secret()
        made = await self.webhooks.create(owner, self.site.url + path, events, secret)
        endpoint = Endpoint(self, made.id, path, secret, list(script))
        self.site.routes[path] = endpoint.answer
        return endpoint

    async def completed(self, **given: Any) -> UUID:
        """A job that came to its end, with a result."""
        job_id = await self.book.running(**given)
        await self.book.end(job_id, result={"said": "yes"})
        return job_id


def verified(asked: Asked, secret: str) -> dict[str, Any]:
    body = Webhook(secret).verify(asked.body, dict(asked.headers))
    assert isinstance(body, dict)
    return body


@asynccontextmanager
async def made(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[World]:
    async with AsyncExitStack() as opened:
        database = Database(await opened.enter_async_context(cloned(postgres_url, template)))
        opened.push_async_callback(database.close)
        site = await opened.enter_async_context(SiteServer())
        client = await connect(await own_namespace(temporal_address), plugin(), lazy=False)
        poster = await opened.enter_async_context(WebhookPoster(allow=[site.authority], timeout=TIMEOUT))
        book, deliveries, notices = Book(database), Deliveries(database), Notices(database.dsn)
        telling = Telling(deliveries, book.jobs, poster, None, retry=RETRY, secrets=[OF_JOBS])
        outbox = Outbox(client, deliveries, notices)
        workflows = [flows.DeliverWebhook, flows.DeliverEmail]
        acts = [telling.deliver_webhook, telling.deliver_email]
        await opened.enter_async_context(Worker(client, task_queue=QUEUE, workflows=workflows))
        await opened.enter_async_context(Worker(client, task_queue=flows.QUEUE, activities=acts))
        await opened.enter_async_context(notices.listening())
        await opened.enter_async_context(outbox.running())
        yield World(book, client, Webhooks(database), deliveries, site, outbox)
