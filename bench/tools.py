"""`python -m bench.tools`: how often a model calls the right tools, and how often it does so every time (pass^k).

Each case is asked four times through the same turn that a workflow's model step takes, over HTTP. Without a key the
model is scripted and makes mistakes that are known: the measure has to find each of them. With ANTHROPIC_API_KEY or
OPENAI_API_KEY the model is asked for real (LONGRUN_MODEL names it) and nothing but what it does is printed.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from math import comb
from typing import Any
from uuid import uuid4

from llmock.scenarios import Reply, ToolCall
from llmock.testing import LLMockServer

from activities.plans import MOST_TOKENS, PROMPT
from bench.quality_run import Purse
from bench.tool_cases import Case, cases
from domain.errors import VendorError
from domain.plan import StepAnswer
from domain.usage import Call
from providers.models import Models

TRIALS, AT_ONCE = 4, 8
# Of every seventh case the scripted model gets the second trial wrong, of every eleventh all of them.
SOMETIMES, ALWAYS = 7, 11
Passed = Mapping[str, Sequence[int]]


def pass_k(right: Sequence[int], k: int) -> float:
    """The chance that k of the trials of a case, drawn at random, are all right; the mean over the cases.

    `right`: how many of its TRIALS were right, for each case (tau-bench, arXiv 2406.12045).
    """
    return sum(comb(one, k) / comb(TRIALS, k) for one in right) / len(right)


def wrong(at: int, trial: int) -> bool:
    """Whether the scripted model makes a mistake there."""
    return at % ALWAYS == ALWAYS - 1 or (at % SOMETIMES == SOMETIMES - 1 and trial == 1)


def scripted(case: Case, at: int, trial: int) -> Reply:
    """What the scripted model says: the right calls; or one with an argument that is not right, or one too many."""
    calls = [ToolCall(name, given) for name, given in case.script()]
    if wrong(at, trial):
        first = calls[0].arguments if calls else {}
        calls = [ToolCall(case.offers[0].name, {**first, "invented": "value"}), *calls[1:]]
    answer = StepAnswer(answer="No tool fits this.").model_dump_json(by_alias=True)
    return Reply(tool_calls=tuple(calls)) if calls else Reply(text=answer)


async def ask(models: Models, case: Case, trial: int, model: str | None) -> bool:
    """Whether the model calls the right tools, and no other, in one turn."""
    try:
        choice = await models.choose(
            Call(job_id=uuid4(), step=case.name, turn=trial),
            model=model,
            instructions=files("providers").joinpath(PROMPT).read_text(encoding="utf-8"),
            prompt=f"Your step: answer this, with tools where they fit.\n\n{case.prompt}",
            exchanges=(),
            offers=case.offers,
            output=StepAnswer,
            max_tokens=MOST_TOKENS,
        )
    except VendorError as error:
        if error.code not in ("bad_answer", "refused", "truncated"):
            raise
        return False
    return case.holds(choice.uses)


async def by_script(asked: Sequence[Case]) -> dict[str, list[int]]:
    """How many of the trials were right, for each case, by its sort."""
    right: dict[str, list[int]] = {}
    with LLMockServer() as server:
        models = Models(Purse(), anthropic_key="scripted", anthropic_base_url=server.base_url("anthropic"))
        for at, case in enumerate(asked):
            passed = 0
            for trial in range(TRIALS):
                server.state.scenarios.add(scripted(case, at, trial))
                passed += await ask(models, case, trial, None)
            right.setdefault(case.sort, []).append(passed)
        await models.close()
    return right


async def by_model(asked: Sequence[Case], keys: Mapping[str, str], model: str | None) -> dict[str, list[int]]:
    """The same of a real model, some cases at once."""
    models = Models(
        Purse(), model=model, anthropic_key=keys.get("ANTHROPIC_API_KEY"), openai_key=keys.get("OPENAI_API_KEY")
    )
    slots = asyncio.Semaphore(AT_ONCE)

    async def trial(case: Case, number: int) -> bool:
        async with slots:
            return await ask(models, case, number, model)

    right: dict[str, list[int]] = {}
    for case in asked:
        passed = await asyncio.gather(*(trial(case, number) for number in range(TRIALS)))
        right.setdefault(case.sort, []).append(sum(passed))
    await models.close()
    return right


def planted(asked: Sequence[Case]) -> dict[str, list[int]]:
    """What has to be found of the scripted model."""
    right: dict[str, list[int]] = {}
    for at, case in enumerate(asked):
        right.setdefault(case.sort, []).append(sum(not wrong(at, trial) for trial in range(TRIALS)))
    return right


def show(who: str, right: Passed) -> None:
    print(f"\n{who}: share of cases with the right calls in k of k trials")
    everything = [one for some in right.values() for one in some]
    for sort, some in [*right.items(), ("all", everything)]:
        rates = "".join(f"{pass_k(some, k):>9.3f}" for k in range(1, TRIALS + 1))
        print(f"  {sort:<16}{len(some):>4}{rates}")
    print(f"  {'':<20}" + "".join(f"{f'pass^{k}':>9}" for k in range(1, TRIALS + 1)))


def main() -> int:
    asked = cases()
    keys = {name: os.environ[name] for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY") if os.environ.get(name)}
    if keys:
        model = os.environ.get("LONGRUN_MODEL") or None
        show(model or "the default model", asyncio.run(by_model(asked, keys, model)))
        return 0
    found: Any = asyncio.run(by_script(asked))
    show("a scripted model, whose mistakes are known", found)
    held = found == planted(asked)
    print(f"  every mistake found, and no other: {'held' if held else 'NOT held ' + json.dumps(found)}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
