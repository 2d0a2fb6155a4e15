"""Interviews as transcripts: turns of numbered speakers, spoken at an even pace."""

from collections.abc import Sequence

from domain.interviews.parsing import question
from domain.interviews.questions import Question
from domain.interviews.transcript import Transcript, Word

SECONDS, GAP, PAUSE = 0.3, 0.1, 0.6


def spoken(*turns: tuple[int | None, str]) -> Transcript:
    """Words of 0.3 s with 0.1 s between them, and 0.6 s between turns."""
    words: list[Word] = []
    now = 0.0
    for speaker, text in turns:
        for word in text.split():
            words.append(Word(text=word, start=round(now, 2), end=round(now + SECONDS, 2), speaker=speaker))
            now += SECONDS + GAP
        now += PAUSE
    return Transcript(words=tuple(words), duration_seconds=now, transcribed_by="offline")


def answered(asked: str, answer: str | Sequence[tuple[int, str]]) -> tuple[Question, Transcript]:
    """A question of speaker 0 and the answer of speaker 1; turns in between, where the answer has some."""
    turns = [(1, answer)] if isinstance(answer, str) else list(answer)
    transcript = spoken((0, asked), *turns)
    first = len(asked.split())
    return question(transcript, [(0, first)], first, len(transcript.words)), transcript
