"""Who hears what is said in recordings, and how long ones are waited for."""

from datetime import timedelta

from activities.speech_callbacks import CallingBack
from assembly.parts import Parts
from domain.keyring import Keyring
from ledger.speech_callbacks import SpeechCallbacks
from ledger.spend import Spend
from ledger.waitpoints import Waitpoints
from providers.speech.deepgram import Deepgram


def deepgram(parts: Parts) -> Deepgram:
    settings = parts.settings
    speech = Deepgram(
        Spend(parts.database, patience=settings.ledger_patience_seconds),
        key=settings.deepgram_api_key,
        base_url=settings.deepgram_base_url,
        model=settings.deepgram_model,
        usd_per_minute=settings.deepgram_usd_per_minute,
        timeout=settings.deepgram_timeout_seconds,
    )
    parts.opened.push_async_callback(speech.close)
    return speech


def calling_back(parts: Parts, speech: Deepgram) -> CallingBack | None:
    """None where nobody is asked to call back."""
    settings = parts.settings
    if settings.deepgram_callback_minutes is None:
        return None
    return CallingBack(
        speech,
        Waitpoints(parts.database),
        SpeechCallbacks(parts.database),
        Keyring(settings.api_keys),
        public_url=settings.reached_at,
        after=timedelta(minutes=settings.deepgram_callback_minutes),
        within=timedelta(minutes=settings.deepgram_callback_wait_minutes),
    )
