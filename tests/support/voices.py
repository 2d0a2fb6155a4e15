"""Spoken interviews for tests, of which it is known to the sample who says what and when.

One synthetic voice comes inside the package hibari-tts (Apache-2.0; American English). The other is the same one,
spoken faster and then slowed down as a tape is: pitch and formants fall together, as in a larger speaker.
"""

import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from hibari import Hibari
from numpy.typing import NDArray

Voice = Literal["high", "low"]
Samples = NDArray[np.int16]
RATE = 16_000
# by how much lower; both are understood without an error, and sound as unlike as two people do
LOWER = {"high": 1.0, "low": 0.8}

# an interview of the usual kind, each question with its answer
TURNS: tuple[tuple[Voice, str], ...] = (
    ("high", "Thank you for coming in today. Could you tell me a little about yourself?"),
    (
        "low",
        "Sure. I have been a software engineer for six years. For the last three years I worked at a company that "
        "plans delivery routes, where I built the service that finds the shortest one.",
    ),
    ("high", "Tell me about a time when you had to deal with a difficult customer."),
    (
        "low",
        "In my last job we had a customer who was unhappy with our release schedule. I called her every week, wrote "
        "down what she needed, and moved two features forward.",
    ),
    ("high", "What did you learn from that experience?"),
    ("low", "I learned that listening comes first. Most of the anger came from not knowing what would happen next."),
)


@dataclass(frozen=True)
class Said:
    """What one voice said, and the seconds of the recording between which it did."""

    voice: Voice
    text: str
    start: float
    end: float


@cache
def _speaker() -> Any:
    return Hibari()


@cache
def say(text: str, voice: Voice = "high") -> Samples:
    """The same text sounds the same each time; 16 kHz, one channel."""
    made, lower = _speaker()(text, speed=1 / LOWER[voice], seed=0), LOWER[voice]
    step = _speaker().sample_rate * lower / RATE
    resampled = np.interp(np.arange(int(len(made) / step)) * step, np.arange(len(made)), made)
    return (np.clip(resampled, -1, 1) * 32767).astype(np.int16)


def interview(path: Path, turns: Iterable[tuple[Voice, str]], *, pause: float = 0.6, lead: float = 0.5) -> list[Said]:
    """Write a wav file of the turns in their order, `pause` seconds between them, and tell who said what, when."""
    said: list[Said] = []
    stretches: list[tuple[float, Samples]] = []
    at = lead
    for voice, text in turns:
        samples = say(text, voice)
        stretches.append((at, samples))
        said.append(Said(voice, text, at, at + len(samples) / RATE))
        at = said[-1].end + pause
    recording(path, stretches, at)
    return said


def recording(path: Path, stretches: Sequence[tuple[float, Samples]], seconds: float) -> None:
    """Write a wav file of so many seconds; where nothing is said, in order of time, it is silent."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for start, samples in stretches:
            _silence(file, round(start * RATE))
            file.writeframes(samples.tobytes())
        _silence(file, round(seconds * RATE))


def _silence(file: wave.Wave_write, until: int) -> None:
    while (missing := until - file.tell()) > 0:
        file.writeframes(bytes(2 * min(missing, 60 * RATE)))
