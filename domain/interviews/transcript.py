"""What was said in a recording, word by word. Times are seconds from its start."""

from collections.abc import Iterator
from itertools import groupby
from typing import Literal

from domain.model import Model

TranscribedBy = Literal["deepgram", "offline"]


class Word(Model):
    """`speaker` is a number from 0 in the order in which they are first heard; None where nobody told them apart."""

    text: str
    start: float
    end: float
    speaker: int | None = None


class Turn(Model):
    """What one speaker says until another one does: `words[first:last]` of the transcript."""

    speaker: int | None
    start: float
    end: float
    text: str
    first: int
    last: int


class Transcript(Model):
    words: tuple[Word, ...]
    duration_seconds: float
    transcribed_by: TranscribedBy
    model: str | None = None

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    def turns(self) -> Iterator[Turn]:
        """In the order of time; a transcript without speakers is one turn."""
        for speaker, group in groupby(enumerate(self.words), key=lambda one: one[1].speaker):
            said = list(group)
            (first, opening), (last, ending) = said[0], said[-1]
            text = " ".join(word.text for _, word in said)
            yield Turn(speaker=speaker, start=opening.start, end=ending.end, text=text, first=first, last=last + 1)


class Voice(Model):
    """How a stretch of speech sounds: a vector of unit length."""

    start: float
    end: float
    vector: tuple[float, ...]


class Piece(Model):
    """A stretch of a recording that has been listened to; kept as it comes, so that nothing is heard twice."""

    start: float
    end: float
    words: tuple[Word, ...]
    voices: tuple[Voice, ...] = ()
