"""Each product's front door, put together from the settings. What cannot be had raises SettingsError."""

from contextlib import AsyncExitStack

from activities.recordings import GoneRecordings
from activities.workouts import Keeping
from engine.submit import Submitter
from intake.interviews import InterviewIntake, interview_jobs
from intake.postings import QUICK_SECONDS, PostingIntake, posting_jobs
from intake.quick_posting import QuickReading
from intake.run_history import HistoryIntake
from intake.workouts import WorkoutIntake
from ledger.database import Database
from ledger.exports import Exports
from ledger.interviews import Interviews
from ledger.jobs import Jobs
from ledger.postings import Postings
from ledger.run_history import RunHistory
from ledger.search import Search
from ledger.spend import Spend
from ledger.users import Users
from ledger.vectors import Vectors
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


def search(settings: Settings, database: Database, opened: AsyncExitStack) -> Search:
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


def history(settings: Settings, database: Database) -> HistoryIntake:
    """What an ingest would take with these settings."""
    model = answering(settings.model, anthropic_key=settings.anthropic_api_key, openai_key=settings.openai_api_key)
    return HistoryIntake(
        RunHistory(database),
        model=model,
        pause=settings.batch_pause_seconds,
        calls_per_minute=settings.model_requests_per_minute,
    )


def running(
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


def postings(
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


def elsewhere(settings: Settings, opened: AsyncExitStack) -> tuple[Supabase | None, SupabaseRows | None]:
    """The product's project, and the rows that it keeps there itself."""
    try:
        supabase = connected(settings.supabase_url, settings.supabase_service_role_key)
        rows = supabase_rows.chosen(settings.rows, supabase, settings.rows_map)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if supabase is not None:
        opened.push_async_callback(supabase.aclose)
    return supabase, rows


def interviews(
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
