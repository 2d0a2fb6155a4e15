"""A recording heard piece by piece: who loads the models listens here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from domain.interviews.transcript import Piece, Voice, Word
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


class Listener:
    """Whisper, and what tells voices apart, each with so many threads."""

    def __init__(self, task: Task) -> None:
        self._whisper: Any = WhisperModel(
            str(task.model), device="cpu", compute_type="int8", cpu_threads=task.threads, local_files_only=True
        )
        self._sounding = Sounding(task.embedder, task.threads)

    def pieces(self, sound: Iterable[bytes], after: float) -> Iterator[Piece | float]:
        """Each passage after that second, and in between the second that is reached. Of 16-bit samples at 16 kHz."""
        passage = Passage()
        for window in windows(sound, round(after * RATE)):
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
        said: list[Word] = []
        for word in (word for segment in segments for word in segment.words):
            since, until = (round(min(start + at, end), 3) for at in (word.start, word.end))
            if said and not word.word.startswith(" "):
                # the second half of one that is written with a hyphen
                said[-1] = said[-1].model_copy(update={"text": said[-1].text + word.word, "end": until})
            elif text := word.word.strip():
                said.append(Word(text=text, start=since, end=until))
        return tuple(said)
