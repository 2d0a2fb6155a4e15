"""What Deepgram says of a recording, checked: its SDK builds answers without looking at them."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError

from domain.errors import VendorError
from domain.interviews.audio import AudioInfo
from domain.interviews.transcript import Transcript, Word
from domain.storable import storable

REFUSED = "refused_later"
Seconds = Field(ge=0, allow_inf_nan=False)


class _Word(BaseModel):
    word: str
    punctuated_word: str | None = None
    start: float = Seconds
    end: float = Seconds
    speaker: int | None = None


class _Utterance(BaseModel):
    words: list[_Word]
    speaker: int | None = None


class _Alternative(BaseModel):
    words: list[_Word]


class _Channel(BaseModel):
    alternatives: list[_Alternative] = Field(min_length=1)


class _Results(BaseModel):
    channels: list[_Channel] = Field(min_length=1)
    utterances: list[_Utterance] | None = None


class _Metadata(BaseModel):
    duration: float = Seconds


class _Refusal(BaseModel):
    err_code: str


class Heard(BaseModel):
    """An answer, from the SDK or as it was called back. `seconds` is what Deepgram has listened to."""

    metadata: _Metadata
    results: _Results

    @property
    def seconds(self) -> float:
        return self.metadata.duration

    def transcript(self, info: AudioInfo, model: str) -> Transcript:
        """Words in the order of time, each by its speaker, or else by its utterance's."""
        said = [
            (word, utterance.speaker if word.speaker is None else word.speaker)
            for utterance in self.results.utterances or ()
            for word in utterance.words
        ]
        if not said:
            said = [(word, word.speaker) for word in self.results.channels[0].alternatives[0].words]
        said.sort(key=lambda one: one[0].start)
        speakers: dict[int, int] = {}
        words = tuple(
            Word(
                text=text,
                start=word.start,
                end=max(word.start, word.end),
                speaker=None if speaker is None else speakers.setdefault(speaker, len(speakers)),
            )
            for word, speaker in said
            if (text := storable(word.punctuated_word or word.word).strip())
        )
        duration = self.seconds or info.seconds
        return Transcript(words=words, duration_seconds=duration, transcribed_by="deepgram", model=model)


def read(answer: Any) -> Heard | VendorError:
    """The SDK's answer; or what is wrong with it, returned since what was paid is to be recorded first."""
    try:
        return Heard.model_validate(answer, from_attributes=True)
    except ValidationError:
        # Not chained: pydantic's message quotes what was said.
        return unreadable()


def read_body(body: bytes) -> Heard | VendorError:
    """The same of a call back's body. One that says what went wrong is `refused_later`, and nothing was paid."""
    try:
        return Heard.model_validate_json(body)
    except ValidationError:
        pass
    try:
        _Refusal.model_validate_json(body)
    except ValidationError:
        return unreadable()
    return VendorError("Deepgram called back that it could not transcribe the recording", code=REFUSED)


def unreadable() -> VendorError:
    return VendorError("Deepgram's answer cannot be read", code="bad_answer")
