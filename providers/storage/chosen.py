"""Which store keeps recordings, and who brings those that lie elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

from providers.files import Files
from providers.storage.local import LocalAudio
from providers.storage.recordings import Recordings
from providers.storage.supabase import SupabaseAudio

if TYPE_CHECKING:
    from domain.interviews.audio import AudioFetcher, AudioStore
    from providers.supabase import Supabase
    from providers.web import GuardedClient


def audio_store(name: str, *, folder: Path, supabase: "Supabase | None", bucket: str) -> "AudioStore":
    """The store of that name, `local` or `supabase`. Raises ValueError where the settings cannot be used."""
    if name == "local":
        return LocalAudio(folder)
    if name != "supabase":
        raise ValueError("LONGRUN_AUDIO_STORE must be local or supabase")
    if supabase is None:
        raise ValueError("LONGRUN_AUDIO_STORE=supabase needs SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY")
    return SupabaseAudio(supabase, bucket, links=supabase.public)


def audio_fetcher(client: "GuardedClient", supabase: "Supabase | None", max_bytes: int) -> "AudioFetcher":
    """`client` has the same cap."""
    objects = SupabaseAudio(supabase, None, max_bytes=max_bytes) if supabase else None
    return Recordings(Files(client, "the recording's server"), objects)
