"""Functions run in a process of their own: what hangs, dies or eats the memory there takes nothing else along.

For work that keeps a core busy, and for files of strangers. Of a loop or thread pool nothing would be left to others.
"""

import asyncio
import builtins
import fcntl
import io
import os
import pickle
import re
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO, TypeVar

T = TypeVar("T")
LENGTH_BYTES = 8
DOMAIN = re.compile(r"domain(\.\w+)+")
PLAIN = {
    ("array", "_array_reconstructor"),
    ("array", "array"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
}
# of the stream between both; what is larger is read all the same
BUFFER_BYTES = 1024 * 1024


class ProcessEnded(Exception):
    """The process ended within a call. `in_time` is False when its seconds were over."""

    def __init__(self, *, in_time: bool) -> None:
        super().__init__("the process died" if in_time else "the process took too long")
        self.in_time = in_time


class Apart:
    """One process, started with the first call and again after it has ended. Calls wait for each other.

    `seconds` of wall-clock are a call's limit, `memory` in bytes the process's. What a call is given, answers and
    raises is pickled: functions of modules, and values. Answers hold values of `domain` and plain ones alone, for a
    stranger's file may have taken over who answers: one that holds anything else has ended the process.
    """

    def __init__(self, *, seconds: int, memory: int) -> None:
        self._seconds, self._memory = seconds, memory
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def running(self) -> bool:
        """Whether there is a process by now."""
        return self._process is not None

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What the function answers, or raises. Raises ProcessEnded; a call that is cancelled ends the process."""
        async with self._one_at_a_time:
            process = self._process
            # one that was ended while it rested has nothing to do with this call
            if process is None or process.returncode is not None:
                process = await self._start()
            try:
                worked, answer = await self._call(process, pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL))
            except (asyncio.IncompleteReadError, ConnectionError):
                self._process = None
                raise ProcessEnded(in_time=await process.wait() != -signal.SIGALRM) from None
            except pickle.UnpicklingError:
                await self._end()
                raise ProcessEnded(in_time=True) from None
            except BaseException:
                await self._end()
                raise
        if worked:
            return answer
        raise answer

    async def close(self) -> None:
        """End the process, whatever it is at."""
        await self._end()

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "providers.apart", str(self._seconds), str(self._memory)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=BUFFER_BYTES,
            # of what this process knows, its secrets too, a stranger's file is told nothing
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            # a signal to all of a terminal's or supervisor's processes is ours to answer
            start_new_session=True,
        )
        return self._process

    async def _call(self, process: asyncio.subprocess.Process, asked: bytes) -> tuple[bool, Any]:
        writer, reader = process.stdin, process.stdout
        if writer is None or reader is None:
            raise ConnectionError
        writer.write(len(asked).to_bytes(LENGTH_BYTES, "big"))
        writer.write(asked)
        await writer.drain()
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        return _Values(io.BytesIO(await reader.readexactly(length))).load()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class _Values(pickle.Unpickler):
    """Reads what nothing is done by: no function is called, and no class that acts."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if not is_value(module_name, global_name):
            raise pickle.UnpicklingError("an answer holds values alone")
        return super().find_class(module_name, global_name)


def is_value(module: str, name: str) -> bool:
    """Whether the global of that name may be part of an answer: a class of `domain`, an error of Python's own, or one
    of the plain types."""
    if (module, name) in PLAIN:
        return True
    if module == "builtins":
        error = getattr(builtins, name, None)
        return isinstance(error, type) and issubclass(error, Exception)
    found = getattr(sys.modules.get(module) or import_module(module), name, None) if DOMAIN.fullmatch(module) else None
    return isinstance(found, type) and found.__module__ == module


def serve(calls: BinaryIO, answers: BinaryIO, seconds: int) -> None:
    """Answer calls until there are no more: the end of who asks is the end of this process too."""
    while head := calls.read(LENGTH_BYTES):
        function, args = pickle.loads(calls.read(int.from_bytes(head, "big")))  # noqa: S301
        signal.alarm(seconds)
        try:
            answer = pickle.dumps((True, function(*args)), pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - raised where it was called
            kind = type(error)
            known = is_value(kind.__module__, kind.__qualname__)
            answer = pickle.dumps((False, error if known else RuntimeError(kind.__qualname__)), pickle.HIGHEST_PROTOCOL)
        signal.alarm(0)
        answers.write(len(answer).to_bytes(LENGTH_BYTES, "big"))
        answers.write(answer)
        answers.flush()


def main(seconds: int, memory: int) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    # what a library prints is no answer
    os.dup2(2, 1)
    with suppress(ValueError, OSError):  # not every system knows this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if sys.platform == "linux":
        for pipe in (0, answers.fileno()):
            with suppress(OSError):  # a call passes at once, not by turns of a loop that is busy
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, BUFFER_BYTES)
    serve(sys.stdin.buffer, answers, seconds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
