"""Interviews: where recordings lie, who reads and hears them, who judges what is said in them."""

from functools import lru_cache

from activities.interview_audio import InterviewAudio
from activities.interviews import InterviewAnswers
from activities.portions import Portions
from activities.recordings import GoneRecordings
from assembly import elsewhere, speech
from assembly.parts import Activities, Parts
from domain.interviews.audio import AudioStore
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.postings import Postings
from providers.audio.reader import AudioFiles
from providers.speech.local import LocalSpeech
from providers.storage.chosen import audio_fetcher, audio_store

HOUR = 3600.0


async def activities(parts: Parts) -> Activities:
    settings, database = parts.settings, parts.database
    patience, work, items = settings.ledger_patience_seconds, elsewhere.interviews(parts), JobItems(database)
    reader = AudioFiles(max_seconds=settings.audio_max_hours * HOUR)
    parts.opened.push_async_callback(reader.close)
    client = parts.guarded(timeout=settings.audio_fetch_seconds, max_bytes=settings.audio_max_bytes)
    deepgram = speech.deepgram(parts) if settings.deepgram_api_key else None
    audio = InterviewAudio(
        Interviews(database),
        work,
        items,
        store(parts),
        audio_fetcher(client, elsewhere.supabase(parts), settings.audio_max_bytes),
        reader,
        deepgram or LocalSpeech(),
        speech.calling_back(parts, deepgram) if deepgram else None,
        by_link=deepgram is not None,
        patience=patience,
    )
    portions = Portions(items, ledger_patience=patience, rate_limit_patience=settings.rate_limit_patience_seconds)
    answers = InterviewAnswers(
        work,
        Postings(database),
        items,
        portions,
        parts.models,
        at_once=settings.answers_at_once,
        samples=settings.answer_samples,
    )
    return {
        "io": [audio.load],
        "media": [audio.transcribe],
        "llm": [answers.parse, answers.parse_by_rules, answers.score, answers.store, answers.store_by_rules],
    }


def gone(parts: Parts) -> GoneRecordings:
    """Who deletes recordings whose rows are gone."""
    return GoneRecordings(Interviews(parts.database), store(parts))


@lru_cache(1)
def store(parts: Parts) -> AudioStore:
    """Where recordings lie. Ends the process where the settings cannot be used."""
    settings = parts.settings
    try:
        return audio_store(
            settings.audio_store,
            folder=settings.audio_folder,
            supabase=elsewhere.supabase(parts),
            bucket=settings.audio_bucket,
        )
    except ValueError as error:
        raise SystemExit(str(error)) from None
