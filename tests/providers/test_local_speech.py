"""What is heard on this machine: the words, who says them, and what becomes of it when something ends on the way."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import jiwer
import psutil
import pytest

from domain.errors import JobError, VendorError
from domain.interviews.audio import Container, Hearing
from domain.interviews.transcript import Piece, Transcript, Word
from domain.interviews.voices import told_apart
from providers.audio.decoding import frames, opened, pcm
from providers.speech import local
from providers.speech.hearing import Listener
from providers.speech.local import LocalSpeech
from providers.speech.task import Task
from tests.support.hearing import asked, in_turns, plain, right_share
from tests.support.sounds import FOLDER, spoken
from tests.support.voices import RATE, TURNS, Said, interview, recording, say

GIB = 1024**3


def task(path: Path, container: Container) -> Task:
    return LocalSpeech()._task(asked(path, container), ())  # pyright: ignore[reportPrivateUsage]


@dataclass
class Heard:
    """What comes of a recording that is heard, and who listens to it at each piece."""

    kept: list[Piece] = field(default_factory=list[Piece])
    seconds: list[float] = field(default_factory=list[float])
    at_piece: Callable[[int], None] = lambda count: None

    async def keep(self, piece: Piece) -> None:
        self.kept.append(piece)
        self.at_piece(len(self.kept))

    async def transcribe(self, hearing: Hearing, kept: list[Piece] | None = None) -> Transcript:
        return await LocalSpeech().transcribe(hearing, kept=kept or [], keep=self.keep, heard=self.seconds.append)


def listening() -> list[psutil.Process]:
    """The processes that this one has started to hear recordings."""
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it ends meanwhile
            if "providers.speech.child" in child.cmdline():
                found.append(child)
    return found


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener(task(FOLDER, "wav"))


def heard_by(listener: Listener, path: Path, container: Container) -> tuple[Word, ...]:
    with opened(path, container) as (source, stream):
        pieces = [one for one in listener.pieces(pcm(frames(source, stream)), 0.0) if isinstance(one, Piece)]
    words = [word for piece in pieces for word in piece.words]
    return told_apart(words, [voice for piece in pieces for voice in piece.voices])


def test_at_most_twelve_words_in_a_hundred_are_wrong(listener: Listener) -> None:
    meant: list[str] = []
    understood: list[str] = []
    for text in sorted((FOLDER / "audio").glob("*.txt")):
        container: Container = "flac" if text.stem == "jfk" else "wav"
        words = heard_by(listener, text.with_suffix(f".{container}"), container)
        meant.append(plain(text.read_text(encoding="utf-8")))
        understood.append(plain(" ".join(word.text for word in words)))
    assert jiwer.wer(meant, understood) <= 0.12


@pytest.mark.parametrize("order", ["1688 367 1688 367", "367 367 367 1688"])
def test_two_people_are_told_apart(listener: Listener, tmp_path: Path, order: str) -> None:
    said: dict[str, list[Path]] = {one: sorted((FOLDER / "librispeech").glob(f"{one}-*")) for one in ("1688", "367")}
    numbers = {person: number for number, person in enumerate(dict.fromkeys(order.split()))}
    parts = [(numbers[person], spoken(said[person][at % 4])) for at, person in enumerate(order.split())]
    truth = in_turns(tmp_path / "two.wav", parts)
    words = heard_by(listener, tmp_path / "two.wav", "wav")
    assert right_share(words, truth) >= 0.95


@pytest.mark.parametrize("person", ["1688", "367"])
def test_one_person_is_not_taken_for_two(listener: Listener, tmp_path: Path, person: str) -> None:
    said = [spoken(path) for path in sorted((FOLDER / "librispeech").glob(f"{person}-*"))]
    in_turns(tmp_path / "one.wav", [(0, samples) for samples in said])
    assert {word.speaker for word in heard_by(listener, tmp_path / "one.wav", "wav")} == {0}


async def test_an_interview_becomes_turns_of_two(tmp_path: Path) -> None:
    said, heard = interview(tmp_path / "it.wav", TURNS), Heard()
    transcript = await heard.transcribe(asked(tmp_path / "it.wav", seconds=said[-1].end))
    turns = list(transcript.turns())
    assert [turn.speaker for turn in turns] == [0, 1] * (len(TURNS) // 2)
    for turn, one in zip(turns, said, strict=True):
        assert jiwer.wer(plain(one.text), plain(turn.text)) <= 0.1
        assert turn.start == pytest.approx(one.start, abs=0.5)
        assert turn.end == pytest.approx(one.end, abs=1.0)
    assert transcript.transcribed_by == "offline"
    assert transcript.model == "whisper-tiny.en"
    assert heard.seconds == sorted(heard.seconds)
    assert heard.seconds[-1] == pytest.approx(said[-1].end, abs=2)


@pytest.mark.timeout(1800)
async def test_two_hours_are_heard_once_whatever_ends_on_the_way(tmp_path: Path) -> None:
    """The first process is killed after the second passage, the second call is cancelled after the fourth, the third
    call hears the rest."""
    path, said = tmp_path / "long.wav", long_recording(tmp_path / "long.wav")
    assert sum(one.end - one.start for one in said) > 180
    largest = 0

    def weigh() -> None:
        nonlocal largest
        for child in listening():
            with suppress(psutil.NoSuchProcess):
                largest = max(largest, child.memory_info().rss)

    def kill(count: int) -> None:
        weigh()
        if count == 2:
            for child in listening():
                child.kill()

    first = Heard(at_piece=kill)
    with pytest.raises(VendorError) as raised:
        await first.transcribe(asked(path, seconds=7200))
    assert raised.value.code == "transcription_failed"
    assert len(first.kept) >= 2, "what it had said by then is kept too"

    cancel_now = asyncio.Event()
    second = Heard(at_piece=lambda count: cancel_now.set() if count == 2 else None)
    call = asyncio.create_task(second.transcribe(asked(path, seconds=7200), first.kept))
    await asyncio.wait_for(cancel_now.wait(), 600)
    weigh()
    before = time.monotonic()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert time.monotonic() - before < 5
    assert listening() == []

    third = Heard(at_piece=lambda count: weigh())
    transcript = await third.transcribe(asked(path, seconds=7200), first.kept + second.kept)
    pieces = first.kept + second.kept + third.kept
    assert len(second.kept) >= 2
    assert third.kept, "neither of the two has heard it all"
    assert all(one.end <= following.start for one, following in pairwise(pieces))
    assert min(third.seconds) >= second.kept[-1].end
    assert third.seconds == sorted(third.seconds)
    assert third.seconds[-1] == pytest.approx(7200, abs=1)
    assert largest < GIB * 3 / 4
    assert [turn.speaker for turn in transcript.turns()] == [one.voice != said[0].voice for one in said]
    assert jiwer.wer(plain(" ".join(one.text for one in said)), plain(transcript.text)) <= 0.1


def long_recording(path: Path) -> list[Said]:
    """Two hours, of which three minutes are speech, in thirteen places."""
    said: list[Said] = []
    for place in range(13):
        start = 300 + place * 540.0
        for voice, text in (TURNS[place % 3 * 2], TURNS[place % 3 * 2 + 1]):
            said.append(Said(voice, text, start, start + len(say(text, voice)) / RATE))
            start = said[-1].end + 0.6
    recording(path, [(one.start, say(one.text, one.voice)) for one in said], 7200)
    return said


async def test_who_listens_ends_with_who_asked(tmp_path: Path) -> None:
    # so long that nobody could hear it to its end meanwhile
    interview(tmp_path / "it.wav", TURNS * 20)
    asking = subprocess.Popen([sys.executable, "-c", ASKING, str(tmp_path / "it.wav")], stdout=subprocess.PIPE)
    try:
        assert asking.stdout is not None
        child = psutil.Process(int(asking.stdout.readline()))
        assert "providers.speech.child" in child.cmdline()
        asking.kill()
        await asyncio.to_thread(child.wait, 30)
    finally:
        asking.kill()
        asking.wait()
        if asking.stdout:
            asking.stdout.close()


ASKING = """
import asyncio, sys
from pathlib import Path
from tests.providers.test_local_speech import LocalSpeech, asked, listening

async def keep(piece): ...

def heard(seconds):
    print(listening()[0].pid, flush=True)

asyncio.run(LocalSpeech().transcribe(asked(Path(sys.argv[1])), kept=(), keep=keep, heard=heard))
"""


@pytest.mark.parametrize(("content", "code"), [(None, "file_gone"), (b"RIFF\0\0\0\0WAVE" + bytes(400), "broken_file")])
async def test_what_cannot_be_heard_says_why(tmp_path: Path, content: bytes | None, code: str) -> None:
    if content is not None:
        (tmp_path / "it.wav").write_bytes(content)
    with pytest.raises(JobError) as raised:
        await Heard().transcribe(asked(tmp_path / "it.wav"))
    assert raised.value.code == code


async def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert LocalSpeech().missing is None
    monkeypatch.setitem(local.NEEDED, "no_such_module_at_all", "no-such-package")
    assert "no-such-package" in str(LocalSpeech().missing)
    with pytest.raises(JobError, match="offline-speech") as raised:
        await Heard().transcribe(asked(tmp_path / "it.wav"))
    assert raised.value.code == "not_configured"


def test_a_worker_does_not_load_what_listens() -> None:
    loads = "import sys, providers.speech.local as it; assert it.LocalSpeech().missing is None; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout.split()
    assert not {"faster_whisper", "ctranslate2", "onnxruntime", "numpy", "av"} & set(loaded)
