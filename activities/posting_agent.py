"""The agent of `enrich-job-position`: its model's turns, the tools they ask for, and the notes that come of them.

What tools bring stays in the ledger; of a turn the ids of its calls travel.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from temporalio import activity

from activities.tools.calls import ToolCalls
from activities.tools.tool import Spec, Tool, Use
from domain.errors import BudgetExceeded, JobError
from domain.posting import Details, Finding
from domain.postings.enriching import AgentReport
from domain.postings.looking import NOTE, Brought, Enriched, Limits, Note, Notes, Turn, checked, heard, prompt
from domain.tool_use import ToolUse, turn_of
from domain.usage import Call
from ledger.plans import Call as ToolCall

if TYPE_CHECKING:
    from domain.postings.asking import Said
    from domain.postings.enriching import Reading
    from domain.protocols import ToolModel
    from ledger.plans import Plans, Used
    from ledger.postings import Postings

PROMPT = "prompts/job_position_agent.md"
STEP, ITEM = "enrich", "agent"
# The answer's room includes what a model thinks.
MOST_TOKENS = 4_000


class Purse(Protocol):
    """Fits ledger.spend.Spend."""

    async def before(self, call: Call) -> Decimal | None:
        """USD that the turns before this one took; None where a price is not known."""
        ...


class PostingAgent:
    """`tools` by name; `note` is among them always. `patience` is ToolCalls'."""

    def __init__(
        self,
        postings: "Postings",
        plans: "Plans",
        purse: Purse,
        model: "ToolModel",
        tools: Mapping[str, Tool],
        limits: Limits,
        *,
        patience: float = 60.0,
    ) -> None:
        self._postings, self._plans, self._purse, self._model, self._limits = postings, plans, purse, model, limits
        self._calls = ToolCalls(plans, {**tools, NOTE: NoteDown(postings, plans)}, patience=patience)
        self._instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    @activity.defn(name="turn_posting_agent")
    async def turn(self, at: Turn) -> Enriched:
        """A turn of the model: the tools it asks for, or its end, with why. A limit that is reached is an end like
        others. Raises RateLimited and VendorError for what the vendor does."""
        reading, said = await _draft(self._postings)
        enriched = Enriched(answered_by=said.answered_by, model=said.model)
        call = Call(job_id=_job(), step=STEP, item=ITEM, turn=at.turn, attempt=activity.info().attempt)
        used = [one for one in await self._plans.used(call.job_id, STEP) if turn_of(one.use) < at.turn]
        calls = sum(one.use.tool != NOTE for one in used)
        passed = self._limits.passed(at.turn, calls, await self._purse.before(call))
        seconds = _left(at)
        if passed == "dollars" or seconds <= 0:
            return enriched.ended(passed or "seconds", at.turn - 1)
        try:
            async with asyncio.timeout(seconds):
                choice = await self._model.choose(
                    call,
                    model=None,
                    instructions=self._instructions,
                    prompt=prompt(reading, reading.details(said.findings)),
                    exchanges=await self._calls.exchanges(call.job_id, STEP, at.turn),
                    offers=() if passed or at.last else self._calls.offers(),
                    output=Notes,
                    max_tokens=MOST_TOKENS,
                )
        except TimeoutError:
            return enriched.ended("seconds", at.turn)
        except BudgetExceeded as error:
            return enriched.ended("dollars", at.turn - 1, error.message)
        if choice.uses:
            asked = await self._calls.ask(call.job_id, STEP, at.turn, self._within(choice.uses, calls))
            return enriched.model_copy(update={"calls": asked, "turns": at.turn})
        await self._note(at.turn, choice.output)
        return enriched.ended(passed or ("seconds" if at.last else "done"), at.turn)

    @activity.defn(name="call_posting_tool")
    async def call(self, at: Turn) -> None:
        """A tool that the model asked for. Its failure is told to the model once it will not be tried again."""
        reading, said = await _draft(self._postings)
        shown = prompt(reading, reading.details(said.findings))
        await self._calls.by_model(ToolCall(_job(), STEP, at.call), "", shown, seconds=max(0.0, _left(at)))

    def _within(self, uses: Sequence[ToolUse], calls: int) -> list[ToolUse]:
        """As many as may be called still; a note costs nothing."""
        left = self._limits.calls - calls
        looks = [use.id for use in uses if use.tool != NOTE]
        return [use for use in uses if use.tool == NOTE or looks.index(use.id) < left]

    async def _note(self, turn: int, notes: Notes) -> None:
        """The notes of a last answer, kept as those before it are."""
        if notes.notes:
            use = ToolUse(id="0", tool=NOTE, arguments=notes.model_dump(mode="json", by_alias=True))
            [call] = await self._calls.ask(_job(), STEP, turn, [use])
            await self._calls.by_model(ToolCall(_job(), STEP, call), "", "")


class NoteDown:
    """`note`: what the model has found, checked against what tools have brought it."""

    spec = Spec(
        NOTE, "Keep what you have found, as soon as you have found it. Says what does not stand, and why.", Notes
    )
    ready = True

    def __init__(self, postings: "Postings", plans: "Plans") -> None:
        self._postings, self._plans = postings, plans

    async def use(self, asked: Notes, use: Use) -> dict[str, Any]:
        reading, said = await _draft(self._postings)
        used = await self._plans.used(use.job_id, STEP)
        found, refused = checked(asked.notes, _brought(used), reading.details(said.findings))
        return {"kept": sorted(found), "refused": [one.model_dump(by_alias=True) for one in refused]}


class LookedUp:
    """What the agent of a job has found by now: for the row, and for the job's result."""

    def __init__(self, used: "Sequence[Used]", known: Details) -> None:
        brought = _brought(used)
        notes = [note for one in used if one.use.tool == NOTE for note in _notes(one.use)]
        self.findings: dict[str, Finding] = checked(notes, brought, known)[0]
        self.heard = heard(brought)
        self._calls = sum(one.use.tool != NOTE for one in used)

    def report(self, enriched: Enriched) -> AgentReport | None:
        """None where nothing was looked up."""
        if enriched.stopped is None:
            return None
        return AgentReport(
            turns=enriched.turns,
            calls=self._calls,
            found=tuple(sorted(self.findings)),
            stopped=enriched.stopped,
            reason=enriched.stop_reason,
        )


async def looked_up(plans: "Plans", job_id: UUID, known: Details) -> LookedUp:
    return LookedUp(await plans.used(job_id, STEP), known)


async def _draft(postings: "Postings") -> "tuple[Reading, Said]":
    draft = await postings.draft(_job())
    if draft is None or draft[1] is None:
        raise JobError("what was read is no longer kept: replay from an earlier step", code="draft_gone")
    return draft[0], draft[1]


def _brought(used: "Sequence[Used]") -> list[Brought]:
    return [Brought(tool=one.use.tool, output=one.output) for one in used if one.status == "done"]


def _notes(use: ToolUse) -> tuple[Note, ...]:
    """Those of a call that was found to fit; others were told so."""
    try:
        return Notes.model_validate(use.arguments).notes
    except ValueError:
        return ()


def _left(at: Turn) -> float:
    return (at.until - datetime.now(UTC)).total_seconds()


def _job() -> UUID:
    return UUID(activity.info().workflow_id)
