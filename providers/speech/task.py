"""What the process that listens is asked, and what it answers: frames as of providers.documents.frames.

Asked once: a Task. Answered: for each second reached `heard`, for each piece `piece` with its body, at the end `done`
with the words, or `failed`. The end of what it is asked is the end of the process.
"""

from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from domain.interviews.audio import Container
from domain.interviews.transcript import Piece, Word
from domain.model import Model

WORDS = TypeAdapter(tuple[Word, ...])
MEMORY = 3 * 1024**3
Kind = Literal["heard", "piece", "done", "failed"]


class Task(Model):
    """`model` is the folder of a Whisper for CTranslate2, `embedder` a file of weights."""

    path: Path
    container: Container
    kept: tuple[Piece, ...]
    model: Path
    embedder: Path
    threads: int
    memory: int = MEMORY


class Answer(Model):
    """`seconds` of `heard` and `done`, the latter being how long the recording is; `code` and `message` of `failed`."""

    kind: Kind
    seconds: float = 0.0
    code: str = ""
    message: str = ""
