"""Long recordings: the vendor is asked to call back, and the step waits for that with nothing held but a timer."""

from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import activity

from domain.errors import VendorError
from domain.interviews.later import CALLBACKS, WAIT, callback_of
from domain.waiting import Waiting
from ledger.waitpoints import StepWait

if TYPE_CHECKING:
    from domain.interviews.audio import Hearing
    from domain.interviews.later import SpeechLater
    from domain.interviews.transcript import Transcript
    from domain.keyring import Keyring
    from ledger.speech_callbacks import SpeechCallbacks
    from ledger.waitpoints import Waitpoints


class CallingBack:
    """For recordings of at least `after`. Who does not call back `within` that time is asked directly, and so is who
    calls back with what nobody can read. `public_url` is where the vendor reaches this service."""

    def __init__(
        self,
        speech: "SpeechLater",
        waitpoints: "Waitpoints",
        callbacks: "SpeechCallbacks",
        keyring: "Keyring",
        *,
        public_url: str,
        after: timedelta,
        within: timedelta,
    ) -> None:
        self._speech, self._waitpoints, self._callbacks = speech, waitpoints, callbacks
        self._keyring, self._url = keyring, public_url.rstrip("/") + CALLBACKS
        self._after, self._within = after, within

    async def taken(self, hearing: "Hearing") -> "Transcript | None":
        """What was called back, read once. Raises VendorError when that cannot be read: it is then not read again."""
        point = await self._waitpoints.get(callback_of(hearing.job_id))
        if point is None or point.status == "waiting":
            return None
        body = await self._callbacks.body(point.id)
        if body is None:
            if point.status != "completed" and hearing.attempt == 1:
                await self._speech.lost(hearing)
            return None
        try:
            transcript = await self._speech.take(hearing, body)
        except VendorError:
            await self._callbacks.forget(point.id)
            raise
        # it is kept with what it cost
        await self._callbacks.forget(point.id)
        return transcript

    async def begun(self, hearing: "Hearing") -> Waiting | None:
        """Where the transcript is awaited; None for a recording that is to be transcribed at once: a short one, or one
        whose call back is over. Raises VendorError, RateLimited, BudgetExceeded."""
        waitpoint_id = callback_of(hearing.job_id)
        if hearing.info.seconds < self._after.total_seconds() or not self._keyring:
            return None
        point = await self._waitpoints.get(waitpoint_id)
        if point is not None and point.status != "waiting":
            return None
        token = self._keyring.wait_token(waitpoint_id)
        wait = StepWait(hearing.job_id, WAIT, activity.info().scheduled_time)
        about = "the transcript, which Deepgram calls back with"
        point = await self._waitpoints.open(waitpoint_id, token=token, about=about, within=self._within, wait=wait)
        await self._speech.begin(hearing, f"{self._url}/{waitpoint_id}?token={token}")
        await self._waitpoints.announce(waitpoint_id)
        return Waiting(waitpoint=waitpoint_id, until=point.expires_at, about=about)
