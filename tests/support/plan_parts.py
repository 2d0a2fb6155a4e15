"""What plans need in one process: real ledger and engine, real activities, a model and tools that follow a script."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from activities.plan_waits import PlanWaits
from activities.plans import PlanSteps
from activities.tools import SPECS
from activities.tools.calculate import Calculate
from activities.tools.tool import Spec, Tool, Use
from activities.waiting import Waits
from domain.errors import LongrunError
from domain.keyring import Keyring
from domain.outside import HttpAnswer
from domain.plan import StepAnswer
from domain.telling import Letter
from domain.tool_use import Choice, Exchange, ToolOffer, ToolUse
from domain.usage import Call
from ledger.database import Database
from ledger.jobs import Jobs
from ledger.plans import Plans
from ledger.waitpoints import Waitpoints

Says = str | LongrunError | Sequence[tuple[str, dict[str, Any]]]


class ScriptedModel:
    """Answers by the step's name: with text, an error, or tools to be used; the last of a list stays. Without a script
    for it a step is answered with its own name."""

    def __init__(self, script: Mapping[str, Sequence[Says]] | None = None, *, missing: str | None = None) -> None:
        self.script = {name: list(says) for name, says in (script or {}).items()}
        self.asked: list[tuple[Call, str | None, str, tuple[Exchange, ...], tuple[ToolOffer, ...]]] = []
        # the instructions of each time that it was asked
        self.told: list[str] = []
        self._missing = missing

    def missing_for(self, model: str | None) -> str | None:
        return self._missing

    async def choose(
        self,
        call: Call,
        *,
        model: str | None,
        instructions: str,
        prompt: str,
        exchanges: Sequence[Exchange],
        offers: Sequence[ToolOffer],
        output: type[Any],
        max_tokens: int,
    ) -> Choice:
        self.asked.append((call, model, prompt, tuple(exchanges), tuple(offers)))
        self.told.append(instructions)
        says = self.script.get(call.step, [f"{call.step} is done"])
        said = says.pop(0) if len(says) > 1 else says[0]
        if isinstance(said, LongrunError):
            raise said
        if isinstance(said, str):
            return Choice(output=StepAnswer(answer=said), vendor="anthropic", model="claude-haiku-5-5")
        uses = tuple(ToolUse(id=str(at), tool=tool, arguments=given) for at, (tool, given) in enumerate(said))
        return Choice(uses=uses, vendor="anthropic", model="claude-haiku-5-5")


class ScriptedTool:
    """Stands where a tool of that name stands; every call is kept."""

    ready = True

    def __init__(self, name: str, does: Callable[[Any, Use], Awaitable[Any]] | None = None) -> None:
        self.spec: Spec = SPECS[name]
        self.does = does
        self.calls: list[tuple[str, int]] = []

    async def use(self, asked: Any, use: Use) -> Any:
        self.calls.append((use.step, use.attempt))
        return await self.does(asked, use) if self.does else {"said": use.step}


class Post:
    """Takes every request and every letter, and keeps them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Mapping[str, str], bytes]] = []
        self.letters: list[tuple[str, Letter]] = []

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        self.requests.append((url, headers, body))
        return HttpAnswer(status=204, content_type="")

    async def send(self, to: str, letter: Letter) -> None:
        self.letters.append((to, letter))


class Gate:
    """Work that stops until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self._open = asyncio.Event(), asyncio.Event()

    async def __call__(self, asked: Any, use: Use) -> Any:
        self.reached.set()
        await self._open.wait()
        return {"said": use.step}

    def open(self) -> None:
        self._open.set()


def plan_activities(
    database: Database, model: ScriptedModel, tools: Sequence[Tool] = (), post: Post | None = None
) -> Sequence[Callable[..., Any]]:
    """The real activities on that ledger."""
    post = post or Post()
    plans, waitpoints, keyring = Plans(database), Waitpoints(database), Keyring(["a key"])
    waits = Waits(waitpoints, keyring)
    known: dict[str, Tool] = {tool.spec.name: tool for tool in (Calculate(), *tools)}
    steps = PlanSteps(plans, Jobs(database), model, known)
    within = timedelta(days=3)
    asking = PlanWaits(plans, waits, keyring, post, post, within=within, public_url="http://127.0.0.1")
    return [
        steps.answer,
        steps.run_tool,
        steps.call_tool,
        steps.research,
        steps.conclude,
        asking.ask,
        waits.open_wait,
        waits.settle_wait,
    ]


def plan_of(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A payload; the mode allows every tool."""
    named = {"workflowName": "Sales review", "workflowDescription": "Review sales", "mode": "Admin"}
    return {**named, "steps": steps, **more}


async def outputs(database: Database, job_id: UUID) -> dict[str, Any]:
    """What the steps brought, as the view has it."""
    rows = await Plans(database).view(job_id)
    return {row["name"]: row["output"] for row in rows}
