"""The sound of a recording as it comes, never all of it at once.

The demuxer is named, not guessed: a playlist, or whatever else may name other files or addresses, is none of them.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from domain.interviews.audio import AudioRefused, Container

RATE = 16_000
SAMPLE_BYTES = 2
DEMUXERS: dict[Container, str] = {
    "wav": "wav",
    "mp3": "mp3",
    "m4a": "mov",
    "mp4": "mov",
    "ogg": "ogg",
    "webm": "matroska",
    "flac": "flac",
}
# plain samples come in larger portions than 4 KiB
OPTIONS: dict[Container, dict[str, str]] = {"wav": {"max_size": "65536"}}


def broken(what: str) -> AudioRefused:
    return AudioRefused(f"the recording is damaged: {what}", code="broken_file")


@contextmanager
def opened(path: Path, container: Container) -> Generator[tuple[InputContainer, AudioStream]]:
    """A file and its first track of sound. Raises AudioRefused `broken_file`, `no_audio_track`, FileNotFoundError."""
    try:
        source = av.open(
            str(path), format=DEMUXERS[container], options=OPTIONS.get(container), metadata_errors="replace"
        )
    except FileNotFoundError:
        raise
    except FFmpegError:
        raise broken("its beginning cannot be read") from None
    with source:
        if not source.streams.audio:
            raise AudioRefused("the file has no sound, only pictures", code="no_audio_track")
        yield source, source.streams.audio[0]


def frames(source: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """What can be decoded, as a player skips what cannot. Raises AudioRefused `broken_file` where that is most."""
    good = bad = 0
    packets = source.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:
            bad += 1
            break
        if packet is None:
            break
        try:
            decoded = stream.decode(packet)
        except FFmpegError:
            bad += 1
            continue
        good += len(decoded)
        yield from decoded
    if bad > good:
        raise broken("most of its sound cannot be decoded")


def pcm(decoded: Iterable[AudioFrame]) -> Iterator[bytes]:
    """16 kHz, one channel, 16 bits a sample; also where the rate changes on the way."""
    resampler, made_for = _resampler(), None
    for frame in decoded:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if made_for not in (None, shape):
            yield from map(_bytes, resampler.resample(None))
            resampler = _resampler()
        made_for = shape
        # times of containers lie, and a recording is as long as its sound
        frame.pts = None
        yield from map(_bytes, resampler.resample(frame))
    if made_for is not None:
        yield from map(_bytes, resampler.resample(None))


def _resampler() -> av.AudioResampler:
    return av.AudioResampler("s16", "mono", RATE)


def _bytes(frame: AudioFrame) -> bytes:
    # behind the samples stands what the allocator left
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
