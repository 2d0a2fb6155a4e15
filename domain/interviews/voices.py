"""Who of two says what, by how each stretch of speech sounds."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import sqrt
from operator import mul

from domain.interviews.transcript import Voice, Word

Vector = Sequence[float]

# The cosine of two voices' means: above it the two halves of the speech are one person's
APART = 0.72
# A shorter stretch says too little to be counted among those from which the means are made
TELLING_SECONDS = 1.2
# What is rarer is a cough, a laugh, a door
LEAST_VOICES, LEAST_SHARE = 2, 0.02
ROUNDS = 30
# Who speaks changes at the end of a sentence, or where a pause of so many seconds is made
ENDINGS = (".", "?", "!", "…")
PAUSE_SECONDS = 0.4


def told_apart(words: Sequence[Word], voices: Sequence[Voice]) -> tuple[Word, ...]:
    """The words with their speakers, numbered in the order in which they are heard; 0 for all where there is one."""
    means = two_voices([voice.vector for voice in voices if voice.end - voice.start >= TELLING_SECONDS])
    if means is None:
        return tuple(word.model_copy(update={"speaker": 0}) for word in words)
    leanings = [(one.start, one.end, cosine(one.vector, means[0]) - cosine(one.vector, means[1])) for one in voices]
    return _numbered(words, list(_phrases(words)), leanings)


def two_voices(vectors: Sequence[Vector]) -> tuple[Vector, Vector] | None:
    """The mean of each of two speakers, or None where there is but one.

    k-means on the unit sphere (Dhillon and Modha 2001) with k = 2, from the voice that is least like the mean and the
    one that is least like that; the best of a few beginnings.
    """
    if len(vectors) < 2 * LEAST_VOICES:
        return None
    found = [split for seed in _seeds(vectors) if (split := _split(vectors, seed))]
    if not found:
        return None
    _, *means = max(found, key=lambda split: split[0])
    return (means[0], means[1]) if cosine(means[0], means[1]) < APART else None


def cosine(one: Vector, other: Vector) -> float:
    """Of vectors of unit length."""
    return sum(map(mul, one, other))


def _seeds(vectors: Sequence[Vector]) -> Iterator[tuple[Vector, Vector]]:
    middle = _mean(vectors)
    by_likeness = sorted(vectors, key=lambda vector: cosine(vector, middle))
    for place in (0, len(vectors) // 10, len(vectors) // 4):
        first = by_likeness[place]
        yield first, min(vectors, key=lambda vector: cosine(vector, first))


def _split(vectors: Sequence[Vector], seed: tuple[Vector, Vector]) -> tuple[float, Vector, Vector] | None:
    """How well the halves hold together, and their means; None where one of them is next to nothing."""
    means, sides, likeness = seed, list[bool](), 0.0
    for _ in range(ROUNDS):
        likes = [(cosine(vector, means[0]), cosine(vector, means[1])) for vector in vectors]
        likeness = sum(map(max, likes))
        before, sides = sides, [other > one for one, other in likes]
        smaller = min(sum(sides), len(sides) - sum(sides))
        if smaller < max(LEAST_VOICES, LEAST_SHARE * len(sides)):
            return None
        if sides == before:
            break
        means = (
            _mean([vector for vector, side in zip(vectors, sides, strict=True) if not side]),
            _mean([vector for vector, side in zip(vectors, sides, strict=True) if side]),
        )
    return likeness, *means


def _mean(vectors: Sequence[Vector]) -> Vector:
    """Of unit length too."""
    total = [sum(column) for column in zip(*vectors, strict=True)]
    length = sqrt(cosine(total, total)) or 1.0
    return [one / length for one in total]


def _phrases(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """First and last, exclusive, of the words between which nobody takes over."""
    first = 0
    for at, (word, following) in enumerate(pairwise(words), start=1):
        if word.text.endswith(ENDINGS) or following.start - word.end >= PAUSE_SECONDS:
            yield first, at
            first = at
    if words:
        yield first, len(words)


def _numbered(
    words: Sequence[Word], phrases: Sequence[tuple[int, int]], leanings: Sequence[tuple[float, float, float]]
) -> tuple[Word, ...]:
    numbers: dict[bool, int] = {}
    said: list[Word] = []
    side, at = False, 0
    for first, last in phrases:
        start, end = words[first].start, words[last - 1].end
        while at < len(leanings) and leanings[at][1] <= start:
            at += 1
        leaning, place = 0.0, at
        while place < len(leanings) and leanings[place][0] < end:
            since, until, towards = leanings[place]
            leaning += towards * max(0.0, min(until, end) - max(since, start))
            place += 1
        # of what is too short to have a sound, the one goes on who spoke
        side = leaning < 0 if leaning else side
        number = numbers.setdefault(side, len(numbers))
        said.extend(word.model_copy(update={"speaker": number}) for word in words[first:last])
    return tuple(said)
