"""The process that hears a recording. Run as `python -m providers.speech.child`; task.py says what goes in and out."""

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from domain.interviews.audio import AudioRefused
from domain.interviews.transcript import Piece
from domain.interviews.voices import told_apart
from providers.audio.decoding import frames, opened, pcm
from providers.documents.frames import FRAME, lengths
from providers.documents.frames import opened as head_of
from providers.speech.task import WORDS, Answer, Task

NICENESS = 5


def main() -> None:
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # what a library prints is no answer
    os.dup2(2, 1)
    head, body = lengths(asked.read(FRAME))
    asked.read(head)
    task = Task.model_validate_json(asked.read(body))
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    _confine(task.memory)
    try:
        # before the models are loaded: what cannot be heard needs none
        with opened(task.path, task.container) as (source, stream):
            _hear(task, pcm(frames(source, stream)), answers)
    except AudioRefused as refused:
        _write(answers, Answer(kind="failed", code=refused.code, message=refused.message))
    except FileNotFoundError:
        _write(answers, Answer(kind="failed", code="file_gone", message="the recording is no longer there"))


def _hear(task: Task, sound: Iterator[bytes], answers: BinaryIO) -> None:
    # after the limits are set: what it loads is most of what the process holds
    from providers.speech.hearing import Listener

    pieces, reached = list(task.kept), 0.0
    after = max((piece.end for piece in pieces), default=0.0)
    for one in Listener(task).pieces(sound, after):
        if isinstance(one, Piece):
            pieces.append(one)
            _write(answers, Answer(kind="piece", seconds=one.end), one.model_dump_json().encode())
        else:
            reached = one
            _write(answers, Answer(kind="heard", seconds=one))
    words = [word for piece in pieces for word in piece.words]
    voices = [voice for piece in pieces for voice in piece.voices]
    _write(answers, Answer(kind="done", seconds=reached), WORDS.dump_json(told_apart(words, voices)))


def _write(answers: BinaryIO, answer: Answer, body: bytes = b"") -> None:
    answers.write(head_of(answer.model_dump(), body))
    answers.write(body)
    answers.flush()


def _end_with(asked: BinaryIO) -> None:
    """Who asked is gone when nothing more can come of it."""
    asked.read()
    os._exit(0)


def _confine(memory: int) -> None:
    """No more memory than allowed, no file written, no core dumped, and others first."""
    os.nice(NICENESS)
    with suppress(ValueError, OSError):  # not every system knows this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
