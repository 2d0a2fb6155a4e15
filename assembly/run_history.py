"""Ingests of a runner's whole history: who writes, and in which batches."""

from activities.portions import Portions
from activities.run_history import IngestRuns
from activities.running_words import Writer
from assembly.parts import Activities, Parts
from engine.start import QUEUE
from ledger.contents import Contents
from ledger.items import JobItems
from ledger.run_history import RunHistory
from ledger.workouts import Workouts
from providers.run_sheets import RunSheets


async def activities(parts: Parts) -> Activities:
    database, settings = parts.database, parts.settings
    contents, sheets = Contents(database), RunSheets()
    parts.opened.push_async_callback(sheets.close)
    portions = Portions(
        JobItems(database),
        ledger_patience=settings.ledger_patience_seconds,
        rate_limit_patience=settings.rate_limit_patience_seconds,
    )
    ingest = IngestRuns(
        RunHistory(database),
        contents,
        sheets,
        Writer(Workouts(database), contents, parts.models),
        portions,
        pause=settings.batch_pause_seconds,
    )
    return {QUEUE: [ingest.select, ingest.summarize], "llm": [ingest.generate]}
