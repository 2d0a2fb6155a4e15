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
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from typing import NamedTuple
from uuid import uuid4

from bench.judge_cases import (
    LEVELS,
    ROLES,
    Case,
    Level,
    Said,
    cases,
    interview,
    joined,
    other_role,
    published,
    said,
    transcript,
)
from bench.quality_run import Purse
from domain.interviews.parsing import question, questions_of
from domain.interviews.questions import Dimension, Judgement
from domain.interviews.rating import SAMPLES, Judged, judgement_of, score_prompt
from domain.interviews.scoring import judged
from domain.usage import Call
from providers.models import Models

PROMPT, MOST_TOKENS, AT_ONCE = "prompts/interview_score.md", 6_000, 8
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
Judge = Callable[[Sequence[Said]], Awaitable[Judgement]]


class Figure(NamedTuple):
    """One line; a bar of None only informs."""

    name: str
    value: float
    bar: float | None
    of: int

    @property
    def held(self) -> bool:
        return self.bar is None or self.value >= self.bar


class Scored(NamedTuple):
    """A case's means by level; None where nothing applies."""

    case: Case
    means: Mapping[Level, float | None]

    @property
    def pairs(self) -> list[bool]:
        """Whether high > medium, medium > low, high > low."""
        high, medium, low = (self.means[level] for level in LEVELS)
        return [a is not None and b is not None and a > b for a, b in ((high, medium), (medium, low), (high, low))]

    @property
    def ordered(self) -> bool:
        return all(self.pairs)


def mean(judgement: Judgement) -> float | None:
    """Over the dimensions that apply."""
    given = [score.score for score in judgement.scores.values() if score.score is not None]
    return sum(given) / len(given) if given else None


async def offline(turns: Sequence[Said]) -> Judgement:
    """The last answer of an interview, by rules, which do not look at what was said before it."""
    last = turns[-1:]
    spoken = transcript(last)
    return judged(question(spoken, *_last(last)), spoken, None)


def of_model(models: Models) -> Judge:
    """The same by a model, over its vendor's API."""
    slots = asyncio.Semaphore(AT_ONCE)
    instructions = files("providers").joinpath(PROMPT).read_text(encoding="utf-8")

    async def sample(prompt: str, turn: int) -> Judged:
        async with slots:
            call = Call(job_id=uuid4(), step="score", turn=turn)
            answer = await models.ask(
                call, instructions=instructions, prompt=prompt, output=Judged, max_tokens=MOST_TOKENS
            )
        return answer.output

    async def judge(turns: Sequence[Said]) -> Judgement:
        spoken = transcript(turns)
        asked = question(spoken, *_last(turns))
        prompt = score_prompt(asked, spoken, None)
        samples = await asyncio.gather(*(sample(prompt, turn) for turn in range(SAMPLES)))
        return judgement_of(samples, asked, spoken, None)

    return judge


async def ordering(judge: Judge, some: Sequence[Case]) -> list[Scored]:
    """Every case at all three levels, each after the interview that it belongs to."""

    async def one(case: Case) -> Scored:
        means = await asyncio.gather(*(_mean(judge, [*case.before, case.at[level]]) for level in LEVELS))
        return Scored(case, dict(zip(LEVELS, means, strict=True)))

    return list(await asyncio.gather(*map(one, some)))


async def raised(
    judge: Judge, scored: Sequence[Scored], *, sort: str, level: Level, most: int | None = None
) -> list[bool]:
    """For each case and each thing of that sort that is said behind its answer: whether the mean rises."""

    async def one(row: Scored, added: str) -> bool:
        turn = row.case.at[level]
        longer = await _mean(judge, [*row.case.before, Said(turn.asked, f"{turn.answer} {added}")])
        before = row.means[level]
        return longer is not None and (before is None or longer > before)

    asked = [one(row, added) for row in scored for added in islice(_added(row.case, sort, level), most)]
    return list(await asyncio.gather(*asked))


async def elsewhere(judge: Judge, scored: Sequence[Scored]) -> list[bool]:
    """Whether the best answers, put to a question of another trade, are less relevant than to their own."""

    async def one(row: Scored) -> bool:
        case = row.case
        role = other_role()[f"{case.role}_{case.number}"]
        [other] = [found for found in cases() if found.role == role and found.number == case.number]
        own = await judge([case.at["high"]])
        there = await judge([Said(other.at["high"].asked, case.at["high"].answer)])
        numbers = [found.scores[Dimension.RELEVANCE].score for found in (own, there)]
        return numbers[0] is not None and (numbers[1] is None or numbers[1] < numbers[0])

    return list(await asyncio.gather(*map(one, scored)))


async def chats(judge: Judge, some: Sequence[Case]) -> list[bool]:
    """Whether small talk asked and answered behind a written interview raises the mean of all its answers."""

    async def one(case: Case) -> bool:
        turns = [*case.before, case.at["medium"]]
        parts = [await _mean(judge, turns[: place + 1]) for place in range(len(turns))]
        chat = await _mean(judge, [*turns, case.irrelevant])
        given = [part for part in parts if part is not None]
        return chat is not None and chat > sum(given) / len(given)

    return list(await asyncio.gather(*(one(case) for case in some if case.before)))


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


def _added(case: Case, sort: str, level: Level) -> Iterator[str]:
    if sort == "the answer once more":
        yield case.at[level].answer
    elif sort == "talk of something else":
        yield from (other.irrelevant.answer for other in (case, *cases()))
    else:
        yield from said()[sort]


def _last(turns: Sequence[Said]) -> tuple[list[tuple[int, int]], int, int]:
    """Where the last question and its answer stand among the words."""
    asked, answer = (len(text.split()) for text in turns[-1])
    start = sum(len(text.split()) for turn in turns[:-1] for text in turn)
    return [(start, start + asked)], start + asked, start + asked + answer


async def _mean(judge: Judge, turns: Sequence[Said]) -> float | None:
    return mean(await judge(turns))


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
