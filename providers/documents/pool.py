"""Documents read in processes of their own, under caps of memory and time that no document escapes."""

import asyncio
import json
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from pydantic import TypeAdapter

from domain.documents import Chunk, DocumentRefused, Parsed
from providers.documents.frames import FRAME, lengths, opened
from providers.documents.limits import MIB, Limits

CHUNKS = TypeAdapter(list[Chunk])
LONGEST_ANSWER = 512 * MIB
STARTING_SECONDS = 60.0
# An allocation that fails outside of Python aborts; the system itself kills when its memory ends.
OUT_OF_MEMORY = (-signal.SIGABRT, -signal.SIGKILL)


class DocumentPool:
    """A DocumentParser of `size` processes, started when first needed and used again until they are tired.

    A document over its time is killed with its process and refused `parse_timeout`; a cancelled caller kills it at
    once. Waiting for a turn costs the document none of its time. Belongs to one event loop.
    """

    def __init__(self, limits: Limits | None = None, size: int = 2) -> None:
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(size)
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End all processes; what they are at fails, but is no outcome of the documents."""
        self._closed = True
        self._idle.clear()
        await asyncio.gather(*map(self._end, tuple(self._all)))

    async def parse(self, source: Path | bytes, filename: str) -> Parsed:
        """Bytes go through a pipe, a path is opened by the process. Raises DocumentRefused, OSError for the path."""
        head = {"task": "parse", "filename": filename}
        if isinstance(source, bytes):
            self._limits.check_size(len(source))
            return Parsed.model_validate_json(await self._ask(head, source))
        return Parsed.model_validate_json(await self._ask({**head, "path": str(source)}, b""))

    async def chunks_of(self, parsed: Parsed, chunk_size: int, overlap: int) -> list[Chunk]:
        """Raises DocumentRefused where time or memory do not do, ValueError unless 0 <= overlap < chunk_size."""
        if not 0 <= overlap < chunk_size:
            raise ValueError("overlap must be smaller than the chunk size, and neither negative")
        head = {"task": "chunk", "chunk_size": chunk_size, "overlap": overlap}
        return CHUNKS.validate_json(await self._ask(head, parsed.model_dump_json().encode()))

    async def _ask(self, head: dict[str, Any], body: bytes) -> bytes:
        """The answer's body. A process that dies although others were read by it before gives a fresh one a try."""
        async with self._turns:
            self._check_open()
            used = self._rested()
            try:
                answer, result = await self._handed(used or await self._started(), head, body)
            except _Died:
                if used is None:
                    raise
                answer, result = await self._handed(await self._started(), head, body)
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        if "code" in answer:
            raise DocumentRefused(answer["code"], answer["message"])
        return result

    async def _handed(self, process: Process, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """One exchange; only a process that has answered in order is used again."""
        answer: dict[str, Any] = {"last": True}
        try:
            async with asyncio.timeout(self._limits.seconds):
                await _send(process, head, body)
                answer, result = await _receive(process)
        except TimeoutError:
            raise DocumentRefused("parse_timeout", f"not read within {self._limits.seconds:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise self._cause(await process.wait()) from None
        finally:
            if answer["last"]:
                await self._end(process)
            else:
                self._idle.append(process)
        return answer, result

    def _cause(self, returncode: int) -> Exception:
        """What the end of a process within an exchange means."""
        if self._closed or returncode >= 0:
            return RuntimeError("the pool is closed" if self._closed else f"the reading process ended ({returncode})")
        if returncode == -signal.SIGXCPU:
            return _Died("parse_timeout", "the document needs more processor time than one is given")
        if returncode in OUT_OF_MEMORY:
            return _Died("parse_memory", "the document needs more memory than one is given")
        return _Died("corrupt", f"the document is damaged: its reader crashed ({signal.Signals(-returncode).name})")

    def _rested(self) -> Process | None:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            self._all.discard(process)
        return None

    async def _started(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "providers.documents.child",
            self._limits.model_dump_json(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
            limit=MIB,
            # nothing of ours: no key, no address
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._all.add(process)
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await _receive(process)
            self._check_open()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            await self._end(process)
            self._check_open()
            raise RuntimeError(f"the reading process did not start ({process.returncode})") from None
        except BaseException:
            await self._end(process)
            raise
        return process

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the pool is closed")

    async def _end(self, process: Process) -> None:
        """Kill the process and what it has started, and wait until it is gone."""
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        self._all.discard(process)


class _Died(DocumentRefused):
    """The process ended before it answered."""


async def _send(process: Process, head: dict[str, Any], body: bytes) -> None:
    requests = cast(StreamWriter, process.stdin)
    requests.write(opened(head, body))
    requests.write(body)
    await requests.drain()


async def _receive(process: Process) -> tuple[dict[str, Any], bytes]:
    answers = cast(StreamReader, process.stdout)
    head, body = lengths(await answers.readexactly(FRAME))
    if head + body > LONGEST_ANSWER:
        raise DocumentRefused("too_large", "the document becomes more text than one may")
    return json.loads(await answers.readexactly(head)), await answers.readexactly(body)
