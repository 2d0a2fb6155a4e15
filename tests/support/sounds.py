"""Recordings for tests: the real ones under tests/data/interviews, and others made of them."""

import wave
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[1] / "data" / "interviews"
JFK = FOLDER / "audio" / "jfk.flac"
RATE = 16_000
# the encoder of each container's most common sound
CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "m4a": "aac",
    "mp4": "aac",
    "ogg": "libopus",
    "webm": "libopus",
    "flac": "flac",
}


def spoken(path: Path) -> NDArray[np.int16]:
    """A recording as 16 kHz, one channel."""
    with av.open(str(path)) as source:
        resampler = av.AudioResampler("s16", "mono", RATE)
        frames = [*source.decode(audio=0), None]
        pieces = [made.to_ndarray()[0] for frame in frames for made in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.int16)


def written(path: Path, samples: NDArray[np.int16]) -> Path:
    """A wav file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def encoded(path: Path, samples: NDArray[np.int16], *, format: str | None = None, picture: bool = False) -> Path:  # noqa: A002
    """The container that the file's name ends in; with `picture`, a video of one second stands beside the sound."""
    kind = path.suffix[1:]
    rate = 48_000 if kind in ("webm", "ogg") else RATE
    with av.open(str(path), "w", format=format or {"m4a": "ipod"}.get(kind)) as made:
        sound = cast(AudioStream, made.add_stream(CODECS[kind], rate=rate, layout="mono")) if len(samples) else None
        if picture:
            video = made.add_stream("mpeg4", rate=5)
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
            for _ in range(5):
                made.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
            made.mux(video.encode(None))
        if sound is not None:
            frame = av.AudioFrame.from_ndarray(samples[None, :], "s16", "mono")
            frame.sample_rate = RATE
            made.mux(sound.encode(frame))
            made.mux(sound.encode(None))
    return path
