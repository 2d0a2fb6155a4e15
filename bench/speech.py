"""`python -m bench.speech`: how well, how fast and in how much memory recordings are heard on this machine.

Words: the share that is wrong in read speech with a written text, and in a spoken interview of two voices (made by
hibari-tts). Speakers: the share of the words' time that is given to the right one of two readers of LibriSpeech, with
the truth known by construction. Two hours of that interview, speech all through, say the rest: processor seconds for a
second of sound, and the largest memory of the process that listens. Nothing is printed but a line where the extra
`offline-speech` is not installed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import jiwer
import psutil

from domain.interviews.audio import Container
from domain.interviews.transcript import Piece, Transcript
from providers.audio.probing import probe
from providers.speech.local import LocalSpeech
from tests.support.hearing import asked, in_turns, plain, right_share
from tests.support.sounds import FOLDER, spoken
from tests.support.voices import TURNS, interview, say

HOURS, LONGEST = 2.0, 5 * 3600.0
WORDS_BAR, INTERVIEW_BAR, SPEAKERS_BAR, MEMORY_BAR = 0.12, 0.12, 0.95, 1024.0
WATCH_SECONDS = 0.5


@dataclass
class Cost:
    """Of the process that listens: its processor seconds, and its largest memory in MiB."""

    cpu: float = 0.0
    memory: float = 0.0


async def hear(path: Path, container: Container = "wav", cost: Cost | None = None) -> Transcript:
    """Over the real process."""

    async def keep(piece: Piece) -> None:
        pass

    hearing = asked(path, container, probe(path, LONGEST).seconds)
    watching = asyncio.create_task(_watch(cost or Cost()))
    try:
        return await LocalSpeech().transcribe(hearing, kept=(), keep=keep, heard=lambda seconds: None)
    finally:
        watching.cancel()


async def _watch(cost: Cost) -> None:
    while True:
        for child in psutil.Process().children():
            times = child.cpu_times()
            cost.cpu = max(cost.cpu, times.user + times.system)
            cost.memory = max(cost.memory, child.memory_info().rss / 2**20)
        await asyncio.sleep(WATCH_SECONDS)


async def read_speech() -> float:
    """The share of words that is wrong."""
    meant: list[str] = []
    understood: list[str] = []
    for text in sorted((FOLDER / "audio").glob("*.txt")):
        container: Container = "flac" if text.stem == "jfk" else "wav"
        transcript = await hear(text.with_suffix(f".{container}"), container)
        meant.append(plain(text.read_text(encoding="utf-8")))
        understood.append(plain(transcript.text))
    return jiwer.wer(meant, understood)


async def two_readers(folder: Path) -> float:
    """The share of the words' time that is given to the right one; both read all they have, in turns, twice."""
    said = [sorted((FOLDER / "librispeech").glob(f"{person}-*")) for person in ("1688", "367")]
    parts = [(at % 2, spoken(said[at % 2][(at // 2 + at // 8 * (at % 2)) % 4])) for at in range(16)]
    truth = in_turns(folder / "readers.wav", parts)
    return right_share((await hear(folder / "readers.wav")).words, truth)


async def long_interview(folder: Path, hours: float) -> tuple[float, float, float, float, Cost]:
    """Wrong words, right speakers, seconds of sound, seconds it took, what it cost."""
    once = interview(folder / "once.wav", TURNS)
    said = [*once] * int(hours * 3600 / (once[-1].end + 0.1))
    truth = in_turns(folder / "long.wav", [(int(one.voice == "low"), say(one.text, one.voice)) for one in said])
    cost, before = Cost(), time.perf_counter()
    transcript = await hear(folder / "long.wav", cost=cost)
    took = time.perf_counter() - before
    wrong = jiwer.wer(plain(" ".join(one.text for one in said)), plain(transcript.text))
    return wrong, right_share(transcript.words, truth), transcript.duration_seconds, took, cost


async def measure(hours: float) -> bool:
    """Print each figure beside its bar; whether all are held."""
    if missing := LocalSpeech().missing:
        print(f"speech: {missing}")
        return True
    with tempfile.TemporaryDirectory(prefix="longrun-speech-") as made:
        folder = Path(made)
        words, readers = await read_speech(), await two_readers(folder)
        wrong, right, seconds, took, cost = await long_interview(folder, hours)
    rows = (
        ("words wrong, read speech", words, WORDS_BAR, words <= WORDS_BAR),
        ("words wrong, spoken interview", wrong, INTERVIEW_BAR, wrong <= INTERVIEW_BAR),
        ("right speaker, two readers", readers, SPEAKERS_BAR, readers >= SPEAKERS_BAR),
        ("right speaker, interview", right, SPEAKERS_BAR, right >= SPEAKERS_BAR),
        ("largest memory, MiB", cost.memory, MEMORY_BAR, cost.memory <= MEMORY_BAR),
    )
    for name, figure, bar, held in rows:
        print(f"{name:32} {figure:9.3f}   bar {bar:8.2f}   {'held' if held else 'MISSED'}")
    print(f"{'processor seconds a second':32} {cost.cpu / seconds:9.3f}")
    print(f"{'seconds a second, here and now':32} {took / seconds:9.3f}   {seconds:.0f} s of speech in {took:.0f} s")
    return all(held for *_, held in rows)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hours", type=float, default=HOURS, help="how long the interview is")
    sys.exit(not asyncio.run(measure(options.parse_known_args()[0].hours)))
