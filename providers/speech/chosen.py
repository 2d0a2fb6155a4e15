"""Who hears what is said in recordings: Deepgram where there is a key, else this machine."""

from providers.speech.local import LocalSpeech


def missing(deepgram_key: str | None) -> str | None:
    """Why nobody does, in words, or None. Loads nothing."""
    here = None if deepgram_key else LocalSpeech().missing
    return f"no Deepgram key is set, and {here}" if here else None
