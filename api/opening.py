"""What routes are handed, put together from the settings: ledgers, intake, engine."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from api import doors
from api.auth import Credentials
from api.dependencies import Services
from api.health import Readiness
from api.limits import Limiter
from api.quick import quick_reading
from domain.interviews.item import KIND as ANALYSE_INTERVIEW
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
from intake.elsewhere import or_elsewhere
from intake.interviews import interview_check
from intake.postings import posting_check
from ledger.audit import AuditLog
from ledger.cancels import Cancels
from ledger.changes import Changes
from ledger.contents import Contents
from ledger.database import Database
from ledger.deliveries import Deliveries
from ledger.dispatch import Dispatch
from ledger.documents import Documents
from ledger.events import Events, Notices
from ledger.feed import Feed
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.jobs import Jobs
from ledger.plans import Plans
from ledger.postings import Postings
from ledger.queues import Queues
from ledger.reports import Reports
from ledger.research import Research
from ledger.schedules import Schedules
from ledger.speech_callbacks import SpeechCallbacks
from ledger.stats import Stats
from ledger.users import Users
from ledger.waitpoints import Waitpoints
from ledger.webhooks import Webhooks
from providers.speech.chosen import missing
from settings import Settings
from workflows.kind import Catalog


async def services(
    settings: Settings,
    environ: Mapping[str, str],
    catalog: Catalog,
    credentials: Credentials,
    opened: AsyncExitStack,
) -> Services:
    """Everything a route may need; PostgreSQL and Temporal may still be down. `environ` says where the engine is."""
    database = Database(
        settings.database_url, schema=settings.schema, size=settings.pool_size, pooled=settings.database_pooled
    )
    opened.push_async_callback(database.close)
    jobs_ = Jobs(database, cache_for=timedelta(hours=settings.result_cache_hours))
    notices = Notices(settings.listening_url, settings.schema)
    dispatch, reports = Dispatch(database, in_flight=settings.in_flight), Reports(database)
    engine, schedules_ = await connect(environ, plugin()), Schedules(database)
    await opened.enter_async_context(notices.listening())
    await opened.enter_async_context(MeteredDispatcher(engine, dispatch, jobs_, notices, standby=True).running())
    items = JobItems(database)
    grace = Grace(engine, Cancels(database), jobs_, seconds=settings.cancel_grace_seconds)
    await opened.enter_async_context(grace.running())
    waitpoints_ = Waitpoints(database)
    courier = Courier(engine, waitpoints_)
    await opened.enter_async_context(courier.running())
    users_ = Users(database)
    workouts, workout_intake = doors.running(settings, database, users_, opened)
    history_intake, postings_ = doors.history(settings, database), Postings(database)
    supabase, rows = doors.elsewhere(settings, opened)
    checks = {
        IMPORT_RUN_EXPORT: workout_intake.check,
        ENRICH_POSITION: or_elsewhere(posting_check(postings_), rows, "posting", lambda asked: asked.job_position_id),
        **run_contents.checks(workouts),
        **history_intake.checks(),
    }
    interviews_ = Interviews(database)
    checks[ANALYSE_INTERVIEW] = or_elsewhere(
        interview_check(interviews_, missing(settings.deepgram_api_key)),
        rows,
        "interview",
        lambda asked: asked.timeline_item_id,
    )
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
        speech_callbacks=SpeechCallbacks(database),
        courier=courier,
        documents=Documents(database),
        search=doors.search(settings, database, opened),
        postings=postings_,
        posting_intake=doors.postings(
            settings, postings_, submitter, quick_reading(settings, database, opened), opened
        ),
        interviews=interviews_,
        interview_intake=doors.interviews(settings, interviews_, postings_, jobs_, submitter, supabase, opened),
        workouts=workouts,
        workout_intake=workout_intake,
        contents=Contents(database),
        history_intake=history_intake,
        auto_content=run_contents.AutoContent(users_, submitter),
    )
