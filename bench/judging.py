"""What is asked of a judge of answers: scores in their order, and none raised by what shows nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from typing import NamedTuple
from uuid import uuid4

from bench.judge_cases import LEVELS, Case, Level, Said, cases, other_role, said, transcript
from domain.interviews.parsing import question
from domain.interviews.questions import Dimension, Judgement
from domain.interviews.rating import SAMPLES, Judged, judgement_of, score_prompt
from domain.interviews.scoring import judged
from domain.usage import Call
from providers.models import Models

PROMPT, MOST_TOKENS, AT_ONCE = "prompts/interview_score.md", 6_000, 8
Judge = Callable[[Sequence[Said]], Awaitable[Judgement]]


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
