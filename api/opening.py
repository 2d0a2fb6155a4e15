"""What routes are handed, put together from the settings: ledgers, intake, engine."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from activities.recordings import GoneRecordings
from activities.workouts import Keeping
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
from intake.interviews import InterviewIntake, interview_check, interview_jobs
from intake.postings import QUICK_SECONDS, PostingIntake, posting_check, posting_jobs
from intake.quick_posting import QuickReading
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
from ledger.interviews import Interviews
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
from ledger.speech_callbacks import SpeechCallbacks
from ledger.spend import Spend
from ledger.stats import Stats
from ledger.users import Users
from ledger.vectors import Vectors
from ledger.waitpoints import Waitpoints
from ledger.webhooks import Webhooks
from ledger.workouts import Workouts
from providers import supabase_rows
from providers.audio.reader import AudioFiles
from providers.embedding import chosen
from providers.model_names import answering
from providers.postings.ats import Boards
from providers.postings.pages import PostingPages
from providers.postings.reader import PostingReader
from providers.speech.chosen import missing
from providers.storage.chosen import audio_store
from providers.supabase import Supabase, connected
from providers.supabase_rows import SupabaseRows
from providers.web import GuardedClient
from providers.workouts import WorkoutFiles
from settings import Settings, SettingsError
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
    workouts, workout_intake = _running(settings, database, users_, opened)
    history_intake, postings_ = _history(settings, database), Postings(database)
    supabase, rows = _elsewhere(settings, opened)
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
        search=_search(settings, database, opened),
        postings=postings_,
        posting_intake=_postings(settings, postings_, submitter, quick_reading(settings, database, opened), opened),
        interviews=interviews_,
        interview_intake=_interviews(settings, interviews_, postings_, jobs_, submitter, supabase, opened),
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


def _postings(
    settings: Settings, rows: Postings, submitter: Submitter, quick: QuickReading | None, opened: AsyncExitStack
) -> PostingIntake:
    """Job positions at the door; what reads them is a process that the first of them starts."""
    client = GuardedClient(allow=settings.fetch_allow, timeout=QUICK_SECONDS, max_bytes=settings.fetch_max_bytes)
    opened.push_async_callback(client.aclose)
    reader = PostingReader()
    opened.push_async_callback(reader.close)
    pages = PostingPages(client, Boards(client), reader)
    intake = PostingIntake(rows, posting_jobs(rows, submitter), pages, reader, quick=quick)
    opened.push_async_callback(intake.close)
    return intake


def _elsewhere(settings: Settings, opened: AsyncExitStack) -> tuple[Supabase | None, SupabaseRows | None]:
    """The product's project, and the rows that it keeps there itself."""
    try:
        supabase = connected(settings.supabase_url, settings.supabase_service_role_key)
        rows = supabase_rows.chosen(settings.rows, supabase, settings.rows_map)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if supabase is not None:
        opened.push_async_callback(supabase.aclose)
    return supabase, rows


def _interviews(
    settings: Settings,
    rows: Interviews,
    postings: Postings,
    jobs: Jobs,
    submitter: Submitter,
    supabase: Supabase | None,
    opened: AsyncExitStack,
) -> InterviewIntake:
    """Interviews at the door; what reads recordings are processes that the first of them starts."""
    reader = AudioFiles(max_seconds=settings.audio_max_hours * 3600)
    opened.push_async_callback(reader.close)
    try:
        store = audio_store(
            settings.audio_store, folder=settings.audio_folder, supabase=supabase, bucket=settings.audio_bucket
        )
    except ValueError as error:
        raise SettingsError(f"recordings cannot be kept: {error}") from None
    return InterviewIntake(
        rows,
        postings,
        jobs,
        interview_jobs(rows, submitter),
        store,
        reader,
        GoneRecordings(rows, store),
        missing=missing(settings.deepgram_api_key),
        elsewhere=supabase is not None,
    )
