"""Recordings made of people's speech, and how what is heard of them is compared with the truth."""

import re
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from domain.interviews.audio import AudioInfo, Container, Hearing
from domain.interviews.transcript import Word
from tests.support.voices import RATE, Samples, recording

# who speaks, and between which seconds
Part = tuple[int, float, float]
# a word begins a little before its sound, or ends after it
SLACK, PAUSE = 0.15, 0.3
WRITTEN_OUT = {"mr": "mister"}


def asked(path: Path, container: Container = "wav", seconds: float = 60.0) -> Hearing:
    return Hearing(job_id=uuid4(), attempt=1, path=path, info=AudioInfo(container=container, seconds=seconds))


def plain(text: str) -> str:
    """As words are compared: lower case, no punctuation, titles written out."""
    words = re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("-", " ")).split()
    return " ".join(WRITTEN_OUT.get(word, word) for word in words)


def in_turns(path: Path, parts: Sequence[tuple[int, Samples]]) -> list[Part]:
    """Write a wav file of what each says, one after the other; the truth of it."""
    truth: list[Part] = []
    for number, samples in parts:
        start = truth[-1][2] + PAUSE if truth else 0.0
        truth.append((number, start, start + len(samples) / RATE))
    stretches = [(start, samples) for (_, start, _), (_, samples) in zip(truth, parts, strict=True)]
    recording(path, stretches, truth[-1][2] + PAUSE)
    return truth


def right_share(words: Sequence[Word], truth: Sequence[Part]) -> float:
    """Of the words' time, what is given to who speaks in their middle."""
    right, at = 0.0, 0
    for word in words:
        middle = (word.start + word.end) / 2
        while at + 1 < len(truth) and truth[at][2] + SLACK < middle:
            at += 1
        number, start, end = truth[at]
        if number == word.speaker and start - SLACK <= middle <= end + SLACK:
            right += word.end - word.start
    return right / sum(word.end - word.start for word in words)
