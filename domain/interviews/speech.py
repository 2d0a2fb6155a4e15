"""A transcript as people hear it: sentences, and stretches of one speaker that a nod does not break."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.interviews.transcript import Transcript, Turn, Word

# Shorter, or of such words alone, and it is no turn of its own.
NOD_SECONDS, NOD_WORDS = 1.0, 2
_NODS = """mm mhm mmhm mm-hm mm-hmm mhmm hm hmm uh-huh uhhuh aha ah oh yeah yes yep yup right okay ok sure good great
nice wow cool interesting exactly absolutely see i"""
NODS = frozenset(_NODS.split())
ENDS = re.compile(r"[.?!…][\"'”’)\]]*$")
BARE = re.compile(r"^[^\w]+|[^\w]+$")


class Sentence(NamedTuple):
    """`words[first:last]` of the transcript."""

    text: str
    first: int
    last: int

    @property
    def asks(self) -> bool:
        return self.text.rstrip("\"'”’) ").endswith("?")


class Utterance(NamedTuple):
    """What one speaker says until another one takes over; the nods of others in between are left out of it."""

    speaker: int | None
    sentences: tuple[Sentence, ...]

    @property
    def first(self) -> int:
        return self.sentences[0].first

    @property
    def last(self) -> int:
        return self.sentences[-1].last

    @property
    def words(self) -> int:
        return sum(len(sentence.text.split()) for sentence in self.sentences)


def sentences(words: Sequence[Word], first: int, last: int) -> Iterator[Sentence]:
    """The sentences of `words[first:last]`, which one speaker says."""
    start = first
    for place in range(first, last):
        if place == last - 1 or (ENDS.search(words[place].text) and not words[place + 1].text[:1].islower()):
            text = " ".join(word.text for word in words[start : place + 1])
            yield Sentence(text, start, place + 1)
            start = place + 1


def utterances(transcript: Transcript) -> list[Utterance]:
    """In the order of time, neighbours of different speakers."""
    told: list[tuple[int | None, list[Turn]]] = []
    turns = list(transcript.turns())
    for place, turn in enumerate(turns):
        after = turns[place + 1] if place + 1 < len(turns) else None
        if told and told[-1][0] == turn.speaker:
            told[-1][1].append(turn)
        elif told and is_nod(turn) and not asks(told[-1][1][-1].text) and (not after or after.speaker == told[-1][0]):
            continue
        else:
            told.append((turn.speaker, [turn]))
    return [
        Utterance(speaker, tuple(one for turn in spoken for one in sentences(transcript.words, turn.first, turn.last)))
        for speaker, spoken in told
    ]


def is_nod(turn: Turn) -> bool:
    """Whether a turn only says that its speaker listens."""
    said = [BARE.sub("", word).lower() for word in turn.text.split()]
    short = turn.end - turn.start < NOD_SECONDS and len(said) <= NOD_WORDS
    return not asks(turn.text) and (short or all(word in NODS or not word for word in said))


def asks(text: str) -> bool:
    return text.rstrip("\"'”’) ").endswith("?")


def spoken(transcript: Transcript, first: int, last: int) -> list[Sentence]:
    """The sentences in `words[first:last]` of whoever speaks first there: what an answerer says in an answer."""
    words = transcript.words
    if first >= last:
        return []
    found: list[Sentence] = []
    start = first
    for place in range(first, last):
        here, after = words[place].speaker, words[place + 1].speaker if place + 1 < last else object()
        if here != after:
            if here == words[first].speaker:
                found += sentences(words, start, place + 1)
            start = place + 1
    return found
