"""Root of the worker process: settings → ledger, providers → activities → workers on their queues."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import structlog
from prometheus_client import start_http_server
from temporalio.client import Client
from temporalio.plugin import SimplePlugin
from temporalio.service import RPCError

from activities.bulk import BulkWork
from activities.care import Care
from activities.closing import Closing
from activities.erasing import Erasing
from activities.firing import Firing
from activities.tasks import HttpTasks
from activities.telling import Telling
from activities.upkeep import Upkeep
from activities.waiting import Waits
from assembly import documents, elsewhere, interviews, plans, postings, research, run_history, running, running_words
from assembly.parts import Parts, mail
from domain import logs
from domain.errors import EngineUnavailable, LedgerUnavailable
from domain.keyring import Keyring
from domain.tasks import TaskHosts
from domain.telling import webhook_secret
from domain.waiting import OUTPUT_BYTES
from engine.beside import beside
from engine.connect import connect
from engine.control import Control
from engine.courier import Courier
from engine.firing import Firings
from engine.forgetting import Forgetting
from engine.grace import Grace
from engine.heartbeat import Heartbeat
from engine.meters import MeteredDispatcher, Meters
from engine.outbox import Outbox
from engine.plugin import plugin
from engine.reconcile import Reconciler
from engine.replay import Replays
from engine.schedules import keep_reconciling, keep_tidying
from engine.start import QUEUE
from engine.stepping import Stepping
from engine.submit import Submitter
from engine.workers import QUEUES, run, worker_on
from intake.interviews import interview_jobs
from intake.postings import posting_jobs
from ledger.buckets import Buckets
from ledger.cancels import Cancels
from ledger.database import Database
from ledger.deliveries import Deliveries
from ledger.dispatch import Dispatch
from ledger.events import Notices
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.jobs import Jobs
from ledger.migrate import pending
from ledger.postings import Postings
from ledger.reports import Reports
from ledger.retention import Keep, Retention
from ledger.schedules import Schedules
from ledger.spend import Spend
from ledger.stats import Stats
from ledger.steps import Steps
from ledger.users import Users
from ledger.waitpoints import Waitpoints
from providers.application import Application
from providers.embedding import ONE_THREAD
from providers.models import Models
from providers.web import GuardedClient
from providers.webhooks import WebhookPoster
from settings import Settings
from workflows.bulk import Bulk
from workflows.catalog import installed
from workflows.firing import FireSchedule
from workflows.kind import Catalog
from workflows.telling import DeliverEmail, DeliverWebhook
from workflows.upkeep import Reconcile, Tidy

log = structlog.get_logger()
AWAY_SECONDS = 1.0
# one a product: which activities its workflows need, made of which ledgers and providers
ROOMS = (research, running, running_words, plans, documents, run_history, postings, interviews)


def main(settings: Settings, queues: tuple[str, ...] | None = None) -> int:
    """Run until SIGTERM or SIGINT; running activities then have `graceful_seconds` to end."""
    logs.configure(settings.log_level)
    os.environ.setdefault(*ONE_THREAD)
    unknown = set(queues or ()) - set(QUEUES)
    if unknown:
        raise SystemExit(f"there is no queue {', '.join(sorted(unknown))}; there are {', '.join(QUEUES)}")
    asyncio.run(work(settings, queues or QUEUES, installed(settings.task_hosts)))
    return 0


async def work(settings: Settings, queues: Sequence[str], catalog: Catalog) -> None:
    """The worker's life in one process."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as opened:
        database = Database(
            settings.database_url, schema=settings.schema, size=settings.pool_size, pooled=settings.database_pooled
        )
        opened.push_async_callback(database.close)
        steps = Steps(database)
        jobs = Jobs(database, cache_for=timedelta(hours=settings.result_cache_hours))
        dispatch = Dispatch(database, in_flight=settings.in_flight)
        stepping = Stepping(
            steps,
            ledger_patience=settings.ledger_patience_seconds,
            rate_limit_patience=settings.rate_limit_patience_seconds,
        )
        client = await _until_up(settings, plugin([Meters(), Heartbeat(), stepping]), stop)
        if client is None:
            return
        reconciler = Reconciler(client, jobs, dispatch, Reports(database), catalog, Schedules(database))
        control = Control(client, jobs, Submitter(jobs, catalog), reconciler, catalog)
        closing = Closing(jobs, steps, control, control)
        keep = Keep.days(settings.retention_days, settings.retention_event_days)
        models = Models(
            Spend(database, patience=settings.ledger_patience_seconds),
            bucket=_bucket(settings, database),
            model=settings.model,
            anthropic_key=settings.anthropic_api_key,
            anthropic_base_url=settings.anthropic_base_url,
            openai_key=settings.openai_api_key,
            openai_base_url=settings.openai_base_url,
            timeout=settings.model_timeout_seconds,
        )
        opened.push_async_callback(models.close)
        parts = Parts(settings, database, models, opened)
        products = [await room.activities(parts) for room in ROOMS]
        submitter, gone = Submitter(jobs, catalog), interviews.gone(parts)
        doors = posting_jobs(Postings(database), submitter), interview_jobs(Interviews(database), submitter)
        left = [door.left for door in doors]
        care = Care(Stats(database), Retention(database, keep), left=left, gone=gone.tidy)
        deliveries = Deliveries(database)
        telling = _telling(settings, deliveries, jobs, opened)
        own = [one for kind in catalog for one in kind.activities]
        firing = Firing(Firings(Schedules(database), jobs, catalog))
        erasing = Erasing(Users(database), jobs, Forgetting(client, Schedules(database)), gone)
        waitpoints = Waitpoints(database)
        waits, tasks = _tasks(settings, waitpoints, opened)
        closers = [closing.finish, closing.note, closing.open_child, firing.open_firing, firing.cancel_firing, *waits]
        bulk = BulkWork(JobItems(database), jobs, Replays(jobs, catalog))
        housekeeping = [bulk.apply, Upkeep(control).reconcile, care.tidy, erasing.stop_jobs, erasing.erase_data]
        activities: dict[str, list[Callable[..., Any]]] = {
            QUEUE: [*closers, *own],
            "io": [*tasks, *closers, *housekeeping, *own],
            "llm": own,
            "tell": [telling.deliver_webhook, telling.deliver_email],
        }
        for product in products:
            for queue, some in product.items():
                activities[queue] = [*activities.get(queue, ()), *some]
        notices = Notices(settings.listening_url, settings.schema)
        await opened.enter_async_context(notices.listening())
        await opened.enter_async_context(MeteredDispatcher(client, dispatch, jobs, notices).running())
        grace = Grace(client, Cancels(database), jobs, seconds=settings.cancel_grace_seconds)
        await opened.enter_async_context(grace.running())
        await opened.enter_async_context(Outbox(client, deliveries, notices).running())
        await opened.enter_async_context(Courier(client, waitpoints).running())
        if theirs := elsewhere.telling(parts):
            await opened.enter_async_context(theirs.running())
        if settings.metrics_port is not None:
            start_http_server(settings.metrics_port, settings.host)
        await keep_reconciling(client)
        await keep_tidying(client)
        await opened.enter_async_context(beside(_reconcile_once(reconciler)))
        flows = [
            *(kind.workflow for kind in catalog),
            Bulk,
            DeliverWebhook,
            DeliverEmail,
            FireSchedule,
            Reconcile,
            Tidy,
        ]
        workers = [
            worker_on(client, queue, flows, activities[queue], graceful_seconds=settings.graceful_seconds)
            for queue in queues
        ]
        # what is there by now stays: each full collection would look through it in vain
        gc.collect()
        gc.freeze()
        log.info("worker is up", queues=list(queues))
        await run(workers, stop)


def _bucket(settings: Settings, database: Database) -> Buckets | None:
    """The vendors' limits a minute, where there are any."""
    requests, tokens = settings.model_requests_per_minute, settings.model_tokens_per_minute
    if requests is None and tokens is None:
        return None
    patience = settings.ledger_patience_seconds
    return Buckets(database, requests_per_minute=requests, tokens_per_minute=tokens, patience=patience)


def _tasks(
    settings: Settings, waitpoints: Waitpoints, opened: AsyncExitStack
) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
    """The activities of waits, and those of tasks that live in the application."""
    keyring, hosts = Keyring(settings.api_keys), settings.task_hosts
    waits = Waits(waitpoints, keyring)
    client = GuardedClient(
        allow=[*settings.fetch_allow, *hosts], timeout=settings.task_request_seconds, max_bytes=OUTPUT_BYTES
    )
    opened.push_async_callback(client.aclose)
    application = Application(client, keyring, TaskHosts(hosts), public_url=settings.reached_at)
    tasks = HttpTasks(waitpoints, waits, application, within=timedelta(hours=settings.task_wait_hours))
    return [waits.open_wait, waits.settle_wait], [tasks.call, tasks.cancel]


def _telling(settings: Settings, deliveries: Deliveries, jobs: Jobs, opened: AsyncExitStack) -> Telling:
    """Who tells webhooks and sends e-mails."""
    poster = WebhookPoster(allow=settings.fetch_allow, timeout=settings.webhook_timeout_seconds)
    opened.push_async_callback(poster.aclose)
    secrets = [webhook_secret(key) for key in settings.api_keys]
    return Telling(deliveries, jobs, poster, mail(settings), retry=settings.webhook_retry, secrets=secrets)


async def _until_up(settings: Settings, with_plugin: SimplePlugin, stop: asyncio.Event) -> Client | None:
    """The client, once a migrated ledger and the engine answer; None when asked to stop meanwhile."""
    while not stop.is_set():
        try:
            if missing := await pending(settings.direct_url, settings.schema):
                raise SystemExit(f"the ledger lacks {', '.join(missing)}: run `longrun migrate` first")
            return await connect(os.environ, with_plugin, lazy=False)
        except (LedgerUnavailable, RPCError, RuntimeError) as error:
            log.info("waiting", reason=type(error).__name__)
            await asyncio.sleep(AWAY_SECONDS)
    return None


async def _reconcile_once(reconciler: Reconciler) -> None:
    try:
        await reconciler.run()
    except (LedgerUnavailable, EngineUnavailable) as error:
        log.warning("could not reconcile at start", code=error.code)


if __name__ == "__main__":
    raise SystemExit(main(Settings.from_env(os.environ)))
