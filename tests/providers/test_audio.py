"""What a recording is by its content, and why a file is none."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from domain.interviews.audio import AudioRefused, Container
from providers.audio.reader import AudioFiles
from tests.support.sounds import CODECS, JFK, RATE, encoded, spoken, written
from tests.support.voices import recording

SECONDS = 11.0
KINDS: tuple[Container, ...] = ("wav", "mp3", "m4a", "ogg", "webm", "flac", "mp4")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same speech in each container, none of them named for what it is."""
    folder, samples = tmp_path_factory.mktemp("containers"), spoken(JFK)
    made = {kind: encoded(folder / f"it.{kind}", samples, picture=kind == "mp4") for kind in CODECS}
    return {kind: path.rename(folder / kind) for kind, path in made.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def files() -> AsyncGenerator[AudioFiles]:
    files = AudioFiles(max_seconds=60)
    yield files
    await files.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def refusal(files: AudioFiles, path: Path) -> AudioRefused:
    with pytest.raises(AudioRefused) as raised:
        await files.probe(path)
    return raised.value


@pytest.mark.parametrize("kind", KINDS)
async def test_each_container_is_known_by_its_content(
    files: AudioFiles, made: dict[str, Path], kind: Container
) -> None:
    info = await files.probe(made[kind])
    assert info.container == kind
    assert info.seconds == pytest.approx(SECONDS, abs=0.15)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.97, 0.5])
async def test_a_recording_that_ends_too_early_is_told(
    files: AudioFiles, made: dict[str, Path], tmp_path: Path, kind: Container, share: float
) -> None:
    content = made[kind].read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(content[: int(len(content) * share)])
    assert (await refusal(files, cut)).code == "truncated_file"


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "empty_file", "empty"),
        (b"Tell me about yourself.\nI am an engineer.\n", "not_audio", "text"),
        ("Erzählen Sie etwas über sich, ".encode() * 4, "not_audio", "text"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(200), "not_audio", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not_audio", "image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200), "not_audio", "image"),
        (b"\0\0\0\x18ftypheic" + bytes(200), "not_audio", "image"),
        (bytes(5000), "not_audio", "no recording"),
        (b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1/inside.mp3\n", "not_audio", "text"),
        (b"OggS" + bytes(range(256)) * 40, "broken_file", "beginning"),
        (b"ID3\x04\0\0\0\0\0\0" + b"\x01\x02" * 5000, "broken_file", "damaged"),
    ],
)
async def test_what_is_no_recording_is_refused_with_its_reason(
    files: AudioFiles, tmp_path: Path, content: bytes, code: str, word: str
) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(content)
    refused = await refusal(files, path)
    assert refused.code == code
    assert word in refused.message


async def test_a_video_without_sound_is_refused(files: AudioFiles, tmp_path: Path) -> None:
    silent_film = encoded(tmp_path / "film.mp4", np.zeros(0, np.int16), picture=True)
    assert (await refusal(files, silent_film)).code == "no_audio_track"


@pytest.mark.parametrize("kind", ["wav", "mp3", "webm"])
async def test_silence_is_refused_though_it_hums(files: AudioFiles, tmp_path: Path, kind: str) -> None:
    hum = (10 * np.sin(np.arange(5 * RATE) * 0.02)).astype(np.int16)
    hum[RATE] = 20_000  # a click is no speech
    refused = await refusal(files, encoded(tmp_path / f"hum.{kind}", hum))
    assert refused.code == "silent_audio"


async def test_a_recording_may_be_so_long_and_no_longer(files: AudioFiles, tmp_path: Path) -> None:
    minute = np.resize(spoken(JFK), 60 * RATE)
    assert (await files.probe(encoded(tmp_path / "in.mp3", minute[: 59 * RATE]))).seconds == pytest.approx(59, abs=0.2)
    assert (await refusal(files, encoded(tmp_path / "over.mp3", np.resize(minute, 61 * RATE)))).code == "too_long"


async def test_a_header_that_lies_about_its_length_is_not_believed(files: AudioFiles, tmp_path: Path) -> None:
    """As of a stream whose writer could not go back: it names the largest length there is."""
    content = bytearray(written(tmp_path / "live.wav", spoken(JFK)).read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "live.wav").write_bytes(content)
    assert (await files.probe(tmp_path / "live.wav")).seconds == pytest.approx(SECONDS, abs=0.01)


async def test_sound_damaged_in_the_middle_is_still_a_recording(
    files: AudioFiles, made: dict[str, Path], tmp_path: Path
) -> None:
    content = bytearray(made["mp3"].read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    (tmp_path / "scratched").write_bytes(content)
    assert (await files.probe(tmp_path / "scratched")).seconds == pytest.approx(SECONDS, abs=1.5)


async def test_two_are_looked_at_at_the_same_time(files: AudioFiles, made: dict[str, Path]) -> None:
    infos = await asyncio.gather(*(files.probe(made[kind]) for kind in KINDS))
    assert [info.container for info in infos] == list(KINDS)


async def test_a_file_that_takes_too_much_is_refused(tmp_path: Path) -> None:
    recording(tmp_path / "long", [], 2 * 3600)
    hurried = AudioFiles(max_seconds=4 * 3600, call_seconds=1)
    try:
        with pytest.raises(AudioRefused, match="more time or memory"):
            await hurried.probe(tmp_path / "long")
    finally:
        await hurried.close()
        (tmp_path / "long").unlink()


async def test_a_missing_file_is_an_error_of_the_system(files: AudioFiles, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await files.probe(tmp_path / "none")
