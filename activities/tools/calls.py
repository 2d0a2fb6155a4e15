"""Tools as models call them: each call is noted before it is made, and what it brought is kept in the ledger."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_json
from temporalio import activity

from activities.tools.tool import Spec, Tool, Use, shaped
from domain.errors import JobError, LongrunError, VendorError
from domain.job import Failure
from domain.plan_prompt import MOST_SAID, said
from domain.storable import storable
from domain.tool_use import Exchange, ToolOffer, ToolUse, in_turns, turn_of
from ledger.patience import patiently
from ledger.plans import Begun, Call

if TYPE_CHECKING:
    from ledger.plans import Plans

LOST = "the call before was cut off, and what became of it is not known"
OUTPUT_BYTES = 1_000_000


class ToolCalls:
    """`tools` by name. `patience`: seconds for which a ledger is waited for that is to be told what a call brought."""

    def __init__(self, plans: "Plans", tools: Mapping[str, Tool], *, patience: float = 60.0) -> None:
        self._plans, self._tools, self._patience = plans, tools, patience

    def tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise JobError("this service does not have that tool any more", code="unknown_tool")
        return self._tools[name]

    def offers(self, allowed: Callable[[str], bool] = lambda _: True) -> list[ToolOffer]:
        """The tools that are allowed, that this service can use, and that change nothing."""
        return [
            ToolOffer(
                name=name,
                description=tool.spec.description,
                parameters=tool.spec.shape.model_json_schema(by_alias=True),
            )
            for name, tool in sorted(self._tools.items())
            if allowed(name) and tool.spec.by_model and tool.ready
        ]

    async def ask(self, job_id: UUID, step: str, turn: int, uses: Sequence[ToolUse]) -> tuple[str, ...]:
        """Keep what a turn asks for; the ids of the calls."""
        kept = [use.model_copy(update={"id": f"{turn}.{use.id}", "arguments": storable(use.arguments)}) for use in uses]
        await self._plans.ask(job_id, step, kept)
        return tuple(use.id for use in kept)

    async def exchanges(self, job_id: UUID, step: str, turn: int) -> tuple[Exchange, ...]:
        """What the model asked for in the turns before that one, and what it was told."""
        used = await self._plans.used(job_id, step)
        open_ = Failure(code="step_timeout", message="the tool did not end in time")
        return in_turns(
            [
                (one.use, said(one.output, None if one.status == "done" else one.error or open_, MOST_SAID))
                for one in used
                if turn_of(one.use) < turn
            ]
        )

    async def by_model(self, call: Call, owner: str, shown: str, *, seconds: float | None = None) -> None:
        """Make a call that a model has asked for, `shown` a prompt. Its failure is told to the model once it will not
        be tried again. `seconds`: it may take no longer, whatever the tool may."""
        used = await self._plans.used(call.job_id, call.step)
        wanted = next(one.use for one in used if one.use.id == call.call)
        given = wanted.arguments
        try:
            tool = self.tool(wanted.tool)
            asked = shaped(tool.spec, given)
            await self._check_known(call, turn_of(wanted), shown, tool.spec, given)
        except JobError as error:
            begun = await self._plans.begin(call, tool=wanted.tool, given=given, once=False)
            await self.ended(call, begun, error=_failure(error, call.step))
            return
        try:
            await self.made(call, owner, tool, asked, given, seconds=seconds)
        except (VendorError, JobError) as error:
            if isinstance(error, VendorError) and error.again and activity.info().attempt < tool.spec.attempts:
                raise

    async def made(
        self, call: Call, owner: str, tool: Tool, asked: Any, given: Any, *, seconds: float | None = None
    ) -> None:
        """Make a call, unless it was made before; a call that changes the world and was lost counts as failed."""
        spec = tool.spec
        begun = await self._plans.begin(call, tool=spec.name, given=given, once=spec.changes(asked))
        if begun.done:
            return
        if begun.lost:
            raise VendorError(LOST, code="outcome_unknown")
        key = f"{call.job_id}-{call.step}{f'-{call.call}' if call.call else ''}"
        use = Use(call.job_id, owner, call.step, _header(key), begun.attempt)
        longest = spec.timeout.total_seconds()
        try:
            async with asyncio.timeout(longest if seconds is None else min(longest, seconds)):
                output = storable(await tool.use(asked, use))
            if len(to_json(output)) > OUTPUT_BYTES:
                raise JobError("what the tool brought is larger than 1 MB", code="output_too_large")
        except TimeoutError:
            late = VendorError("the tool did not answer in time", code="timeout")
            await self.ended(call, begun, error=_failure(late, call.step))
            raise late from None
        except LongrunError as error:
            await self.ended(call, begun, error=_failure(error, call.step))
            raise
        await self.ended(call, begun, output=output)

    async def ended(self, call: Call, begun: Begun, **how: Any) -> None:
        await patiently(lambda: self._plans.end(call, begun.attempt, **how), self._patience)

    async def _check_known(self, call: Call, turn: int, shown: str, spec: Spec, given: Mapping[str, Any]) -> None:
        """Raise JobError `not_given` where a model made up what it has to have been given."""
        if spec.known is None:
            return
        told = await self.exchanges(call.job_id, call.step, turn)
        seen = [shown, *(text for exchange in told for text in exchange.said)]
        if not any(str(given[spec.known]) in text for text in seen):
            raise JobError(f"only a {spec.known} that you were given can be used", code="not_given")


def _failure(error: LongrunError, step: str) -> Failure:
    again = isinstance(error, VendorError) and error.again
    return Failure(code=error.code, message=error.message, step=step, retryable=again)


def _header(key: str) -> str:
    """The key as a header takes it: a step's name may be written in any letters."""
    return key if key.isascii() and key.isprintable() else key.encode().hex()
