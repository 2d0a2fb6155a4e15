"""Writes about runs from their figures alone: by a model, every number checked, or by the offline twin."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

from domain.errors import JobError
from domain.markdown import unmarked
from domain.model import Model
from domain.running.brief import inert
from domain.running.contents import Half, RunSheet, Words, Written
from domain.running.insights import insight
from domain.running.letters import letter
from domain.running.sheet import NEAR, RECENT, run_sheet
from domain.running.told import Told, told
from domain.running.traced import Known, faults
from domain.usage import Call

if TYPE_CHECKING:
    from domain.protocols import LanguageModel
    from ledger.contents import Contents
    from ledger.workouts import Workouts

TEMPLATES: Mapping[Half, Callable[[RunSheet], str]] = {"letter": letter, "insight": insight}
PROMPTS: Mapping[Half, str] = {"letter": "run_letter", "insight": "coaching_insight"}
# Rooms for an answer, what a model thinks included.
MOST_TOKENS: Mapping[str, int] = {"run_letter": 2_000, "coaching_insight": 3_000, "run_review": 3_000}
# The first try, and one more that is told what was wrong.
TURNS = 2
UNTRUE = "what the model wrote was not what the figures say, twice"
AGAIN = """{prompt}

Your text before this one was refused:
<refused>
{text}
</refused>
What was wrong with it:
{faults}
Write it anew, and say only what the figures say."""
GONE = "there is no such activity, or it is not the user's"


class Text(Model):
    """What a model is asked for."""

    text: str


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

    async def load(self, job_id: UUID, workout_id: UUID, user_id: str, *halves: Half) -> RunSheet:
        """The run among the user's others, and the note that these halves are being written. Serves both halves."""
        begun = await self._contents.begin(job_id, workout_id, user_id, halves)
        row = await self._workouts.get(workout_id) if begun else None
        if begun is None or row is None:
            raise JobError(GONE, code="not_found")
        run, distance = row.summary, row.facts.facts.get("distance")
        recent = near = ()
        if row.is_run:
            recent = await self._workouts.summaries(user_id, since=run.started_at - RECENT, until=run.started_at)
        if row.is_run and distance:
            near = await self._workouts.nearest(user_id, distance.value, until=run.started_at, limit=NEAR)
        return run_sheet(user_id, run, row.facts, recent=recent, near=near, timezone=begun.timezone)

    async def write(self, half: Half, sheet: RunSheet, call: Call) -> Written:
        """Write a half from its sheet and store it. `call` names the paid turns: one item a half, or a step each."""
        words = await self.words(half, sheet, call)
        await self.store(half, sheet.workout_id, words, told(sheet, half).facts, call)
        return Written(answered_by=words.answered_by, reason=words.reason)

    async def words(self, half: Half, sheet: RunSheet, call: Call) -> Words:
        """Write a half, and store nothing."""
        return await self.half(half, told(sheet, half), call, lambda: sheet)

    async def half(self, half: Half, told: Told, call: Call, sheet: Callable[[], RunSheet]) -> Words:
        """The same from what is made of the sheet, which the twin alone asks for."""
        return await self.checked(call, PROMPTS[half], told.prompt, told.known, lambda: TEMPLATES[half](sheet()))

    async def store(self, half: Half, workout_id: UUID, words: Words, facts: str, call: Call) -> None:
        """Keep the half with its facts, which are JSON. Raises JobError `not_found` when the run has gone meanwhile."""
        if not await self._contents.store(workout_id, half, words, facts, call):
            raise JobError(GONE, code="not_found")

    async def checked(
        self,
        call: Call,
        form: str,
        prompt: str,
        known: Known,
        twin: Callable[[], str],
    ) -> Words:
        """A text by the model that says what is known, in two turns at most; else, or without a key, the twin's."""
        if self._model.missing:
            return Words(text=twin(), answered_by="offline", reason=self._model.missing)
        asked = prompt
        for turn in range(TURNS):
            answer = await self._model.ask(
                call.model_copy(update={"turn": turn}) if turn else call,
                instructions=_instructions(form),
                prompt=asked,
                output=Text,
                max_tokens=MOST_TOKENS[form],
            )
            text = unmarked(cast("Text", answer.output).text)
            if not (faulty := faults(text, known)):
                vendor = cast("Literal['anthropic', 'openai']", answer.vendor)
                return Words(text=text, answered_by=vendor, model=answer.model)
            asked = AGAIN.format(prompt=prompt, text=inert(text), faults="\n".join(f"- {inert(one)}" for one in faulty))
        return Words(text=twin(), answered_by="offline", reason=UNTRUE)


@cache
def _instructions(form: str) -> str:
    return files("providers").joinpath(f"prompts/{form}.md").read_text(encoding="utf-8")
