"""Writes about runs from their figures alone: by a model, every number checked, or by the offline twin."""

from typing import TYPE_CHECKING
from uuid import UUID

from domain.running.contents import Half, Sheet, Words, Written
from domain.usage import Call

if TYPE_CHECKING:
    from domain.protocols import LanguageModel
    from ledger.contents import Contents
    from ledger.workouts import Workouts


class Writer:
    """Letters and insights. Plain functions: activities of kinds and of batches call them inside their own."""

    def __init__(self, workouts: "Workouts", contents: "Contents", model: "LanguageModel") -> None:
        self._workouts, self._contents, self._model = workouts, contents, model

    async def letter(
        self, job_id: UUID, workout_id: UUID, user_id: str, *, step: str = "letter", item: str = "", attempt: int = 1
    ) -> Written:
        """Load, write and store the letter: safe to repeat, an answer that was paid is not paid again.

        Raises JobError `not_found` for a run that is not there, or not the user's; VendorError, RateLimited,
        BudgetExceeded, LedgerUnavailable.
        """
        sheet = await self.load(job_id, workout_id, user_id, "letter")
        return await self.write("letter", sheet, Call(job_id=job_id, step=step, item=item, attempt=attempt))

    async def insight(
        self, job_id: UUID, workout_id: UUID, user_id: str, *, step: str = "insight", item: str = "", attempt: int = 1
    ) -> Written:
        """Like `letter`."""
        sheet = await self.load(job_id, workout_id, user_id, "insight")
        return await self.write("insight", sheet, Call(job_id=job_id, step=step, item=item, attempt=attempt))

    async def load(self, job_id: UUID, workout_id: UUID, user_id: str, *halves: Half) -> Sheet:
        """The run among the user's others, and the note that these halves are being written. Serves both halves."""
        raise NotImplementedError

    async def write(self, half: Half, sheet: Sheet, call: Call) -> Written:
        """Write a half from its sheet and store it. `call` names the paid turns: one item a half, or a step each."""
        raise NotImplementedError

    async def words(self, half: Half, sheet: Sheet, call: Call) -> Words:
        """Write a half, and store nothing."""
        raise NotImplementedError
