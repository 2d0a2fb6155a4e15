"""Answers of known order, written interviews, and published questions with answers; see SOURCES.md."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from domain.interviews.transcript import Transcript, Word

HERE = Path(__file__).parent
Level = Literal["high", "medium", "low"]
LEVELS: Sequence[Level] = ("high", "medium", "low")
ROLES = ("gd", "ml", "sales")
# The rules were written with these cases of each role in view; the others were never read, only measured.
DEVELOPED = range(6)
# Turns of written interviews that only go further into the one before, as a person reads them.
FOLLOW_UPS: Mapping[str, Sequence[int]] = {"ml_5": (2,)}
WORD_SECONDS, GAP_SECONDS, TURN_SECONDS = 0.3, 0.08, 0.6
ANSWER = re.compile(r'\{\{\s*"([\w-]+)"\s*\|\s*team_photo\s*\}\}\s*<blockquote>(.*?)</blockquote>', re.DOTALL)


class Said(NamedTuple):
    """A question and its answer."""

    asked: str
    answer: str


class Case(NamedTuple):
    """One subject: answers that show much, some, little; and something that has nothing to do with it."""

    role: str
    number: int
    at: Mapping[Level, Said]
    irrelevant: Said
    # The written interview before it, where there is one.
    before: tuple[Said, ...]

    @property
    def developed(self) -> bool:
        return self.number in DEVELOPED


@cache
def cases() -> tuple[Case, ...]:
    """All 30, role by role."""
    told = {name: _tests(f"{name}-evidence") for name in LEVELS}
    irrelevant = _tests("irrelevance")
    return tuple(
        Case(
            role,
            number,
            {name: told[name][f"{role}_{number}"] for name in LEVELS},
            irrelevant[f"{role}_{number}"],
            interview(f"{role}_{number}") if number in DEVELOPED else (),
        )
        for role in ROLES
        for number in range(10)
    )


@cache
def interview(name: str) -> tuple[Said, ...]:
    """A written interview."""
    turns = json.loads((HERE / "base-interviews" / f"{name}.json").read_text(encoding="utf-8"))
    roles = [turn["role"] for turn in turns]
    if roles != ["interviewer", "applicant"] * (len(turns) // 2):
        raise ValueError(f"{name}: the speakers do not take turns")
    said = [" ".join(turn["message"].split()) for turn in turns]
    return tuple(Said(*pair) for pair in zip(said[::2], said[1::2], strict=True))


def joined(name: str) -> list[Said]:
    """A written interview's questions with their answers, follow-ups joined: what a reader of it should find."""
    found: list[Said] = []
    for place, turn in enumerate(interview(name)):
        if place in FOLLOW_UPS.get(name, ()):
            asked, answer = found.pop()
            turn = Said(f"{asked} {turn.asked}", f"{answer} {turn.asked} {turn.answer}")
        found.append(turn)
    return found


@cache
def other_role() -> Mapping[str, str]:
    """By case, a role whose questions its answers say nothing to."""
    told = json.loads((HERE / "uniform-prior.json").read_text(encoding="utf-8"))
    return {name: row["rubric"] for name, row in told.items()}


@cache
def said() -> Mapping[str, Sequence[str]]:
    return tomllib.loads((HERE / "said.toml").read_text(encoding="utf-8"))


@cache
def published() -> tuple[tuple[Said, Said], ...]:
    """Two questions and their published answers, for everybody who has answered both."""
    asked = ("What path did you take to join 18F?", "And what have you loved working on?")
    answers = [dict(_answers(path)) for path in sorted(HERE.glob("real-qa-*.md"))]
    both = [name for name in answers[0] if name in answers[1]]
    return tuple((Said(asked[0], answers[0][name]), Said(asked[1], answers[1][name])) for name in both)


def transcript(turns: Sequence[Said], *, told_apart: bool = True) -> Transcript:
    """The turns as if they had been spoken, 158 words a minute, by two voices; or by nobody in particular."""
    words: list[Word] = []
    now = 0.0
    for speaker, text in ((number, text) for turn in turns for number, text in enumerate(turn)):
        for word in text.split():
            who = speaker if told_apart else None
            words.append(Word(text=word, start=round(now, 2), end=round(now + WORD_SECONDS, 2), speaker=who))
            now += WORD_SECONDS + GAP_SECONDS
        now += TURN_SECONDS
    return Transcript(words=tuple(words), duration_seconds=now, transcribed_by="offline")


def _tests(name: str) -> dict[str, Said]:
    tests: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["tests"]
    return {case: Said(row["interviewer_turn"], row["applicant_turn"]) for case, row in tests.items()}


def _answers(path: Path) -> Iterator[tuple[str, str]]:
    for name, text in ANSWER.findall(path.read_text(encoding="utf-8")):
        plain = re.sub(r"\{\{.*?\}\}|<[^>]+>|\[([^\]]*)\]\([^)]*\)", r"\1", text, flags=re.DOTALL)
        yield name, " ".join(plain.split()).rstrip(" -–—")
