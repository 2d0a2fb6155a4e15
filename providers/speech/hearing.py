"""A recording heard piece by piece: who loads the models listens here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from domain.interviews.transcript import Piece, Voice, Word
from providers.audio.decoding import frames, opened, pcm
from providers.speech.sounding import Sounding
from providers.speech.stretches import LONGEST_SECONDS, RATE, Stretch, windows
from providers.speech.task import Task

# What is further apart is heard apart: to listen to silence costs as much as to listen to speech.
APART_SECONDS = 3.0
# more than once only where the words repeat themselves or are improbable
TEMPERATURES = (0.0, 0.4, 0.8)
BEAM = 5


@dataclass
class Passage:
    """Stretches that are heard together."""

    stretches: list[Stretch] = field(default_factory=list[Stretch])

    def takes(self, start: int, end: int) -> bool:
        """Whether a stretch may stand in it too."""
        if not self.stretches:
            return True
        first, last = self.stretches[0].start, self.stretches[-1].end
        return end - first <= LONGEST_SECONDS * RATE and start - last <= APART_SECONDS * RATE


class Hearing:
    """Whisper, and what tells voices apart, each with so many threads."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._whisper: Any = WhisperModel(
            str(task.model), device="cpu", compute_type="int8", cpu_threads=task.threads, local_files_only=True
        )
        self._sounding = Sounding(task.embedder, task.threads)

    def pieces(self) -> Iterator[Piece | float]:
        """Each passage after those kept, and in between the second that is reached. Raises AudioRefused."""
        after = max((piece.end for piece in self._task.kept), default=0.0)
        passage = Passage()
        with opened(self._task.path, self._task.container) as (source, stream):
            for window in windows(pcm(frames(source, stream)), round(after * RATE)):
                for stretch in window.stretches:
                    if not passage.takes(stretch.start, stretch.end):
                        yield self._heard(passage)
                        passage = Passage()
                    passage.stretches.append(stretch)
                if passage.stretches and not passage.takes(window.until, window.until):
                    yield self._heard(passage)
                    passage = Passage()
                yield (passage.stretches[0].start if passage.stretches else window.until) / RATE
        if passage.stretches:
            yield self._heard(passage)

    def _heard(self, passage: Passage) -> Piece:
        first, last = passage.stretches[0].start, passage.stretches[-1].end
        samples = np.zeros(last - first, np.float32)
        voices: list[Voice] = []
        for stretch in passage.stretches:
            samples[stretch.start - first : stretch.end - first] = stretch.samples
            voices.extend(self._sounding.voices(stretch.samples, stretch.start / RATE))
        start, end = first / RATE, last / RATE
        return Piece(start=start, end=end, words=self._words(samples, start, end), voices=tuple(voices))

    def _words(self, samples: Any, start: float, end: float) -> tuple[Word, ...]:
        segments, _ = self._whisper.transcribe(
            samples,
            language="en",
            beam_size=BEAM,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        said = [(word.word.strip(), start + word.start, start + word.end) for one in segments for word in one.words]
        return tuple(
            Word(text=text, start=round(min(since, end), 3), end=round(min(until, end), 3))
            for text, since, until in said
            if text
        )
