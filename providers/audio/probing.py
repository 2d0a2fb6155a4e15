"""What a recording is, and whether there is anything to hear. Runs where a stranger's file harms nobody."""

from array import array
from collections.abc import Iterator
from pathlib import Path

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from domain.interviews.audio import AudioInfo, AudioRefused, Container
from providers.audio.decoding import RATE, broken, frames, opened, pcm
from providers.audio.sniff import container_of
from providers.audio.whole import cut_short

# -60 dB of full scale: speech of a distant speaker is 30 dB above
FLOOR = 33
# of sound above the floor, counted block by block, so that a click is not taken for speech
HEARD_SECONDS, BLOCK = 0.3, RATE // 50
MISSING_SECONDS = 0.1


def probe(path: Path, max_seconds: float) -> AudioInfo:
    """Decodes it all, for containers lie about their length. Raises AudioRefused; OSError for the path."""
    with path.open("rb") as file:
        container = container_of(file)
        whole = not cut_short(file, container)
    if not whole:
        raise AudioRefused("the file ends before the recording does", code="truncated_file")
    with opened(path, container) as (source, stream):
        if container == "mp4" and not any(map(_moves, source.streams.video)):
            container = "m4a"
        seconds = _listened(source, stream, max_seconds)
        _check_whole(container, stream, seconds)
    return AudioInfo(container=container, seconds=round(seconds, 3))


def _moves(video: VideoStream) -> bool:
    """Whether it is no cover of an album."""
    return not video.disposition & Disposition.attached_pic


def _listened(source: InputContainer, stream: AudioStream, most: float) -> float:
    """Seconds of sound. Raises AudioRefused `too_long`, `silent_audio`, `broken_file`."""
    length = _Length(most)
    heard = 0.0
    counted = length.counting(frames(source, stream))
    for sound in pcm(counted):
        heard += _heard(array("h", sound))
        if heard >= HEARD_SECONDS:
            break
    for _ in counted:
        pass
    if not length.seconds:
        raise broken("no sound can be decoded")
    if heard < min(HEARD_SECONDS, length.seconds / 2):
        raise AudioRefused("nothing can be heard in the recording", code="silent_audio")
    return length.seconds


def _heard(samples: "array[int]") -> float:
    """Seconds of the blocks that are above the floor."""
    blocks = (samples[at : at + BLOCK] for at in range(0, len(samples), BLOCK))
    return sum(len(block) for block in blocks if max(max(block), -min(block)) > FLOOR) / RATE


class _Length:
    """Counts seconds that go by."""

    def __init__(self, most: float) -> None:
        self.seconds, self._most = 0.0, most

    def counting(self, decoded: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
        for frame in decoded:
            self.seconds += frame.samples / frame.sample_rate
            if self.seconds > self._most:
                hours = f"{self._most / 3600:g} hours"
                raise AudioRefused(f"the recording is longer than {hours}", code="too_long")
            yield frame


def _check_whole(container: Container, stream: AudioStream, seconds: float) -> None:
    if container == "flac" and stream.duration and stream.time_base:
        stated = float(stream.duration * stream.time_base)
        if seconds < stated - MISSING_SECONDS:
            raise AudioRefused("the file ends before the recording does", code="truncated_file")
