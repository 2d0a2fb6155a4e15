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

from assembly import (
    documents,
    interviews,
    plans,
    postings,
    research,
    run_history,
    running,
    running_words,
    tasks,
    telling,
)
from assembly.parts import Activities, Parts
from assembly.service import Service
from domain import logs
from domain.errors import EngineUnavailable, LedgerUnavailable
from engine.beside import beside
from engine.connect import connect
from engine.heartbeat import Heartbeat
from engine.meters import Meters
from engine.plugin import plugin
from engine.reconcile import Reconciler
from engine.schedules import keep_reconciling, keep_tidying
from engine.stepping import Stepping
from engine.workers import QUEUES, run, worker_on
from ledger.buckets import Buckets
from ledger.database import Database
from ledger.events import Notices
from ledger.jobs import Jobs
from ledger.migrate import pending
from ledger.spend import Spend
from ledger.steps import Steps
from providers.embedding import ONE_THREAD
from providers.models import Models
from settings import Settings
from workflows.bulk import Bulk
from workflows.catalog import installed
from workflows.firing import FireSchedule
from workflows.kind import Catalog
from workflows.telling import DeliverEmail, DeliverWebhook
from workflows.upkeep import Reconcile, Tidy

log = structlog.get_logger()
AWAY_SECONDS = 1.0
# which activities their workflows need, made of which ledgers and providers
ROOMS = (research, running, running_words, plans, documents, run_history, postings, interviews, tasks, telling)
# workflows that are no kind of job
OWN = (Bulk, DeliverWebhook, DeliverEmail, FireSchedule, Reconcile, Tidy)


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
        client = await _until_up(settings, plugin([Meters(), Heartbeat(), _stepping(settings, database)]), stop)
        if client is None:
            return
        models = _models(settings, database)
        opened.push_async_callback(models.close)
        parts = Parts(settings, database, models, opened)
        jobs = Jobs(database, cache_for=timedelta(hours=settings.result_cache_hours))
        service = Service(client, catalog, parts, jobs)
        activities = _by_queue(service.activities(), *[await room.activities(parts) for room in ROOMS])
        notices = Notices(settings.listening_url, settings.schema)
        await opened.enter_async_context(notices.listening())
        for loop in service.loops(notices):
            await opened.enter_async_context(loop)
        if settings.metrics_port is not None:
            start_http_server(settings.metrics_port, settings.host)
        await keep_reconciling(client)
        await keep_tidying(client)
        await opened.enter_async_context(beside(_reconcile_once(service.reconciler)))
        flows = [*(kind.workflow for kind in catalog), *OWN]
        workers = [
            worker_on(client, queue, flows, activities[queue], graceful_seconds=settings.graceful_seconds)
            for queue in queues
        ]
        # what is there by now stays: each full collection would look through it in vain
        gc.collect()
        gc.freeze()
        log.info("worker is up", queues=list(queues))
        await run(workers, stop)


def _stepping(settings: Settings, database: Database) -> Stepping:
    return Stepping(
        Steps(database),
        ledger_patience=settings.ledger_patience_seconds,
        rate_limit_patience=settings.rate_limit_patience_seconds,
    )


def _models(settings: Settings, database: Database) -> Models:
    """The models' vendors, within their limits a minute where there are any."""
    patience, bucket = settings.ledger_patience_seconds, None
    requests, tokens = settings.model_requests_per_minute, settings.model_tokens_per_minute
    if requests is not None or tokens is not None:
        bucket = Buckets(database, requests_per_minute=requests, tokens_per_minute=tokens, patience=patience)
    return Models(
        Spend(database, patience=patience),
        bucket=bucket,
        model=settings.model,
        anthropic_key=settings.anthropic_api_key,
        anthropic_base_url=settings.anthropic_base_url,
        openai_key=settings.openai_api_key,
        openai_base_url=settings.openai_base_url,
        timeout=settings.model_timeout_seconds,
    )


def _by_queue(*some: Activities) -> dict[str, list[Callable[..., Any]]]:
    return {queue: [one for each in some for one in each.get(queue, ())] for queue in QUEUES}


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
