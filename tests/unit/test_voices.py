"""Two speakers told apart by how they sound, on vectors made for it."""

import math
import random

import pytest

from domain.interviews.transcript import Voice, Word
from domain.interviews.voices import cosine, told_apart, two_voices

WIDTH = 64


def unit(vector: list[float]) -> tuple[float, ...]:
    length = math.sqrt(cosine(vector, vector))
    return tuple(one / length for one in vector)


def person(seed: int) -> list[float]:
    return [random.Random(seed + place).gauss(0, 1) for place in range(WIDTH)]


def sounds(seed: int, at: float, spread: float = 0.4) -> Voice:
    """Two seconds of a person from a second on; no two of them sound the same."""
    chance = random.Random(f"{seed} {at}")
    vector = [one + chance.gauss(0, spread) for one in person(seed * 1000)]
    return Voice(start=at, end=at + 2, vector=unit(vector))


def words(text: str, start: float, pace: float = 0.5) -> list[Word]:
    at = (start + place * pace for place in range(10**6))
    return [Word(text=word, start=began, end=began + pace) for word, began in zip(text.split(), at, strict=False)]


def speakers(said: tuple[Word, ...]) -> list[int | None]:
    return [word.speaker for word in said]


def test_who_is_heard_first_is_the_first() -> None:
    for first, second in ((1, 2), (2, 1)):
        voices = [sounds((first, second)[at % 4 >= 2], at * 2.0) for at in range(12)]
        said = [word for at in range(6) for word in words("one two three four.", at * 4.0, 1.0)]
        assert speakers(told_apart(said, voices)) == ([0] * 4 + [1] * 4) * 3


def test_one_person_is_one_speaker() -> None:
    voices = [sounds(1, at * 2.0) for at in range(20)]
    assert speakers(told_apart(words("it is me all the time", 0), voices)) == [0] * 6


def test_a_cough_is_no_speaker() -> None:
    voices = [*(sounds(1, at * 2.0) for at in range(20)), sounds(9, 40.0)]
    assert two_voices([voice.vector for voice in voices]) is None


@pytest.mark.parametrize("rare", [3, 10, 30])
def test_who_says_little_is_still_heard(rare: int) -> None:
    voices = [sounds(2 if at < rare else 1, at * 2.0) for at in range(60)]
    means = two_voices([voice.vector for voice in voices])
    assert means is not None
    sides = [cosine(voice.vector, means[0]) > cosine(voice.vector, means[1]) for voice in voices]
    assert len(set(sides[:rare])) == len(set(sides[rare:])) == 1
    assert sides[0] != sides[-1]


def test_who_speaks_changes_between_sentences_not_within_them() -> None:
    voices = [sounds(1, 0), sounds(1, 2), sounds(2, 4), sounds(2, 6), sounds(1, 8), sounds(2, 10)]
    said = [*words("What did you do then?", 0, 0.9), *words("I wrote it all down again.", 4.6, 0.5)]
    assert speakers(told_apart(said, voices)) == [0] * 5 + [1] * 6


def test_what_is_too_short_to_have_a_sound_goes_to_who_spoke() -> None:
    voices = [sounds(1, 0), sounds(1, 2), sounds(2, 10), sounds(2, 12)]
    said = [*words("So tell me.", 1), *words("Yes.", 6), *words("Well, I did.", 10.5)]
    assert speakers(told_apart(said, voices)) == [0, 0, 0, 0, 1, 1, 1]


def test_nothing_said_has_no_speakers() -> None:
    assert told_apart([], []) == ()
    assert speakers(told_apart(words("heard once", 0), [])) == [0, 0]
