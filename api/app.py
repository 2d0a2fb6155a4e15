"""Root of the API process: settings → ledger, engine → routes. Loads no model SDK."""

import gc
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, TypedDict

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from activities.workouts import Keeping
from api import (
    audit,
    batches,
    bulk,
    changing,
    docs,
    errors,
    events,
    feed,
    health,
    jobs,
    kinds,
    metrics,
    queues,
    schedules,
    starting,
    stats,
    tokens,
    upkeep,
    users,
    waitpoints,
    webhooks,
)
from api.adapters import (
    documents,
    plans,
    postings,
    research,
    run_history,
    running,
    running_history,
    running_words,
    workflow,
)
from api.auth import Credentials
from api.dependencies import Services
from api.edge import Edge
from api.health import Readiness
from api.limits import Limiter
from api.openapi import describe
from domain import logs
from domain.keyring import Keyring
from domain.postings.enriching import KIND as ENRICH_POSITION
from domain.running.imports import KIND as IMPORT_RUN_EXPORT
from engine.bulk import Bulks
from engine.connect import connect
from engine.courier import Courier
from engine.firing import Scheduled
from engine.grace import Grace
from engine.meters import MeteredDispatcher
from engine.plugin import plugin
from engine.reconcile import Reconciler
from engine.replay import Replays
from engine.scheduling import Scheduling
from engine.submit import Submitter
from intake import run_contents
from intake.postings import QUICK_SECONDS, PostingIntake, PostingJobs, posting_check
from intake.run_history import HistoryIntake
from intake.workouts import WorkoutIntake
from ledger.audit import AuditLog
from ledger.cancels import Cancels
from ledger.changes import Changes
from ledger.contents import Contents
from ledger.database import Database
from ledger.deliveries import Deliveries
from ledger.dispatch import Dispatch
from ledger.documents import Documents
from ledger.events import Events, Notices
from ledger.exports import Exports
from ledger.feed import Feed
from ledger.items import JobItems
from ledger.jobs import Jobs
from ledger.plans import Plans
from ledger.postings import Postings
from ledger.queues import Queues
from ledger.reports import Reports
from ledger.research import Research
from ledger.run_history import RunHistory
from ledger.schedules import Schedules
from ledger.search import Search
from ledger.spend import Spend
from ledger.stats import Stats
from ledger.users import Users
from ledger.vectors import Vectors
from ledger.waitpoints import Waitpoints
from ledger.webhooks import Webhooks
from ledger.workouts import Workouts
from providers.embedding import chosen
from providers.model_names import answering
from providers.postings.ats import Boards
from providers.postings.pages import PostingPages
from providers.postings.reader import PostingReader
from providers.web import GuardedClient
from providers.workouts import WorkoutFiles
from settings import Settings, SettingsError
from workflows.catalog import installed
from workflows.kind import Catalog

log = structlog.get_logger()
# the busiest first
ROUTERS = (
    research,
    starting,
    feed,
    queues,
    bulk,
    jobs,
    events,
    changing,
    batches,
    kinds,
    schedules,
    webhooks,
    users,
    tokens,
    stats,
    upkeep,
    audit,
    metrics,
    health,
    waitpoints,
    workflow,
    documents,
    plans,
    postings,
    run_history,
    running_history,
    running_words,
    running,
)
EXPOSED = ("Location", "Retry-After", "WWW-Authenticate")
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": errors.Problem, "description": "No credentials, or none that hold"},
    404: {"model": errors.Problem, "description": "There is no such thing, or it is not the caller's"},
    422: {"model": errors.Problem, "description": "The request does not fit; `errors` points to what"},
}


class State(TypedDict):
    """What requests find in `request.state`."""

    services: Services


def create_app(settings: Settings | None = None, catalog: Catalog | None = None) -> FastAPI:
    """The API. Raises SettingsError when it would be reachable from elsewhere without a key.

    Without settings the environment is read and the process's logs are set up: this is then the root.
    """
    root = settings is None
    if settings is None:
        settings = Settings.from_env(os.environ)
        logs.configure(settings.log_level)
    # without a key nothing could be signed
    kinds_here = catalog or installed(settings.task_hosts if settings.api_keys else ())
    credentials = _credentials(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[State]:
        async with AsyncExitStack() as opened:
            services = await _open(settings, kinds_here, credentials, opened)
            if root:
                # what is there by now stays: the search for garbage leaves it out, or would hold up for some 50 ms
                # whoever asks meanwhile
                gc.collect()
                gc.freeze()
            yield {"services": services}

    app = FastAPI(
        title="Longrun",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        responses=REFUSED,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.openapi = describe(app, kinds_here)
    docs.serve(app)
    app.add_middleware(Edge)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=EXPOSED,
        max_age=86400,
    )
    errors.handle(app)
    for module in ROUTERS:
        app.include_router(module.router)
    # Both would log what may be a secret: addresses with `?token=`, and events with payloads.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("sse_starlette").setLevel(logging.WARNING)
    return app


def _credentials(settings: Settings) -> Credentials:
    if not settings.api_keys and not settings.loopback:
        raise SettingsError(f"LONGRUN_API_KEYS must name a key when listening on {settings.host}, beyond this machine")
    credentials = Credentials(settings.api_keys)
    if credentials.weak:
        log.warning("a key in LONGRUN_API_KEYS is short: 32 characters or more keep tokens safe")
    return credentials


async def _open(settings: Settings, catalog: Catalog, credentials: Credentials, opened: AsyncExitStack) -> Services:
    """Everything a route may need; PostgreSQL and Temporal may still be down."""
    database = Database(
        settings.database_url, schema=settings.schema, size=settings.pool_size, pooled=settings.database_pooled
    )
    opened.push_async_callback(database.close)
    jobs_ = Jobs(database, cache_for=timedelta(hours=settings.result_cache_hours))
    notices = Notices(settings.listening_url, settings.schema)
    dispatch, reports = Dispatch(database, in_flight=settings.in_flight), Reports(database)
    engine, schedules_ = await connect(os.environ, plugin()), Schedules(database)
    await opened.enter_async_context(notices.listening())
    await opened.enter_async_context(MeteredDispatcher(engine, dispatch, jobs_, notices, standby=True).running())
    items = JobItems(database)
    grace = Grace(engine, Cancels(database), jobs_, seconds=settings.cancel_grace_seconds)
    await opened.enter_async_context(grace.running())
    waitpoints_ = Waitpoints(database)
    courier = Courier(engine, waitpoints_)
    await opened.enter_async_context(courier.running())
    users_ = Users(database)
    workouts, workout_intake = _running(settings, database, users_, opened)
    history_intake, postings_ = _history(settings, database), Postings(database)
    checks = {
        IMPORT_RUN_EXPORT: workout_intake.check,
        ENRICH_POSITION: posting_check(postings_),
        **run_contents.checks(workouts),
        **history_intake.checks(),
    }
    submitter = Submitter(jobs_, catalog, checks)
    return Services(
        settings=settings,
        catalog=catalog,
        credentials=credentials,
        queues=Queues(database, in_flight=settings.in_flight),
        limiter=Limiter(),
        jobs=jobs_,
        events=Events(database),
        changes=Changes(database),
        feed=Feed(database),
        users=users_,
        notices=notices,
        research=Research(database),
        reports=reports,
        audit=AuditLog(database),
        webhooks=Webhooks(database),
        deliveries=Deliveries(database),
        stats=Stats(database),
        submitter=submitter,
        replays=Replays(jobs_, catalog),
        bulks=Bulks(jobs_, items),
        items=items,
        schedules=schedules_,
        scheduling=Scheduling(engine, schedules_, Scheduled(jobs_, catalog)),
        engine=engine,
        reconciler=Reconciler(engine, jobs_, dispatch, reports, catalog, schedules_),
        readiness=Readiness(settings.direct_url, settings.schema, engine),
        keyring=Keyring(settings.api_keys),
        plans=Plans(database),
        waitpoints=waitpoints_,
        courier=courier,
        documents=Documents(database),
        search=_search(settings, database, opened),
        postings=postings_,
        posting_intake=_postings(settings, postings_, submitter, opened),
        workouts=workouts,
        workout_intake=workout_intake,
        contents=Contents(database),
        history_intake=history_intake,
        auto_content=run_contents.AutoContent(users_, submitter),
    )


def _search(settings: Settings, database: Database, opened: AsyncExitStack) -> Search:
    """Who finds chunks of documents; raises SettingsError where the model that is named for it cannot be had."""
    try:
        embedder = chosen(
            opened,
            Spend(database),
            model=settings.embeddings,
            openai_key=settings.openai_api_key,
            openai_base_url=settings.openai_base_url,
        )
    except ValueError as error:
        raise SettingsError(f"LONGRUN_EMBEDDINGS cannot be used: {error}") from None
    return Search(database, Vectors(database), embedder)


def _history(settings: Settings, database: Database) -> HistoryIntake:
    """What an ingest would take with these settings."""
    model = answering(settings.model, anthropic_key=settings.anthropic_api_key, openai_key=settings.openai_api_key)
    return HistoryIntake(
        RunHistory(database),
        model=model,
        pause=settings.batch_pause_seconds,
        calls_per_minute=settings.model_requests_per_minute,
    )


def _running(
    settings: Settings, database: Database, users_: Users, opened: AsyncExitStack
) -> tuple[Workouts, WorkoutIntake]:
    """Runners' activities; what reads their files is a process that the first of them starts."""
    workouts, reader = Workouts(database), WorkoutFiles()
    opened.push_async_callback(reader.close)
    intake = WorkoutIntake(
        Keeping(workouts, users_, reader),
        reader,
        Exports(database),
        max_bytes=settings.workout_max_bytes,
        max_export_bytes=settings.export_max_bytes,
    )
    return workouts, intake


def _postings(settings: Settings, rows: Postings, submitter: Submitter, opened: AsyncExitStack) -> PostingIntake:
    """Job positions at the door; what reads them is a process that the first of them starts."""
    client = GuardedClient(allow=settings.fetch_allow, timeout=QUICK_SECONDS, max_bytes=settings.fetch_max_bytes)
    opened.push_async_callback(client.aclose)
    reader = PostingReader()
    opened.push_async_callback(reader.close)
    pages = PostingPages(client, Boards(client), reader)
    intake = PostingIntake(rows, PostingJobs(rows, submitter), pages, reader)
    opened.push_async_callback(intake.close)
    return intake
