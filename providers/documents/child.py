"""The process that reads documents: it knows nothing but its caps and the bytes it is sent.

Run as `python -m providers.documents.child <limits as JSON>`. On its standard input stand requests (frames.py), on its
standard output an empty answer when it is ready, then as many answers.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from domain.chunking import chunks_of
from domain.documents import Chunk, DocumentRefused, Parsed
from providers.documents.frames import FRAME, lengths, opened
from providers.documents.limits import MIB, Limits
from providers.documents.reading import read

CHUNKS = TypeAdapter(list[Chunk])
# A process that has grown this large, or has answered this many requests, makes way for a fresh one.
TIRED_BYTES = 256 * MIB
TIRED_REQUESTS = 4000
NICENESS = 5


def main() -> None:
    limits = Limits.model_validate_json(sys.argv[1])
    requests, answers = _channels()
    _confine(limits)
    _write(answers, {"last": False}, b"")
    for count in range(1, TIRED_REQUESTS + 1):
        frame = requests.read(FRAME)
        if len(frame) < FRAME:
            return
        head_length, body_length = lengths(frame)
        head: dict[str, Any] = json.loads(requests.read(head_length))
        body = requests.read(body_length)
        answer, result = _answered(head, body, limits)
        del body
        tired = count == TIRED_REQUESTS or answer.get("code") == "parse_memory" or _resident() > TIRED_BYTES
        _write(answers, {**answer, "last": tired}, result)
        if tired:
            return


def _write(answers: BinaryIO, head: dict[str, Any], body: bytes) -> None:
    answers.write(opened(head, body))
    answers.write(body)
    answers.flush()


def _answered(head: dict[str, Any], body: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    _allow_seconds(limits.seconds)
    try:
        if head["task"] == "parse":
            data = _content(Path(head["path"]), limits) if "path" in head else body
            return {}, read(data, head["filename"], limits).model_dump_json().encode()
        parsed = Parsed.model_validate_json(body)
        return {}, CHUNKS.dump_json(chunks_of(parsed, head["chunk_size"], head["overlap"]))
    except DocumentRefused as refused:
        return {"code": refused.code, "message": refused.message}, b""
    except OSError as unreadable:
        return {"errno": unreadable.errno}, b""
    except MemoryError:
        return {"code": "parse_memory", "message": "the document needs more memory than one is given"}, b""


def _content(path: Path, limits: Limits) -> bytes:
    limits.check_size(path.stat().st_size)
    return path.read_bytes()


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes, out of reach of a library that reads standard input or prints."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    return requests, answers


def _confine(limits: Limits) -> None:
    """No more memory than allowed, no file written, no core dumped, few files open, and others first."""
    os.nice(NICENESS)
    with suppress(ValueError, OSError):  # not every system knows this limit
        resource.setrlimit(resource.RLIMIT_AS, (limits.max_memory, limits.max_memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _allow_seconds(seconds: float) -> None:
    """Processor time for the next document: a net under the asker's clock, should the asker be gone."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent + seconds) + 1, hard))


def _resident() -> int:
    """Bytes of memory in use now; the peak where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
