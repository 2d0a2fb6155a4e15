"""Recordings of interviews: where they lie, what they are, who hears what is said in them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID

from domain.errors import CallerError, LongrunError, VendorError
from domain.interviews.transcript import Piece, TranscribedBy, Transcript
from domain.model import Model

Container = Literal["wav", "mp3", "m4a", "ogg", "webm", "flac", "mp4"]


class AudioRefused(CallerError):
    """A file in which no interview can be heard. `code` is stable, `message` says why.

    `empty_file`, `not_audio`, `no_audio_track`, `truncated_file`, `broken_file`, `silent_audio`, `too_long`.
    """

    code = "not_audio"


class AudioTooLarge(AudioRefused):
    """A file of more bytes than may be kept."""

    code = "too_large"
    status = 413


class AudioInfo(Model):
    """What a recording is, by its content."""

    container: Container
    seconds: float

    @property
    def content_type(self) -> str:
        return f"audio/{CONTENT_TYPES.get(self.container, self.container)}"


CONTENT_TYPES = {"mp3": "mpeg", "m4a": "mp4"}


class AudioReader(Protocol):
    """Says what a file is; reads strangers' files where they harm nobody."""

    async def probe(self, path: Path) -> AudioInfo:
        """Raises AudioRefused, also for a recording that ends too early or in which nothing is heard."""
        ...


class AudioStore(Protocol):
    """Where recordings lie, by a key of our own making (`<item id>`). Raises VendorError for a store elsewhere."""

    async def put(self, key: str, file: Path, content_type: str = "application/octet-stream") -> None:
        """Keep a file, in place of what had that key. Raises AudioTooLarge, also where a store elsewhere
        has a limit of its own."""
        ...

    async def fetch(self, key: str, path: Path) -> None:
        """Write the recording to a file. Raises JobError `file_gone`."""
        ...

    def pieces(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes from `start` up to `end`. Raises JobError `file_gone`."""
        ...

    async def link(self, key: str) -> str | None:
        """An address from which a vendor may fetch it for some hours; None where the store has none."""
        ...

    async def delete(self, key: str) -> None:
        """Nothing is raised where there is none."""
        ...


class AudioFetcher(Protocol):
    """Brings recordings that lie elsewhere."""

    async def bring(self, source: str, path: Path) -> None:
        """Write what lies at an address, or at `bucket/path` of the store elsewhere, to a file.

        Raises VendorError, RateLimited, AudioTooLarge, JobError.
        """
        ...


class StoreUnavailable(LongrunError):
    """The store of recordings does not answer at the door."""

    code = "store_unavailable"
    retryable = True
    status = 503


class LinkUnreachable(VendorError):
    """Who was to fetch a recording by its link could not."""

    code = "link_unreachable"


class Hearing(Model):
    """A recording to be transcribed: the job and step that pay, its file, what it is, and a link if there is one: then
    no file lies there."""

    job_id: UUID
    attempt: int
    path: Path
    info: AudioInfo
    link: str | None = None


class SpeechToText(Protocol):
    """Hears who says what, and when."""

    @property
    def name(self) -> TranscribedBy: ...

    @property
    def missing(self) -> str | None:
        """Why nothing can be transcribed, in words, or None."""
        ...

    async def transcribe(
        self,
        hearing: Hearing,
        *,
        kept: Sequence[Piece],
        keep: Callable[[Piece], Awaitable[None]],
        heard: Callable[[float], None],
    ) -> Transcript:
        """Go on after the pieces that were kept; `heard` is told by which second of the recording it is.

        Raises VendorError, RateLimited, JobError; ends promptly when cancelled.
        """
        ...
