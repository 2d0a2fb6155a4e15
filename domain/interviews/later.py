"""Recordings so long that who transcribes them is asked to call back, instead of being waited for."""

from typing import Protocol
from uuid import UUID

from domain.interviews.audio import Hearing
from domain.interviews.transcript import Transcript
from domain.waiting import waitpoint_of

# The waitpoint belongs to the step, which goes on when it is answered: what was called back has yet to be read.
WAIT = "transcribe#callback"
CALLBACKS = "/api/deepgram/callbacks"
# Hours of speech in JSON, each word with its time, twice.
BODY_BYTES = 64 * 1024**2


class SpeechLater(Protocol):
    """Transcribes, and tells it to an address of ours. Raises VendorError, RateLimited, BudgetExceeded."""

    async def begin(self, hearing: Hearing, callback: str) -> None:
        """Have the recording accepted."""
        ...

    async def take(self, hearing: Hearing, body: bytes) -> Transcript:
        """Read what was called back."""
        ...

    async def lost(self, hearing: Hearing) -> None:
        """Count what was accepted and never called back."""
        ...


def callback_of(job_id: UUID) -> UUID:
    """The waitpoint of the job's call back."""
    return waitpoint_of(job_id, WAIT)
