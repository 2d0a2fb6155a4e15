"""The stretches of a recording in which somebody speaks, found as it is decoded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.float32]

# seconds of sound that are looked at together; a stretch that is not over by then is looked at again with what follows
WINDOW_SECONDS = 60
# what Whisper hears at once, less what stands around it
LONGEST_SECONDS = 28
PAUSE_MS, SHORTEST_MS = 250, 150
# A word that begins softly is noticed up to a quarter of a second late.
PADDING_MS = 300
SETTLED_SECONDS = 1.0
# -60 dB of full scale
FLOOR = 1e-3


@dataclass(frozen=True)
class Stretch:
    """`start` is a number of samples from the beginning of the recording."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


@dataclass(frozen=True)
class Window:
    """The stretches that have ended before the sample `until`, in the order of time; later ones begin after it."""

    until: int
    stretches: tuple[Stretch, ...]


def windows(sound: Iterable[bytes], after: int) -> Iterator[Window]:
    """Of 16-bit samples at 16 kHz, those before the sample `after` left out. Holds some windows, never all."""
    start, held = after, np.zeros(0, np.float32)
    for block in _blocks(sound, after):
        held = np.concatenate((held, block))
        window, keep = _looked_at(held, start, last=len(block) < WINDOW_SECONDS * RATE)
        yield window
        start, held = start + keep, held[keep:]


def _blocks(sound: Iterable[bytes], after: int) -> Iterator[Samples]:
    """Of the length of a window; the last one is shorter, be it empty."""
    wanted, buffer, skip = WINDOW_SECONDS * RATE * 2, bytearray(), after * 2
    for piece in sound:
        buffer += piece[skip:]
        skip = max(0, skip - len(piece))
        while len(buffer) >= wanted:
            yield _floats(bytes(buffer[:wanted]))
            del buffer[:wanted]
    yield _floats(bytes(buffer))


def _floats(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)


def _looked_at(held: Samples, start: int, *, last: bool) -> tuple[Window, int]:
    """What has ended in the samples held, and from which of them on they are still needed."""
    spoken = _spoken(held)
    keep = len(held) if last else max(0, len(held) - round(SETTLED_SECONDS * RATE))
    while spoken and spoken[-1][1] > keep:
        keep = min(keep, spoken.pop()[0])
    stretches = tuple(Stretch(start + first, held[first:end].copy()) for first, end in spoken)
    return Window(start + keep, stretches), keep


def _spoken(held: Samples) -> list[tuple[int, int]]:
    if not len(held) or max(held.max(), -held.min()) < FLOOR:
        return []
    options = VadOptions(
        min_silence_duration_ms=PAUSE_MS,
        speech_pad_ms=PADDING_MS,
        min_speech_duration_ms=SHORTEST_MS,
        max_speech_duration_s=LONGEST_SECONDS,
    )
    return [(one["start"], min(one["end"], len(held))) for one in get_speech_timestamps(held, options)]
