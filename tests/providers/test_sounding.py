"""The features that the voices' weights were trained on, against figures that others have published or that follow."""

import cmath
import math

import numpy as np
import pytest

from providers.speech import sounding
from providers.speech.sounding import BANDS, FRAME, HOP, LENGTH, RATE, log_mel, mel_bands

# printed in librosa's documentation of mel_frequencies(n_mels=40), from 0 to 11025 Hz
PUBLISHED = [
    *(0.0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49),
    *(1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47),
    *(2697.686, 2945.799, 3216.731, 3512.582, 3835.643, 4188.417, 4573.636, 4994.285, 5453.621, 5955.205, 6502.92),
    *(7101.009, 7754.107, 8467.272, 9246.028, 10096.408, 11025.0),
]


def test_the_bands_stand_where_librosa_has_them() -> None:
    mels = np.linspace(0, sounding._mel(11025), 40)  # pyright: ignore[reportPrivateUsage]
    hertz = sounding._hertz(mels)  # pyright: ignore[reportPrivateUsage]
    assert hertz == pytest.approx(PUBLISHED, abs=0.001)


def test_each_band_has_the_same_area() -> None:
    areas = mel_bands().sum(axis=1) * RATE / LENGTH
    # narrow ones fall between the transform's bins
    assert areas[20:] == pytest.approx(np.ones(BANDS - 20), rel=0.02)


def test_a_frame_is_what_the_definition_gives() -> None:
    """The discrete transform of 400 samples under Hamming's window, 56 zeros on either side, written out."""
    sound = np.random.default_rng(1).normal(0, 0.1, 2 * LENGTH).astype(np.float32)
    start, edge = 2 * HOP, (LENGTH - FRAME) // 2
    weights = [0.54 - 0.46 * math.cos(2 * math.pi * at / FRAME) for at in range(FRAME)]
    windowed = [(edge + at, weight * float(sound[start + edge + at])) for at, weight in enumerate(weights)]
    turns = [[cmath.exp(-2j * math.pi * at * k / LENGTH) for at in range(LENGTH)] for k in range(LENGTH // 2 + 1)]
    power = [abs(sum(value * turn[at] for at, value in windowed)) ** 2 for turn in turns]
    expected = [math.log10(float(np.dot(band, power)) + 1e-10) for band in mel_bands()]
    assert log_mel(sound)[2] == pytest.approx(np.array(expected), abs=1e-4)


def test_frames_begin_every_ten_milliseconds_and_none_is_made_up() -> None:
    assert log_mel(np.zeros(LENGTH, np.float32)).shape == (1, BANDS)
    assert log_mel(np.zeros(LENGTH + 3 * HOP, np.float32)).shape == (4, BANDS)
    assert log_mel(np.zeros(LENGTH + 3 * HOP, np.float32)).max() == pytest.approx(-10)
