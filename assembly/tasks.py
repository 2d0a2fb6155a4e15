"""Waits for somebody outside, and the tasks that live in the application."""

from datetime import timedelta

from activities.tasks import HttpTasks
from activities.waiting import Waits
from assembly.parts import Activities, Parts
from domain.keyring import Keyring
from domain.tasks import TaskHosts
from domain.waiting import OUTPUT_BYTES
from engine.start import QUEUE
from ledger.waitpoints import Waitpoints
from providers.application import Application
from providers.web import GuardedClient


async def activities(parts: Parts) -> Activities:
    settings, waitpoints = parts.settings, Waitpoints(parts.database)
    keyring, hosts = Keyring(settings.api_keys), settings.task_hosts
    client = GuardedClient(
        allow=[*settings.fetch_allow, *hosts], timeout=settings.task_request_seconds, max_bytes=OUTPUT_BYTES
    )
    parts.opened.push_async_callback(client.aclose)
    application = Application(client, keyring, TaskHosts(hosts), public_url=settings.reached_at)
    waits = Waits(waitpoints, keyring)
    tasks = HttpTasks(waitpoints, waits, application, within=timedelta(hours=settings.task_wait_hours))
    waiting = [waits.open_wait, waits.settle_wait]
    return {QUEUE: waiting, "io": [tasks.call, tasks.cancel, *waiting]}
