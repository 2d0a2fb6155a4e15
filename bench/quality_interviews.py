"""How well answers are judged: `python -m bench.quality_interviews` exits 1 when a bar is missed.

For each case of bench/judge_cases the answers that show much, some and little are scored in their interview; compared
are the means over the dimensions that apply. Nothing applies: not ordered. Then something is said behind each answer
that shows nothing (talk of something else, praise of oneself, words of the trade alone, the answer once more, filling,
padding), and no mean may rise. What `ONLY_SHOWN` names has no bar: jargon, and sentences of hands that had not seen the
rules. They tell how far the rules reach, and only as long as nobody mends the rules by them.
Without a key that is the offline judge; with ANTHROPIC_API_KEY or OPENAI_API_KEY a model is asked (LONGRUN_MODEL names
it), three samples an answer as the job does, and its figures stand beside the offline ones.

The offline judge's rules were written with cases 0 to 5 of each role in view; of the others nothing was read, but their
order was measured when weights were chosen.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.judge_cases import LEVELS, ROLES, Case, Said, cases, interview, joined, published, transcript
from bench.judging import Judge, Scored, chats, elsewhere, of_model, offline, ordering, raised
from bench.quality_run import Purse
from domain.interviews.parsing import questions_of
from providers.models import Models

ORDERED, READ = 0.9, 0.9
SORTS = (
    "talk of something else",
    "praise",
    "praise in other words",
    "praise of other hands",
    "jargon",
    "the answer once more",
    "filling",
    "padding",
    "padding of other hands",
)
ONLY_SHOWN = (
    "praise of further hands",
    "padding of further hands",
    "jargon in other words",
    "jargon of other hands",
)
LAST_LETTERS = 20


class Figure(NamedTuple):
    """One line; a bar of None only informs."""

    name: str
    value: float
    bar: float | None
    of: int

    @property
    def held(self) -> bool:
        return self.bar is None or self.value >= self.bar


def found(told: Sequence[Said], turns: Sequence[Said], *, told_apart: bool = True) -> list[bool]:
    """For each question of a written interview whether the offline rules find it with exactly its answer."""
    read = questions_of(transcript(turns, told_apart=told_apart))
    return [
        any(one.answer == turn.answer and turn.asked.endswith(one.question[-LAST_LETTERS:]) for one in read)
        for turn in told
    ]


def parsing() -> list[Figure]:
    """Who asks what and where the answer is, in written interviews and in published answers."""
    names = [f"{role}_{number}" for role in ROLES for number in range(6)]
    base = [hit for name in names for hit in found(joined(name), interview(name))]
    alone = [hit for name in names for hit in found(joined(name), interview(name), told_apart=False)]
    posts = [hit for turns in published() for hit in found(turns, turns)]
    return [
        _figure("questions with their answers", base, READ),
        _figure("  of published answers", posts, READ),
        _figure("  voices not told apart", alone, None),
    ]


async def figures(judge: Judge, some: Sequence[Case], *, briefly: bool = False) -> list[Figure]:
    """All figures of one judge; `briefly` (each answer costs money): of what is said behind it only one of a sort."""
    scored = await ordering(judge, some)
    lines = [_figure(f"high > medium > low, {role}", _of(scored, role), ORDERED) for role in ROLES]
    held_out = [row.ordered for row in scored if not row.case.developed]
    lines.append(_figure("  cases never read", held_out, None))
    lines.append(_figure("  pairs in order", [pair for row in scored for pair in row.pairs], None))
    for sort in (*SORTS, *ONLY_SHOWN):
        rose = [
            one
            for level in (("medium",) if briefly else LEVELS)
            for one in await raised(judge, scored, sort=sort, level=level, most=1 if briefly else None)
        ]
        lines.append(_figure(f"not raised by {sort}", [not one for one in rose], 1.0 if sort in SORTS else None))
    chat = await chats(judge, some)
    lines.append(_figure("not raised by small talk", [not one for one in chat], 1.0))
    lines.append(_figure("off the question, less relevant", await elsewhere(judge, scored), None))
    return lines


async def offline_figures() -> list[Figure]:
    return [*await figures(offline, cases()), *parsing()]


async def model_figures(keys: Mapping[str, str], model: str | None) -> list[Figure]:
    """Of the model that the environment names."""
    anthropic, openai = keys.get("ANTHROPIC_API_KEY"), keys.get("OPENAI_API_KEY")
    models = Models(Purse(), model=model, anthropic_key=anthropic, openai_key=openai)
    try:
        return await figures(of_model(models), cases(), briefly=True)
    finally:
        await models.close()


def _of(scored: Sequence[Scored], role: str) -> list[bool]:
    return [row.ordered for row in scored if row.case.role == role]


def _figure(name: str, held: Sequence[bool], bar: float | None) -> Figure:
    return Figure(name, sum(held) / len(held) if held else 0.0, bar, len(held))


def main() -> int:
    table = {"offline judge": asyncio.run(offline_figures())}
    keys = {name: os.environ[name] for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY") if os.environ.get(name)}
    if keys:
        model = os.environ.get("LONGRUN_MODEL") or None
        table[model or "the default model"] = asyncio.run(model_figures(keys, model))
    for who, lines in table.items():
        print(f"\n{who}")
        for line in lines:
            bar = "" if line.bar is None else f"≥ {line.bar:.2f}  {'ok' if line.held else 'MISSED'}"
            print(f"  {line.name:<34}{line.value:>6.3f}   of {line.of:>4}   {bar}".rstrip())
    return 0 if all(line.held for lines in table.values() for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
