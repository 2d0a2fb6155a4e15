"""Where somebody speaks, in sound that is looked at a minute at a time."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from providers.speech.stretches import LONGEST_SECONDS, RATE, WINDOW_SECONDS, Stretch, windows
from tests.support.sounds import JFK, spoken
from tests.support.voices import say

TEXT = "I measured each query, found a missing index, and after I had added it the pages were twice as fast."


def recorded(*parts: tuple[float, NDArray[np.int16]], seconds: float) -> NDArray[np.int16]:
    sound = np.zeros(round(seconds * RATE), np.int16)
    for start, samples in parts:
        sound[round(start * RATE) : round(start * RATE) + len(samples)] = samples
    return sound


def found(sound: NDArray[np.int16], after: int = 0, portion: int = 1000) -> list[Stretch]:
    pieces = (sound[at : at + portion].tobytes() for at in range(0, len(sound), portion))
    return [stretch for window in windows(pieces, after) for stretch in window.stretches]


def covered(sound: NDArray[np.int16], stretches: list[Stretch]) -> float:
    """The share of the sound's energy that stands in the stretches."""
    energy = sound.astype(np.float64) ** 2
    return float(sum(energy[one.start : one.end].sum() for one in stretches) / energy.sum())


def loudest_cut(sound: NDArray[np.int16], stretches: list[Stretch]) -> float:
    """The mean of the samples' size around the end of a stretch, against that of speech."""
    size = np.abs(sound.astype(np.float64))
    ends = (at for one in stretches for at in (one.start, one.end))
    return max(size[max(0, at - RATE // 50) : at + RATE // 50].mean() for at in ends) / size[size > 300].mean()


@pytest.mark.parametrize("before_the_end", [0.2, 1.0, 1.7, 3.0, 4.3, 5.0])
def test_no_word_is_cut_where_a_minute_ends(before_the_end: float) -> None:
    sound = recorded((2, say(TEXT)), (WINDOW_SECONDS - before_the_end, say(TEXT)), seconds=100)
    stretches = found(sound)
    assert covered(sound, stretches) > 0.999
    assert loudest_cut(sound, stretches) < 0.1


def test_stretches_hold_the_sound_that_stands_there() -> None:
    sound = recorded((50, say(TEXT)), (70, say(TEXT, "low")), seconds=130)
    for one in found(sound):
        assert one.samples * 32768 == pytest.approx(sound[one.start : one.end], abs=1e-3)


def test_it_goes_on_after_any_second() -> None:
    sound = recorded((3, say(TEXT)), (30, say(TEXT, "low")), (75, say(TEXT)), seconds=90)
    after = 20 * RATE + 7
    rest = found(sound, after)
    assert rest[0].start > 29 * RATE
    assert covered(np.concatenate((np.zeros(after, np.int16), sound[after:])), rest) > 0.999


def test_who_never_pauses_is_cut_all_the_same() -> None:
    sound = np.resize(spoken(JFK)[RATE // 2 : 2 * RATE], 90 * RATE)
    stretches = found(sound)
    assert all(len(one.samples) <= LONGEST_SECONDS * RATE for one in stretches)
    assert all(one.end <= following.start + 1 for one, following in pairwise(stretches))
    assert sum(len(one.samples) for one in stretches) / len(sound) > 0.9


def test_silence_has_no_stretches_and_the_end_is_told() -> None:
    sound = recorded(seconds=150)
    all_windows = list(windows([sound.tobytes()], 0))
    assert [window.stretches for window in all_windows] == [()] * len(all_windows)
    assert all_windows[-1].until == len(sound)
    assert list(windows([], 0))[-1].until == 0
